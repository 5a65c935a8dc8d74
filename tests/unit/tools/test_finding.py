"""The pinned tools of a project, for one board and this machine."""

from __future__ import annotations

import dataclasses
import os
import shutil
from pathlib import Path

import pytest
from plan_parts import configuration

from quard.base.errors import QuardError
from quard.base.programs import Programs
from quard.boards.configuration import BoardToolchain
from quard.process.stop import Stop
from quard.tools import lockfile, names
from quard.tools.finding import find
from quard.tools.lock import LockedPackage
from quard.tools.pinned import PinnedTools
from quard.tools.place import FOLDER
from quard.tools.roots import Roots

PROJECT = Path(__file__).resolve().parents[3]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    shutil.copytree(PROJECT / FOLDER, tmp_path / FOLDER)
    return tmp_path


def no_file(package: LockedPackage) -> Path:
    raise AssertionError(f"{package.name} is not to be fetched")


def tools(project: Path, compiler: BoardToolchain | None = None) -> PinnedTools | None:
    board = configuration()
    board = dataclasses.replace(board, toolchain=compiler or board.toolchain)

    def roots() -> Roots:
        return Roots(project / "cache", no_file, lambda _: None, Stop())

    return find(project, board, roots, Programs(project / "programs.json"))


def unavailable(project: Path, compiler: BoardToolchain | None = None) -> str:
    with pytest.raises(QuardError) as caught:
        tools(project, compiler)
    assert caught.value.reason == "tools-unavailable"
    return caught.value.message


def test_project_without_names_has_none(tmp_path: Path) -> None:
    assert tools(tmp_path) is None


def test_board_with_a_compiler_of_its_own_uses_none(project: Path) -> None:
    own = BoardToolchain(prefix="riscv64-linux-gnu-", folder="/opt/x")
    assert "/opt/x" in unavailable(project, own)
    other = BoardToolchain(prefix="riscv64-other-", folder="")
    assert "riscv64-other-gcc" in unavailable(project, other)


def test_machine_that_has_no_lock_uses_none(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = lockfile.MACHINES[os.uname().machine]
    (project / lockfile.name(names.load(project).release, machine)).unlink()
    assert "there is no " in unavailable(project)
    monkeypatch.setattr(lockfile, "MACHINES", {})
    assert os.uname().machine in unavailable(project)


def test_second_run_has_the_identities_without_reading_the_lock(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = tools(project)
    assert first is not None
    wanted = [first.identity(), first.identity(("cmake",)), first.tool_identity("mke2fs")]
    assert all(text.startswith("pinned ") for text in wanted)
    assert len({first.identity(("python3",)), *wanted}) == 4
    assert first.tool_identity("no-such-program") == ""

    monkeypatch.setattr(lockfile, "load", None)
    second = tools(project)
    assert second is not None
    found = [second.identity(), second.identity(("cmake",)), second.tool_identity("mke2fs")]
    assert found == wanted
    assert second.tool_identity("no-such-program") == ""


def test_changed_lock_is_read_again_and_changes_what_can_see_the_change(project: Path) -> None:
    first = tools(project)
    assert first is not None
    common, python, mke2fs = (
        first.identity(),
        first.identity(("python3",)),
        first.tool_identity("mke2fs"),
    )
    machine = lockfile.MACHINES[os.uname().machine]
    path = project / lockfile.name(names.load(project).release, machine)
    text = path.read_text()
    sha256 = lockfile.load(project, names.load(project), machine).packages["python3-jinja2"].sha256
    path.write_text(text.replace(sha256, "0" * 64))
    second = tools(project)
    assert second is not None
    assert second.identity(("python3",)) != python
    assert (second.identity(), second.tool_identity("mke2fs")) == (common, mke2fs)


def test_program_that_no_package_has_is_not_started(project: Path) -> None:
    found = tools(project)
    assert found is not None
    assert found.start_tool("no-such-program") == ()
