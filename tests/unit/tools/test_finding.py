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
from quard.boards.targets import target
from quard.process.stop import Stop
from quard.tools import listing, lockfile, names
from quard.tools.choice import for_build, links
from quard.tools.finding import find
from quard.tools.lock import LockedPackage
from quard.tools.pinned import PinnedTools
from quard.tools.place import FILE, FOLDER
from quard.tools.roots import Roots

PROJECT = Path(__file__).resolve().parents[3]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    shutil.copytree(PROJECT / FOLDER, tmp_path / FOLDER)
    return tmp_path


def no_file(package: LockedPackage) -> Path:
    raise AssertionError(f"{package.name} is not to be fetched")


def tools(
    project: Path, compiler: BoardToolchain | None = None, at: Path | None = None
) -> PinnedTools | None:
    board, cache = configuration(), at or project / "cache"
    board = dataclasses.replace(board, toolchain=compiler or board.toolchain)

    def roots() -> Roots:
        return Roots(cache, no_file, lambda _: None, Stop())

    return find(project, board, cache, roots, Programs(project / "programs.json"))


def unavailable(
    project: Path, compiler: BoardToolchain | None = None, at: Path | None = None
) -> str:
    with pytest.raises(QuardError) as caught:
        tools(project, compiler, at)
    assert caught.value.reason == "tools-unavailable"
    return caught.value.message


def test_project_without_names_has_none(tmp_path: Path) -> None:
    assert tools(tmp_path) is None


def test_board_with_a_compiler_of_its_own_uses_none(project: Path) -> None:
    own = BoardToolchain(prefix="riscv64-linux-gnu-", folder="/opt/x")
    assert "/opt/x" in unavailable(project, own)
    other = BoardToolchain(prefix="riscv64-other-", folder="")
    assert "riscv64-other-gcc" in unavailable(project, other)


def test_board_with_musl_sees_the_compiler_for_glibc_and_is_refused_without_it(
    project: Path,
) -> None:
    def of(triple: str) -> PinnedTools | None:
        board = dataclasses.replace(configuration(), target=target(triple))
        programs = Programs(project / f"{triple}.json")
        return find(project, board, project / "cache", lambda: made, programs)

    made = Roots(project / "cache", no_file, lambda _: None, Stop())
    glibc, musl = of("riscv64-linux-gnu"), of("riscv64-linux-musl")
    assert glibc and musl and glibc.identity() == musl.identity()
    file = project / FILE
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(line for line in lines if not line.startswith("riscv64-linux-gnu")))
    with pytest.raises(QuardError) as caught:
        of("riscv64-linux-musl")
    assert "has no cross compiler riscv64-linux-gnu-gcc" in caught.value.message


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


@pytest.mark.parametrize("name", ["a:b", "a;b", "$ORIGIN", "two\nlines"])
def test_cache_whose_path_the_dynamic_loader_would_split_is_not_used(
    project: Path, name: str
) -> None:
    special = project / name
    special.mkdir()
    assert repr(str(special)) in unavailable(project, at=special)
    behind = project / "behind"
    behind.symlink_to(special)
    assert repr(str(special)) in unavailable(project, at=behind)


@pytest.mark.parametrize("name", ["a b", "a'b", 'a"b', "a,b", "a\\b", "%", "ä"])
def test_other_characters_are_allowed_in_the_path_of_the_cache(project: Path, name: str) -> None:
    assert tools(project, at=project / name) is not None


def test_what_an_editor_leaves_beside_the_names_is_ignored(project: Path) -> None:
    before = tools(project)
    (project / FOLDER / ".#names.toml").symlink_to("user@machine.1:2")
    (project / FOLDER / "backup").mkdir()
    after = tools(project)
    assert before is not None and after is not None
    assert after.identity() == before.identity()


def make_empty(root: Path) -> None:
    """Make a root without files in it."""
    root.mkdir(parents=True)
    listing.write(root, root, {})


def test_program_that_is_missing_from_its_root_is_an_error(project: Path) -> None:
    """The machine's own one would make a file under the key of the pinned one."""
    machine = lockfile.MACHINES[os.uname().machine]
    lock = lockfile.load(project, names.load(project), machine)
    found = tools(project)
    assert found is not None
    roots = Roots(project / "cache", no_file, lambda _: None, Stop())
    make_empty(roots.place(lock.closure(("e2fsprogs",)), {}))
    with pytest.raises(QuardError) as caught:
        found.start_tool("mke2fs")
    assert caught.value.reason == "tool-missing"


def test_kconfig_editor_has_its_own_system_with_ncurses(project: Path) -> None:
    found = names.load(project)
    lock = lockfile.load(project, found, lockfile.MACHINES[os.uname().machine])
    packages = for_build(found, lock, "riscv64-linux-gnu", ("bc",), found.menuconfig)
    roots = Roots(project / "cache", no_file, lambda _: None, Stop())
    place = roots.place(packages, links(found, packages))
    make_empty(place)
    chosen = tools(project)
    assert chosen is not None
    assert chosen.editor(("bc",)).folder == place
