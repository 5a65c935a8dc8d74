"""Settings that change how a build is run, and runs that meet or are cut off."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sleepers import own, sleeping
from waiting import within

from incremental.conftest import GREET_C, GREET_H
from incremental.project import Project


def tree(project: Project, value: int) -> Path:
    """Make a local source tree of the library."""
    folder = project.folder.parent / "greet-checkout"
    folder.mkdir(exist_ok=True)
    (folder / "COPYING").write_text("MIT\n")
    (folder / "greet.h").write_text(GREET_H)
    (folder / "greet.c").write_text(GREET_C.replace("return 42", f"return {value}"))
    (folder / "Makefile").write_text(
        "libgreet.so.1: greet.c greet.h\n"
        "\t$(CC) $(CFLAGS) -fPIC -shared -Wl,-soname,libgreet.so.1 -o $@ greet.c\n"
    )
    return folder


def test_an_override_is_built_from_the_local_tree_and_stays_out_of_the_cache(
    greeting: Project,
) -> None:
    greeting.run()
    plain = greeting.image()
    cached = {path.name for path in (greeting.cache / "store/ac").rglob("*.json")}
    folder = tree(greeting, 7)
    ran = greeting.run(f"override.greet={folder}")
    assert ran.status == 0, ran.text
    assert ran.built == ["greet"]
    assert ran.summary["built"][0]["why"][0].startswith("built from a local")
    assert {path.name for path in (greeting.cache / "store/ac").rglob("*.json")} == cached
    assert greeting.run(f"override.greet={folder}").built == []
    tree(greeting, 8)
    assert greeting.run(f"override.greet={folder}").built == ["greet"]
    back = greeting.run()
    assert back.built == [] and back.summary["restored"] == ["greet"]
    assert greeting.image() == plain


def test_an_override_that_is_no_folder_is_refused(greeting: Project) -> None:
    ran = greeting.run("override.greet=/nowhere/at/all")
    assert ran.status == 2
    assert "reason: bad-setting" in ran.err and "/nowhere/at/all" in ran.err


def test_without_the_sandbox_the_result_is_the_same_and_stays_out_of_the_cache(
    greeting: Project,
) -> None:
    greeting.run()
    sealed = greeting.image()
    shutil.rmtree(greeting.folder / "out")
    greeting.cache = greeting.cache.with_name("other-cache")
    ran = greeting.run("sandbox.mode=none")
    assert ran.status == 0, ran.text
    assert ran.out.count("warning: builds are not sealed") == 1
    assert greeting.image() == sealed
    assert not list((greeting.cache / "store").rglob("ac/**/*.json"))


def test_make_a_package_anew_by_name(greeting: Project) -> None:
    greeting.run()
    ran = greeting.run("alone-rebuild")
    assert ran.status == 0, ran.text
    assert ran.built == ["alone"]
    assert ran.summary["built"][0]["why"] == ["requested by name"]


def test_one_package_by_name_builds_what_it_needs_and_no_image(greeting: Project) -> None:
    ran = greeting.run("hello")
    assert ran.status == 0, ran.text
    assert ran.built == ["greet", "hello"]
    assert not (greeting.folder / "out/tiny/images").exists()


def test_source_fetches_everything_and_then_the_build_works_offline(greeting: Project) -> None:
    fetched = greeting.run("source")
    assert fetched.status == 0, fetched.text
    assert fetched.built == []
    shutil.rmtree(greeting.sources)
    ran = greeting.run("sources.offline=true")
    assert ran.status == 0, ran.text
    assert ran.built == ["alone", "greet", "hello", "libc"]


def test_cleaning_removes_the_results_and_the_next_build_restores_them(greeting: Project) -> None:
    greeting.run()
    before = greeting.image()
    assert greeting.run("-c").status == 0
    assert not (greeting.folder / "out/tiny/images/rootfs.tar").exists()
    ran = greeting.run()
    assert ran.built == [] and ran.summary["restored"] == ["alone", "greet", "hello", "libc"]
    assert greeting.image() == before


def start(project: Project, *arguments: str) -> subprocess.Popen[str]:
    """Start SCons without waiting for it, as the leader of a process group."""
    return subprocess.Popen(
        project.command(*arguments),
        cwd=project.folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


SLOW = "int main(void) { return 0; }\n"


def slow(project: Project, seconds: float | str) -> None:
    """Add a package whose build takes a while and tells so by a file in its source."""
    project.program("slow", SLOW)
    makefile = f"slow: slow.c\n\tsleep {seconds}\n\t$(CC) -o $@ slow.c\n"
    project.source("slow", {"Makefile": makefile, "slow.c": SLOW})
    project.board(["alone", "libc", "slow"])


def wait_until_building(project: Project) -> None:
    begun = project.folder / "out/tiny/work/slow/src/Makefile"
    assert within(60, begun.exists), "the slow package never began"


def test_a_second_build_in_the_same_tree_waits_for_the_first(greeting: Project) -> None:
    slow(greeting, 10)
    first = start(greeting)
    wait_until_building(greeting)
    second = greeting.run()
    out, _ = first.communicate(timeout=60)
    assert first.returncode == 0, out
    assert second.status == 0, second.text
    assert f"waiting for another build in this tree (process {first.pid})" in second.out
    assert second.built == []


def test_a_killed_build_leaves_nothing_that_the_next_one_trusts(greeting: Project) -> None:
    slow(greeting, 20)
    first = start(greeting)
    wait_until_building(greeting)
    os.killpg(first.pid, signal.SIGKILL)
    first.communicate(timeout=60)
    slow(greeting, 0)
    ran = greeting.run()
    assert ran.status == 0, ran.text
    assert "slow" in ran.built
    assert not list((greeting.folder / "out").rglob("*.part"))
    clean = greeting.image()
    shutil.rmtree(greeting.folder / "out")
    greeting.cache = greeting.cache.with_name("other-cache")
    greeting.run()
    assert greeting.image() == clean


def test_ctrl_c_ends_the_build_and_its_children_at_once(greeting: Project) -> None:
    seconds = own(60)
    slow(greeting, seconds)
    first = start(greeting)
    wait_until_building(greeting)
    os.killpg(first.pid, signal.SIGINT)
    out, _ = first.communicate(timeout=30)
    assert first.returncode != 0
    assert "Traceback" not in out, out
    assert not sleeping(seconds)


def test_a_damaged_signature_file_costs_no_more_than_a_look_at_the_store(
    greeting: Project,
) -> None:
    greeting.run()
    before = greeting.image()
    path = greeting.folder / "out/sconsign.dblite"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    ran = greeting.run()
    assert ran.status == 0, ran.text
    assert ran.built == []
    assert greeting.image() == before


def intruding(project: Project, place: Path) -> None:
    """Add a package whose makefile writes outside of its folder, where only root may."""
    makefile = f"in: in.c\n\techo x >{place}/pwned || echo refused\n\t$(CC) -o $@ in.c\n"
    project.program("in", SLOW)
    project.source("in", {"Makefile": makefile, "in.c": SLOW})


@pytest.fixture
def reachable() -> Iterator[Path]:
    """A folder that every user can reach, as pytest's own are not."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can write anywhere")
def test_root_builds_unsealed_as_a_user_who_cannot_write_anywhere(reachable: Path) -> None:
    place = reachable / "of-root"
    place.mkdir()
    project = Project(reachable / "project")
    intruding(project, place)
    ran = project.run("in", "sandbox.mode=none")
    assert ran.status == 0, ran.text
    assert ran.built == ["in"] and "as root" not in ran.out
    assert "refused" in (project.folder / "out/tiny/logs/in.log").read_text()
    assert not list(place.iterdir())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can write anywhere")
def test_where_no_other_user_can_build_it_is_said_that_root_does(project: Project) -> None:
    """The folder of the test can be reached by its owner only."""
    project.program("alone", SLOW)
    ran = project.run("alone", "sandbox.mode=none")
    assert ran.status == 0, ran.text
    work = project.folder / "out/tiny/work"
    told = f"they run as root, and can write anywhere on it (the user nobody cannot use {work} or"
    assert ran.out.count(told) == 1
