"""Folders handed over to the user who builds in them, and commands run as that user."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sandbox_parts import Place

from quard.process.builduser import BuildUser
from quard.process.sandbox import Sandbox

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
USER = BuildUser(65534, 65534)


@pytest.fixture
def place() -> Iterator[Place]:
    """Folders that every user can reach."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        Path(name).chmod(0o755)
        found = Place(Path(name), "none")
        found.box = Sandbox(mode="none", work=found.work, user=USER)
        yield found


def test_commands_run_as_the_user_and_write_where_builds_do_and_nowhere_else(place: Place) -> None:
    (place.work.src / "deep").mkdir()
    (place.work.src / "deep/file").write_text("")
    (place.work.src / "link").symlink_to("/etc/passwd")
    place.box.hand_over(fresh=True)
    assert place.sh("id -u; id -g; id -G").split() == ["65534", "65534", "65534"]
    for folder in ("src", "src/deep", "stage", "home"):
        place.sh(f"echo x >'{place.work.root}/{folder}/new'")
    place.sh(f"echo x >'{place.work.src}/deep/file'")
    for path in (place.work.root, place.work.sysroot, place.work.files, place.work.tools, "/etc"):
        status, text = place.run("bash", "-c", f"echo x >'{path}/pwned'")
        assert status != 0 and "Permission denied" in text, path
    assert Path("/etc/passwd").stat().st_uid == 0
    assert os.lstat(place.work.src / "link").st_uid == USER.uid


def test_a_command_on_the_terminal_runs_as_the_user_too(place: Place) -> None:
    place.box.hand_over(fresh=True)
    with (place.work.root / "log").open("wb") as log:
        status = place.box.run(("touch", "made"), place.env, log, foreground=True)
    assert status == 0
    assert (place.work.src / "made").stat().st_uid == USER.uid


def test_of_a_folder_that_was_built_in_only_what_is_ours_is_handed_over(place: Place) -> None:
    place.box.hand_over(fresh=True)
    outside = place.work.root / "outside"
    outside.write_text("")
    os.link(outside, place.work.src / "linked")
    (place.work.src / "new").write_text("")
    place.box.hand_over()
    assert (place.work.src / "new").stat().st_uid == USER.uid
    assert outside.stat().st_uid == 0


def test_the_links_of_a_fresh_source_are_handed_over(place: Place) -> None:
    (place.work.src / "one").write_text("")
    os.link(place.work.src / "one", place.work.src / "two")
    place.box.hand_over(fresh=True)
    assert (place.work.src / "two").stat().st_uid == USER.uid


def test_without_another_user_nothing_is_handed_over(place: Place) -> None:
    box = Sandbox(mode="none", work=place.work)
    box.hand_over(fresh=True)
    assert place.work.src.stat().st_uid == 0
