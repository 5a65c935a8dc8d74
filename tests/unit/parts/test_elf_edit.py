"""Dynamic entries are removed from real files, and nothing else changes."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from elf_parts import ADDRESS, gcc, shared_library

from quard.parts import elf, elf_edit

USER = 65534


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shared_library(tmp_path_factory.mktemp("library"))


def test_rpath_is_removed_and_nothing_else(tmp_path: Path, library: Path) -> None:
    copy = Path(shutil.copy(library, tmp_path))
    elf_edit.remove_rpath(copy)
    before, after = elf.read(library), elf.read(copy)
    assert after.runpath is None
    assert (after.needed, after.soname, after.flags_0) == (
        before.needed, before.soname, before.flags_0
    )  # fmt: skip
    assert after.sections == before.sections
    assert elf.symbols(copy) == elf.symbols(library)
    text = subprocess.run(
        ["riscv64-linux-gnu-readelf", "--dynamic", "--wide", copy],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "RUNPATH" not in text.stdout
    assert "(NULL)" in text.stdout
    assert text.stderr == ""


def as_user(work: Callable[[], object]) -> None:
    """Do something as an ordinary user, which the tests may be."""
    child = os.fork()
    if child == 0:
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setresgid(USER, USER, USER)
                os.setresuid(USER, USER, USER)
            work()
        except BaseException:
            os._exit(1)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_setuid_outlives_the_removal_of_an_rpath(library: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(shutil.copy(library, folder))
        for path in (Path(folder), copy):
            os.chown(path, USER if os.geteuid() == 0 else -1, -1)
        copy.chmod(0o4755)
        as_user(lambda: elf_edit.remove_rpath(copy))
        assert elf.read(copy).runpath is None
        assert stat.S_IMODE(copy.stat().st_mode) == 0o4755


def test_the_mark_of_text_relocations_is_removed_and_nothing_else(tmp_path: Path) -> None:
    marked = gcc(tmp_path, ADDRESS.format(".text", "ax"), "-shared", "-fPIC", "-Wl,-z,notext")
    marked.chmod(0o4755)
    before = elf.read(marked)
    elf_edit.remove_textrel(marked)
    after = elf.read(marked)
    assert before.marked_textrel
    assert not after.marked_textrel
    assert after.flags_0 == before.flags_0 & ~4, "DF_TEXTREL"
    assert (after.needed, after.relro, after.sections) == (
        before.needed,
        before.relro,
        before.sections,
    )
    assert stat.S_IMODE(marked.stat().st_mode) == 0o4755
    shown = subprocess.run(
        ("riscv64-linux-gnu-readelf", "-dW", str(marked)),
        capture_output=True,
        text=True,
        check=True,
    )
    assert "TEXTREL" not in shown.stdout
