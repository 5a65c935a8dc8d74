"""Reading targets, whose facts are held against what the cross tools say."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from quard.base.errors import QuardError
from quard.boards.targets import target, tools
from quard.boards.trees import Trees
from quard.parts.elf_machines import MACHINES

TOP = Path(__file__).resolve().parents[3]
SHIPPED = sorted(path.stem for path in (TOP / "configs/targets").glob("*.toml"))
WHOLE = """\
summary = "A processor of its own"
linux_arch = "own"
linux_image = "Image"
gdb = "own:64"
loader = "/lib/ld-own.so.1"
[elf]
machine = "EM_RISCV"
bits = 64
order = "big"
flags_mask = 6
flags = 4
[words]
openssl.target = "linux-own"
"""


def own(folder: Path, text: str = WHOLE, triple: str = "own-linux-gnu") -> Trees:
    """Write a target of a product; return the trees."""
    (folder / "configs/targets").mkdir(parents=True, exist_ok=True)
    (folder / f"configs/targets/{triple}.toml").write_text(text)
    return Trees(TOP, {"product": folder})


def refused(folder: Path, text: str) -> QuardError:
    with pytest.raises(QuardError) as caught:
        target("own-linux-gnu", own(folder, text))
    assert caught.value.reason == "bad-target"
    return caught.value


@pytest.mark.parametrize("triple", SHIPPED)
def test_each_shipped_target_is_read_with_both_c_libraries(triple: str) -> None:
    glibc, musl = target(triple), target(triple.replace("gnu", "musl"))
    assert (glibc.triple, musl.freestanding) == (triple, glibc)
    assert glibc.elf.machine in MACHINES.values()
    assert dict(glibc.words).keys() == {"openssl.target"}


@pytest.mark.parametrize("triple", SHIPPED)
def test_each_shipped_target_names_its_compiler_and_its_c_library(triple: str) -> None:
    found = target(triple)
    # Debian's names have - in place of _.
    assert {f"{name}-{triple.replace('_', '-')}" for name in ("gcc", "g++")} < {*found.tools}
    assert any(name.startswith("libc6-dev-") for name in found.tools)
    assert target(triple.replace("gnu", "musl")).freestanding.tools == found.tools


def test_the_packages_of_the_targets_of_one_tree(tmp_path: Path) -> None:
    named = WHOLE.replace("[elf]", 'tools = ["gcc-own", "binutils-own"]\n[elf]')
    trees = own(tmp_path, named)
    own(tmp_path, triple="bare-linux-gnu")
    assert tools(trees, "product") == {"own-linux-gnu": ("binutils-own", "gcc-own")}
    assert tools(trees, "").keys() == {*SHIPPED}
    assert target("own-linux-gnu", trees).file == "product:configs/targets/own-linux-gnu.toml"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ('"gcc-own"', "tools must be a list of strings"),
        ('["gcc own"]', "tools contains 'gcc own', which is not a name that Debian allows"),
        ('["gcc-own", "gcc-own"]', "tools contains gcc-own twice"),
    ],
)
def test_wrong_names_of_packages_are_refused(tmp_path: Path, value: str, text: str) -> None:
    error = refused(tmp_path, WHOLE.replace("[elf]", f"tools = {value}\n[elf]"))
    assert text in error.message


@pytest.mark.parametrize("triple", SHIPPED)
def test_programs_of_32_bit_have_times_of_64(triple: str) -> None:
    found = target(triple)
    assert ("-D_TIME_BITS=64" in found.flags) == (found.elf.bits == 32)


@pytest.mark.parametrize(
    ("triple", "loader"),
    [
        ("arm-linux-musleabihf", "/lib/ld-musl-armhf.so.1"),
        ("i686-linux-musl", "/lib/ld-musl-i386.so.1"),
        ("riscv64-linux-musl", "/lib/ld-musl-riscv64.so.1"),
    ],
)
def test_musl_names_its_loader_by_the_processor_unless_the_file_says_another(
    triple: str, loader: str
) -> None:
    assert target(triple).loader == loader


def test_a_product_has_targets_of_its_own_besides_the_shipped_ones(tmp_path: Path) -> None:
    trees = own(tmp_path)
    found = target("own-linux-gnu", trees)
    assert (found.linux_arch, found.gdb, found.flags) == ("own", "own:64", "")
    assert (found.elf.order, found.elf.flags) == ("big", (6, 4))
    assert found.words == (("openssl.target", "linux-own"),)
    assert target("riscv64-linux-gnu", trees) == target("riscv64-linux-gnu")


def test_a_tree_of_packages_without_targets_has_the_shipped_ones(tmp_path: Path) -> None:
    assert target("riscv64-linux-gnu", Trees(tmp_path)) == target("riscv64-linux-gnu")


def test_a_product_may_replace_a_shipped_target(tmp_path: Path) -> None:
    trees = own(tmp_path, triple="riscv64-linux-gnu")
    assert target("riscv64-linux-musl", trees).linux_arch == "own"


def test_a_typing_error_gets_a_suggestion() -> None:
    with pytest.raises(QuardError) as caught:
        target("riscv64-linux-gun")
    assert caught.value.reason == "unknown-target"
    assert caught.value.hint == "did you mean 'riscv64-linux-gnu'?"
    assert "riscv64-linux-musl" in caught.value.detail


@pytest.mark.parametrize("triple", ["m68k-elf", "", "../boards/x-linux-gnu", "riscv64-linux-gnu\n"])
def test_what_is_no_target_says_where_to_add_it(triple: str, tmp_path: Path) -> None:
    with pytest.raises(QuardError) as caught:
        target(triple, Trees(tmp_path))
    assert caught.value.reason == "unknown-target"


def test_a_file_with_a_name_that_is_no_triple_is_no_target(tmp_path: Path) -> None:
    with pytest.raises(QuardError) as caught:
        target("m68k-elf", own(tmp_path, triple="m68k-elf"))
    assert caught.value.reason == "unknown-target"


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ('linux_arch = "own"', "", "linux_arch is missing"),
        ('linux_arch = "own"', 'linux_ach = "own"', "linux_arch is missing"),
        ('linux_arch = "own"', 'linux_arch = "o w"', "linux_arch must be of the form"),
        ('gdb = "own:64"', "gdb = 64", "gdb must be a string"),
        ('"/lib/ld-own.so.1"', '"lib/ld-own.so.1"', "loader must be of the form"),
        ('"/lib/ld-own.so.1"', '"/lib/ld.so.1"\nflags = "-O2; x"', "flags must be of the form"),
        ('"EM_RISCV"', '"riscv"', "elf.machine must be of the form"),
        ("bits = 64", "bits = 16", "elf.bits must be 32 or 64"),
        ('order = "big"', 'order = "middle"', "elf.order must be one of little, big"),
        ("flags_mask = 6", "flags_mask = 0x100000000", "elf.flags_mask must be a number of 32"),
        ("flags = 4", "flags = 8", "elf.flags has bits that flags_mask has not: 0x8"),
        ("flags = 4", "flags = 4\nclass = 3", "unknown key elf.class"),
        ("openssl.target =", "openssl.Target =", "words.openssl.Target must have a name"),
        ('"linux-own"', '"linux own"', "words.openssl.target must be of the form"),
        ("openssl.target =", "openssl =", "words.openssl must be a table"),
    ],
)
def test_a_wrong_value_is_refused_with_file_and_key(
    old: str, new: str, where: str, tmp_path: Path
) -> None:
    assert old in WHOLE
    error = refused(tmp_path, WHOLE.replace(old, new))
    assert error.message.startswith(f"product:configs/targets/own-linux-gnu.toml: {where}")


def test_a_file_that_is_no_toml_is_refused(tmp_path: Path) -> None:
    assert "is not valid TOML" in refused(tmp_path, "summary = ").message


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
    assert re.search(rf"Class:\s+ELF{facts.elf.bits}\n", shown)
    assert f"{facts.elf.order} endian" in shown
    flags = re.search(r"Flags:\s+(0x[0-9a-f]+)", shown)
    assert flags is not None
    mask, value = facts.elf.flags
    assert int(flags.group(1), 16) & mask == value
    assert re.search(r"Machine:\s+RISC-V", shown)
    assert facts.elf.machine == "EM_RISCV"
