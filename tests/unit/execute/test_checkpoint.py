"""The list of a folder that is about to be installed from, and bringing the folder back to it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from quard.base.files import FileRef
from quard.execute import checkpoint
from quard.plan.plan import CopyStep, KconfigStep, Plan, RunStep
from quard.process.sandbox import Work

BASE = "a" * 64
MAKE = RunStep("build", ("make",))
INSTALL = RunStep("install", ("make", "install"))
PLAN = Plan(name="x", version="1", triple="riscv64-linux-gnu", steps=(MAKE, INSTALL))


@pytest.fixture
def work(tmp_path: Path) -> Work:
    found = Work(tmp_path / "work")
    found.make()
    (found.src / "folder").mkdir()
    (found.src / "folder/file").write_text("content")
    (found.src / "link").symlink_to("folder/file")
    (found.root / "log").write_text("compiled\n")
    os.utime(found.src / "folder", ns=(1, 1))
    checkpoint.note(found, PLAN, BASE, found.root / "log")
    return found


def test_a_folder_that_is_as_it_was_gives_what_had_been_printed(work: Work) -> None:
    assert checkpoint.restore(work, BASE) == b"compiled\n"
    assert checkpoint.restore(work, BASE) == b"compiled\n"
    assert checkpoint.restore(work, "b" * 64) is None


def test_what_has_come_goes_and_folders_have_their_times_again(work: Work) -> None:
    (work.src / "folder/new").write_text("")
    (work.src / "deep/er").mkdir(parents=True)
    (work.src / "deep/er/link").symlink_to("/etc")
    (work.src / "deep/er").chmod(0o500)
    (work.home / ".cache").touch()
    assert checkpoint.restore(work, BASE) is not None
    assert sorted(path.name for path in work.src.rglob("*")) == ["file", "folder", "link"]
    assert list(work.home.iterdir()) == []
    assert (work.src / "folder").stat().st_mtime_ns == 1
    assert Path("/etc").is_dir()


def test_a_file_that_was_moved_away_and_back_is_the_same(work: Work) -> None:
    (work.src / "folder/file").rename(work.src / "aside")
    (work.src / "aside").rename(work.src / "folder/file")
    assert checkpoint.restore(work, BASE) is not None


def replace(work: Work) -> None:
    (work.src / "folder/new").write_text("content")
    status = (work.src / "folder/file").stat()
    os.utime(work.src / "folder/new", ns=(status.st_mtime_ns, status.st_mtime_ns))
    (work.src / "folder/new").rename(work.src / "folder/file")


def turn(work: Work) -> None:
    (work.src / "link").unlink()
    (work.src / "link").symlink_to("folder")


CHANGES: dict[str, Callable[[Work], object]] = {
    "content of the same size": lambda work: (work.src / "folder/file").write_text("CONTENT"),
    "another file with the same time": replace,
    "mode": lambda work: (work.src / "folder/file").chmod(0o755),
    "mode of a folder": lambda work: (work.src / "folder").chmod(0o700),
    "removed": lambda work: (work.src / "folder/file").unlink(),
    "link": turn,
    "sysroot": lambda work: work.sysroot.rmdir(),
    "accounts": lambda work: work.etc.rename(work.root / "other"),
    "log": lambda work: (work.root / "compiled.log").unlink(),
    "list": lambda work: (work.root / "compiled.json").write_text("{}"),
    "forgotten": lambda work: checkpoint.forget(work.root),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_anything_else_has_the_build_start_from_nothing(
    work: Work, change: Callable[[Work], object]
) -> None:
    change(work)
    try:
        assert checkpoint.restore(work, BASE) is None
    except FileNotFoundError:
        pytest.fail("a folder that is gone is not an error of ours")


@pytest.mark.parametrize(
    ("steps", "staged"),
    [((INSTALL,), False), ((MAKE, INSTALL), True)],
    ids=["nothing made", "staged"],
)
def test_nothing_is_listed_where_there_is_nothing_to_go_on_from(
    tmp_path: Path, steps: tuple[RunStep, ...], staged: bool
) -> None:
    work = Work(tmp_path / "work")
    work.make()
    (work.root / "log").touch()
    if staged:
        (work.stage / "early").touch()
    plan = Plan(name="x", version="1", triple="t", steps=steps)
    checkpoint.note(work, plan, BASE, work.root / "log")
    assert not checkpoint.noted(work.root)


def base(plan: Plan) -> str:
    depends = {"plan": plan.as_json(), "toolchain": "t"}
    return checkpoint.base(depends, plan, None)


def test_the_base_is_what_is_before_the_installation() -> None:
    copy = CopyStep("install", "{files}/a", "etc/a", "0644")
    end = Plan(
        name="x",
        version="1",
        triple=PLAN.triple,
        steps=(MAKE, copy),
        files=(FileRef("a", "1"),),
        drop=("y",),
        parts=(("libs", ("z",)),),
        deploys=True,
        licenses=("COPYING",),
    )
    assert base(end) == base(PLAN)
    early = RunStep("build", ("make", "{files}/a"))
    named = Plan(
        name="x", version="1", triple=PLAN.triple, steps=(early,), files=(FileRef("a", "1"),)
    )
    other = Plan(
        name="x", version="1", triple=PLAN.triple, steps=(early,), files=(FileRef("a", "2"),)
    )
    assert len({base(PLAN), base(named), base(other)}) == 3
    assert checkpoint.base({"plan": PLAN.as_json(), "toolchain": "u"}, PLAN, None) != base(PLAN)
    assert checkpoint.base({"plan": PLAN.as_json()}, PLAN, Path("/x")) != base(PLAN)


@pytest.mark.parametrize(
    ("late", "listed"),
    [
        (CopyStep("install", "Image", "boot/Image", "0644"), False),
        (RunStep("install", ("make", "modules_install"), modular=True), False),
        (RunStep("install", ("make", "install")), True),
    ],
)
def test_kbuilds_folders_are_listed_for_commands_of_the_recipe_alone(
    tmp_path: Path, late: CopyStep | RunStep, listed: bool
) -> None:
    work = Work(tmp_path / "work")
    work.make()
    (work.root / "log").touch()
    config = KconfigStep("configure", ("make",), "defconfig", "olddefconfig", (), ())
    plan = Plan(name="linux", version="1", triple="t", steps=(config, MAKE, late))
    checkpoint.note(work, plan, BASE, work.root / "log")
    (work.tools / "gone").touch()
    (work.src / "new").touch()
    assert checkpoint.restore(work, BASE) == b""
    assert (work.src / "new").exists() is not listed


@pytest.mark.skipif(os.getuid() == 0, reason="root may look into every folder")
def test_a_folder_that_cannot_be_read_is_removed_if_it_is_new(work: Work) -> None:
    (work.src / "new/inner").mkdir(parents=True)
    (work.src / "new").chmod(0)
    assert checkpoint.restore(work, BASE) is not None
    assert not (work.src / "new").exists()


@pytest.mark.skipif(os.getuid() == 0, reason="root may look into every folder")
def test_a_folder_that_could_not_be_read_before_leaves_no_list(work: Work) -> None:
    checkpoint.forget(work.root)
    (work.src / "folder").chmod(0)
    checkpoint.note(work, PLAN, BASE, work.root / "log")
    (work.src / "folder").chmod(0o755)
    assert not checkpoint.noted(work.root)
