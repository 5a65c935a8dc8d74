"""The identity of the tools that make file systems."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from quard.base.programs import Programs
from quard.image import tools


def memory(folder: Path) -> Programs:
    return Programs(folder / "memory.json")


@pytest.mark.parametrize("name", tools.PACKAGES)
def test_each_tool_has_an_identity_that_stays(name: str, tmp_path: Path) -> None:
    found = tools.identity(name, memory(tmp_path))
    assert found
    assert tools.identity(name, memory(tmp_path)) == found


def test_different_tools_have_different_identities(tmp_path: Path) -> None:
    found = {tools.identity(name, memory(tmp_path)) for name in tools.PACKAGES}
    assert len(found) == len(tools.PACKAGES)


def test_the_second_look_starts_no_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = tools.identity("tar2sqfs", memory(tmp_path))
    monkeypatch.setattr(subprocess, "run", None)
    assert tools.identity("tar2sqfs", memory(tmp_path)) == found


def test_the_libraries_of_a_tool_are_part_of_its_identity() -> None:
    program = tools.find("tar2sqfs")
    assert program is not None
    names = [Path(path).name for path in tools.libraries(program)]
    assert any(name.startswith("libsquashfs.so") for name in names)
    assert any(name.startswith("libzstd.so") for name in names)
    assert any(name.startswith("ld-linux") for name in names)


def test_a_changed_tool_has_another_identity(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = tools.identity("mke2fs", memory(tmp_path))
    monkeypatch.setattr(tools, "SEARCH", str(tmp_path / "bin"))
    assert tools.identity("mke2fs", memory(tmp_path)) == ""
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin/mke2fs"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    script = tools.identity("mke2fs", memory(tmp_path))
    program.write_text("#!/bin/sh\nexit 1\n")
    assert len({real, script, tools.identity("mke2fs", memory(tmp_path))}) == 3


def test_the_same_tool_elsewhere_has_the_same_identity(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tools.find("mke2fs")
    assert program is not None
    found = tools.identity("mke2fs", memory(tmp_path))
    (tmp_path / "bin").mkdir()
    shutil.copy(program, tmp_path / "bin/mke2fs")
    shutil.copy(tools.find("ldd") or "", tmp_path / "bin/ldd")
    monkeypatch.setattr(tools, "SEARCH", f"{tmp_path}/bin:{tools.SEARCH}")
    assert tools.identity("mke2fs", memory(tmp_path)) == found


def test_libraries_that_ldd_could_not_name_are_looked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = tools.identity("mke2fs", memory(tmp_path / "one"))
    plain = tools.find
    monkeypatch.setattr(tools, "find", lambda name: None if name == "ldd" else plain(name))
    assert tools.identity("mke2fs", memory(tmp_path / "two")) != whole
    monkeypatch.setattr(tools, "find", plain)
    assert tools.identity("mke2fs", memory(tmp_path / "two")) == whole
