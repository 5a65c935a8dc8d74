"""What a run tells: -n before it, -c after it, -s nothing, and `why` after one that was ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from incremental.project import Project
from incremental.test_modes import slow, start, wait_until_building
from incremental.test_why_verb import (
    added,
    flags,
    inside,
    lost_image,
    lost_result,
    lost_signatures,
    new_symbol,
    overlay,
    refusing,
    removed,
)


def ahead(project: Project, *arguments: str) -> str:
    """Return the part of `why` that looks ahead."""
    ran = project.run("why", *arguments)
    assert ran.status == 0, ran.text
    lines = ran.out.splitlines(keepends=True)
    end = next(i for i, line in enumerate(lines) if line.startswith(("the last", "there has")))
    return "".join(line for line in lines[:end] if ": built from " not in line)


def files(project: Project) -> dict[Path, int]:
    """Return every file of the out folder with its time, but for the lock and what is read."""
    out = project.folder / "out"
    memories = {out / n for n in ("lock", "recipes", "programs.json", "tiny/overlays/rootfs.json")}
    found = (path for path in out.rglob("*") if path.is_file() and path not in memories)
    return {path: path.stat().st_mtime_ns for path in found}


@pytest.mark.parametrize(
    "change",
    [new_symbol, inside, overlay, removed, added, flags, lost_result, lost_image],
    ids=lambda change: change.__name__,
)
def test_a_dry_run_says_what_why_says_and_does_nothing(
    greeting: Project, change: Callable[[Project], None]
) -> None:
    greeting.run()
    assert greeting.run("-n").out == "a build would do nothing\n"
    change(greeting)
    said, before = ahead(greeting), files(greeting)
    dry = greeting.run("-n")
    assert (dry.status, dry.out) == (0, said)
    assert said != "a build would do nothing\n"
    assert files(greeting) == before
    assert greeting.run("-q").status == 1
    greeting.run()
    assert greeting.run("-n").out == "a build would do nothing\n"
    assert greeting.run("-q").status == 0


def test_a_dry_run_knows_that_the_signatures_are_lost(greeting: Project) -> None:
    greeting.run()
    lost_signatures(greeting)
    assert greeting.run("-n").out == ahead(greeting)


def test_a_dry_run_asks_no_address_and_makes_no_cache(greeting: Project) -> None:
    assert greeting.run("-n").out == ahead(greeting)
    assert not greeting.cache.exists()
    assert greeting.run("-n", "source").out == ("sources to fetch\n  alone\n  greet\n  hello\n")
    greeting.run("source")
    assert greeting.run("-n", "source").out == "all sources are in the cache\n"


def test_a_dry_run_of_one_package_is_about_it_and_what_it_needs(greeting: Project) -> None:
    greeting.run()
    inside(greeting)
    overlay(greeting)
    assert greeting.run("-n", "alone").out == "a build would do nothing\n"
    assert greeting.run("-n", "hello").out == ahead(greeting, "hello")
    assert "build  alone  requested by name" in greeting.run("-n", "alone-rebuild").out
    first, *rows = greeting.run("-n", "hello-shell").out.splitlines()
    assert first == "a build would" and [row.split()[:2] for row in rows] == [["build", "greet"]]


def test_results_that_can_be_sealed_now_count_as_changed(
    greeting: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    bubblewrap = refusing(greeting, monkeypatch)
    greeting.run()
    assert greeting.run("-q").status == 0
    bubblewrap.unlink()
    assert greeting.run("-q").status == 1
    assert greeting.run("-n").out == ahead(greeting)


def test_checks_and_measurements_are_not_run_dry(greeting: Project) -> None:
    for verb in ("test", "bench"):
        ran = greeting.run("-n", verb)
        assert (ran.status, ran.out) == (0, f"would run the project's {verb}\n")


def whole(path: Path) -> str:
    """Return the path of a file, or of the folder that is removed with all that is in it."""
    return "/".join(path.parts[:4] if path.parts[2] == "kept" else path.parts)


def test_cleaning_says_what_it_removes_and_what_it_keeps(greeting: Project) -> None:
    greeting.run()
    before = set(files(greeting))
    dry = greeting.run("-c", "-n")
    assert dry.status == 0 and set(files(greeting)) == before
    ran = greeting.run("-c")
    gone = sorted(
        {whole(path.relative_to(greeting.folder)) for path in before - set(files(greeting))}
    )
    told = [line.removeprefix("removed ") for line in ran.out.splitlines()]
    kept = f"{len(gone)} files of out/tiny; work folders, logs and the store are kept"
    assert told == [*gone, kept]
    assert dry.out == ran.out.replace("removed ", "would remove ")
    kinds = {"out/tiny/images/rootfs.tar", "out/tiny/units/alone.json", "out/tiny/kept/rootfs.tar"}
    assert kinds < set(gone)
    again = greeting.run("-c")
    assert again.out == (
        "nothing to remove in out/tiny: work folders, logs and the store are kept\n"
    )
    greeting.run("hello")
    assert "alone" not in greeting.run("-c", "hello").out


def test_a_silent_run_says_nothing_and_answers_what_it_is_asked(greeting: Project) -> None:
    for word in ("-s", "--silent", "--quiet"):
        ran = greeting.run(word)
        assert (ran.status, ran.text) == (0, "")
    assert greeting.run("-s", "list").out == greeting.run("list").out
    greeting.edit("packages/alone/recipe.py", 'version="1"', 'version="2"')
    ran = greeting.run("-s", "sandbox.mode=none")
    assert ran.status == 0 and ran.out == ""
    assert ran.err.startswith("warning: builds are not sealed") and ran.err.count("\n") == 1
    greeting.program("alone", "int main(void) { return }\n")
    ran = greeting.run("-s")
    assert ran.status == 2 and ran.out == ""
    assert "reason: build-failed" in ran.err


def test_after_an_interrupt_why_tells_what_was_cut_off(greeting: Project) -> None:
    slow(greeting, float(f"61.{os.getpid()}"))
    first = start(greeting, "-j1")
    wait_until_building(greeting)
    os.killpg(first.pid, signal.SIGINT)
    first.communicate(timeout=30)
    told = greeting.run("why").out
    assert "did nothing" not in told and "\nthe last build (" in told
    assert " s) was interrupted\n" in told
    assert "  interrupted  " in told and " slow" in told
    assert " was interrupted after " in greeting.run("why", "hello").out


def test_after_a_kill_why_does_not_tell_of_the_build_before(greeting: Project) -> None:
    greeting.run()
    slow(greeting, float(f"62.{os.getpid()}"))
    first = start(greeting)
    wait_until_building(greeting)
    during = greeting.run("why").out
    assert "was killed" not in during
    os.killpg(first.pid, signal.SIGKILL)
    first.communicate(timeout=60)
    told = greeting.run("why").out
    assert told.endswith("the last build was killed before it could report what it did\n")


def test_a_board_in_a_targets_place_is_told_as_such(greeting: Project) -> None:
    greeting.board(["libc"], name="mine")
    ran = greeting.run("mine", board="")
    assert ran.status == 2 and "'mine' is a board, not a target" in ran.err
    assert "hint: ./scons BOARD=mine\n" in ran.err
    assert "hint: ./scons BOARD=mine run\n" in greeting.run("mine", "run", board="").err
    assert "hint: ./scons BOARD=mine why\n" in greeting.run("why", "mine", board="").err


def test_a_feature_is_looked_for_only_where_its_package_is_wanted(greeting: Project) -> None:
    feature = (
        'features=(Feature("greeting", "greets", on=("WITH=1",), off=("WITH=0",),'
        ' needs=("greet",)),),'
    )
    greeting.edit("packages/alone/recipe.py", 'license="MIT",', f'license="MIT",\n    {feature}')
    greeting.edit("packages/alone/recipe.py", "import Install", "import Feature, Install")
    greeting.board(
        ["alone", "libc"], more='[features]\nalone.greeting = "if-available"\n', formats=""
    )
    for path in greeting.sources.glob("greet-*"):
        path.rename(path.with_name("away"))
    ran = greeting.run("libc")
    assert ran.status == 0, ran.text
    assert "greet" not in ran.out
    ran = greeting.run("alone")
    assert ran.out.count("note: alone is built without greeting") == 1
    record = greeting.folder / "out/tiny/availability.json"
    before = record.read_bytes()
    assert "greet" not in greeting.run("libc").out
    assert record.read_bytes() == before


def test_a_checkout_whose_path_is_too_long_is_told_in_one_block(tmp_path: Path) -> None:
    """4,060 characters: the folder exists, and hardly a file in it can be named."""
    here = os.open(tmp_path, os.O_RDONLY)
    length = len(str(tmp_path))
    names = []
    while length < 4060:
        names.append("d" * min(200, 4060 - length - 1))
        length += len(names[-1]) + 1
    script = (
        "import os, subprocess, sys\n"
        "for name in sys.argv[2:]:\n"
        "    os.mkdir(name)\n"
        "    os.chdir(name)\n"
        "os.symlink(sys.argv[1] + '/SConstruct', 'SConstruct')\n"
        "os.symlink(sys.argv[1] + '/site_scons', 'site_scons')\n"
        "words = (sys.executable, '-P', '-m', 'SCons', '-Q')\n"
        "sys.exit(subprocess.run(words, stdin=subprocess.DEVNULL).returncode)\n"
    )
    top = str(Path(__file__).resolve().parents[2])
    try:
        done = subprocess.run(
            (sys.executable, "-c", script, top, *names),
            cwd=f"/proc/self/fd/{here}",
            pass_fds=(here,),
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        os.close(here)
    assert done.returncode == 2, done.stdout + done.stderr
    lines = done.stderr.splitlines()
    assert lines[0].startswith("error: the path of the checkout is too long: 40")
    assert "reason: bad-path" in lines and lines[-1].startswith("hint: ")
    assert len(lines) == 4 and not done.stdout


@pytest.mark.parametrize("question", [("list",), ("why",), ("info", "alone")], ids=" ".join)
def test_a_question_remembers_the_recipes_that_it_has_parsed(
    greeting: Project, question: tuple[str, ...]
) -> None:
    assert greeting.run(*question).status == 0
    cache = greeting.folder / "out/recipes"
    before = cache.read_bytes()
    greeting.edit("packages/alone/recipe.py", 'license="MIT"', 'license="ISC"')
    assert greeting.run(*question).status == 0
    after = cache.read_bytes(), cache.stat().st_mtime_ns
    assert after[0] != before
    assert greeting.run(*question).status == 0
    assert (cache.read_bytes(), cache.stat().st_mtime_ns) == after
