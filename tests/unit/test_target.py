"""Facts of a target, held against what the cross tools say."""

from __future__ import annotations

import dataclasses
import re
import subprocess
from pathlib import Path

import pytest

from quard.base.errors import QuardError
from quard.target import target


def test_a_known_triple_has_its_facts() -> None:
    found = target("riscv64-linux-gnu")
    assert (found.linux_arch, found.openssl_target) == ("riscv", "linux64-riscv64")


def test_a_target_with_musl_differs_from_that_with_glibc_in_nothing_but_the_c_library() -> None:
    for processor in ("aarch64", "riscv64"):
        glibc, musl = target(f"{processor}-linux-gnu"), target(f"{processor}-linux-musl")
        assert (musl.compiler, glibc.compiler) == (glibc.triple, glibc.triple)
        assert (musl.c_library, musl.package, glibc.package) == ("musl", "musl", "")
        assert musl.loader == f"/lib/ld-musl-{processor}.so.1"
        own = {"triple", "loader", "c_library", "package", "glibc"}
        for field in dataclasses.fields(glibc):
            same = getattr(glibc, field.name) == getattr(musl, field.name)
            assert same == (field.name not in own)


def test_a_typing_error_gets_a_suggestion() -> None:
    with pytest.raises(QuardError) as caught:
        target("riscv64-linux-gun")
    assert caught.value.reason == "unknown-target"
    assert caught.value.hint == "did you mean 'riscv64-linux-gnu'?"
    assert "riscv64-linux-gnu" in caught.value.detail


def test_a_triple_near_to_nothing_says_where_to_add_it() -> None:
    with pytest.raises(QuardError) as caught:
        target("m68k-elf")
    assert caught.value.reason == "unknown-target"
    assert "quard/target.py" in caught.value.hint


def test_machine_class_and_loader_are_those_of_a_program_that_the_compiler_makes(
    tmp_path: Path,
) -> None:
    facts = target("riscv64-linux-gnu")
    source, program = tmp_path / "main.c", tmp_path / "main"
    source.write_text("int main(void) { return 0; }\n")
    gcc, readelf = f"{facts.triple}-gcc", f"{facts.triple}-readelf"
    subprocess.run([gcc, str(source), "-o", str(program)], check=True)
    shown = subprocess.run(
        [readelf, "--wide", "--file-header", "--program-headers", str(program)],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert f"interpreter: {facts.loader}]" in shown
    assert re.search(r"Class:\s+ELF(\d+)", shown).group(1) == str(facts.elf_class)  # type: ignore[union-attr]
    assert f"{facts.elf_order} endian" in shown
    flags = re.search(r"Flags:\s+(0x[0-9a-f]+)", shown)
    assert flags is not None
    mask, value = facts.elf_abi
    assert int(flags.group(1), 16) & mask == value
    assert re.search(r"Machine:\s+RISC-V", shown)
    assert facts.elf_machine == "EM_RISCV"
