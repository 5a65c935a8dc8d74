"""The pinned tools of a project, for one board and this machine."""

from __future__ import annotations

import dataclasses
import os
import shutil
from pathlib import Path

import pytest
from plan_parts import configuration
from tool_parts import locked

from quard.base.errors import QuardError
from quard.base.programs import Programs
from quard.boards.configuration import BoardToolchain
from quard.boards.targets import target
from quard.process.stop import Stop
from quard.target import Target
from quard.tools import listing, lockfile, names
from quard.tools.choice import for_build, links
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
    glibc = of(project, target("riscv64-linux-gnu"))
    musl = of(project, target("riscv64-linux-musl"))
    assert glibc and musl and glibc.identity() == musl.identity()
    bare = dataclasses.replace(target("riscv64-linux-gnu"), tools=())
    with pytest.raises(QuardError) as caught:
        of(project, dataclasses.replace(target("riscv64-linux-musl"), glibc=bare))
    assert "riscv64-linux-gnu.toml names no package with riscv64-linux-gnu-gcc" in (
        caught.value.message
    )


def of(project: Path, chosen: Target, beside: Path | None = None) -> PinnedTools | None:
    """Return the tools for a target; `beside`: the product tree that has it."""
    prefix = f"{chosen.compiler}-"
    board = dataclasses.replace(
        configuration(), target=chosen, toolchain=BoardToolchain(prefix=prefix, folder="")
    )
    programs = Programs(project / f"{chosen.triple}.json")
    made = Roots(project / "cache", no_file, lambda _: None, Stop())
    return find(project, board, project / "cache", lambda: made, programs, beside)


def of_product(*packages: str) -> Target:
    """Return a target of a product tree, with the packages of its cross compiler."""
    triple = "sh4-linux-gnu"
    file = f"acme:configs/targets/{triple}.toml"
    return dataclasses.replace(
        target("riscv64-linux-gnu"), triple=triple, file=file, tools=tuple(sorted(packages))
    )


def test_target_of_a_product_whose_packages_are_in_the_lock_uses_it(
    project: Path, tmp_path: Path
) -> None:
    usual = target("riscv64-linux-gnu")
    found, same = of(project, of_product(*usual.tools), tmp_path / "acme"), of(project, usual)
    assert found and same and found.identity() == same.identity()


def test_target_of_a_product_uses_the_lock_of_its_tree(project: Path, tmp_path: Path) -> None:
    acme = tmp_path / "acme"
    machine = lockfile.MACHINES[os.uname().machine]
    name = lockfile.name(names.load(project).release, machine)
    with pytest.raises(QuardError) as caught:
        of(project, of_product("gcc-sh4-linux-gnu"), acme)
    error = caught.value
    assert error.reason == "tools-unavailable"
    text = f"{name} does not have gcc-sh4-linux-gnu, which acme:configs/targets/sh4-linux-gnu.toml"
    assert text in error.message
    assert "names; ./scons tools-update in the folder of acme writes a lock" in error.message

    (acme / FOLDER).mkdir(parents=True)
    with pytest.raises(QuardError, match=f"there is no acme:{name}"):
        of(project, of_product("gcc-sh4-linux-gnu"), acme)

    lock = lockfile.read(project, names.load(project).release, machine)
    more = {"gcc-sh4-linux-gnu": locked("gcc-sh4-linux-gnu")}
    written = dataclasses.replace(lock, packages={**lock.packages, **more})
    (acme / name).write_text(lockfile.text(written))
    found = of(project, of_product("gcc-sh4-linux-gnu"), acme)
    assert found
    first = found.identity()
    more = {"gcc-sh4-linux-gnu": locked("gcc-sh4-linux-gnu", sha256="1" * 64)}
    written = dataclasses.replace(lock, packages={**lock.packages, **more})
    (acme / name).write_text(lockfile.text(written))
    again = of(project, of_product("gcc-sh4-linux-gnu"), acme)
    assert again and again.identity() != first

    with pytest.raises(QuardError) as caught:
        of(project, of_product("gcc-sh4-linux-gnu", "g++-sh4-linux-gnu"), acme)
    assert caught.value.reason == "bad-tools"
    assert caught.value.message.startswith(f"acme:{name} does not have g++-sh4-linux-gnu, which")


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
    riscv = target("riscv64-linux-gnu")
    found = names.load(project, {riscv.triple: riscv.tools})
    lock = lockfile.load(project, found, lockfile.MACHINES[os.uname().machine])
    packages = for_build(found, lock, "riscv64-linux-gnu", ("bc",), found.menuconfig)
    roots = Roots(project / "cache", no_file, lambda _: None, Stop())
    place = roots.place(packages, links(found, packages))
    make_empty(place)
    chosen = tools(project)
    assert chosen is not None
    assert chosen.editor(("bc",)).folder == place
