"""Two checkouts that build at once with one store folder and one server, which somebody shrinks."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
from served_cache import served

from incremental.conftest import ALL, GREET_C, GREET_H, HELLO_C
from incremental.project import Project, ok

LIMIT = 300


def checkout(folder: Path, cache: Path) -> Project:
    """Make a checkout with the packages of `greeting`."""
    folder.mkdir()
    project = Project(folder / "project")
    project.cache = cache
    project.library("greet", GREET_C, GREET_H)
    project.program("hello", HELLO_C, "-lgreet", more='needs=("greet",),')
    project.program("alone", "int main(void) { return 0; }\n")
    project.board(["alone", "hello", "libc"])
    return project


def run_both(projects: list[Project], *words: str) -> list[str]:
    """Build in all checkouts at once; return what each run says, which has to succeed."""
    started = [
        subprocess.Popen(
            project.command(*words), cwd=project.folder, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        for project in projects
    ]  # fmt: skip
    said = [process.communicate(timeout=LIMIT)[0] for process in started]
    for process, text in zip(started, said, strict=True):
        assert process.returncode == 0, text
        assert "Traceback" not in text
    return said


def is_clean(cache: Path) -> None:
    """Assert that nothing unfinished is left in a store."""
    assert [path.name for path in (cache / "store/tmp").iterdir()] == [".lock"]
    assert not [*cache.rglob("*.part")]


@pytest.mark.parametrize("protocol", ["http", "grpc"])
def test_two_checkouts_that_build_at_once_share_results(tmp_path: Path, protocol: str) -> None:
    cache = tmp_path / "cache"
    both = [checkout(tmp_path / name, cache) for name in ("one", "two")]
    with served(protocol) as address:
        said = run_both(both, f"cache.url={address}")
        assert not any("warning" in text or "damaged" in text for text in said), said
        is_clean(cache)
        third = checkout(tmp_path / "three", tmp_path / "empty")
        ran = ok(third.run(f"cache.url={address}"))
        assert ran.built == [] and sorted(ran.summary["restored"]) == ALL
        again = [checkout(tmp_path / name, tmp_path / "shared") for name in ("four", "five")]
        said = run_both(again, f"cache.url={address}")
        assert not any(": building" in text or "warning" in text for text in said), said
        is_clean(tmp_path / "shared")
    images = {project.image() for project in (*both, third, *again)}
    assert len(images) == 1


def age(cache: Path) -> None:
    """Let a store be as if nobody had used it for days."""
    then = time.time() - 5 * 24 * 3600
    # Others use the store: files and folders go meanwhile. os.walk passes over such a folder.
    for folder, _, names in os.walk(cache / "store"):
        for name in names:
            with suppress(FileNotFoundError):
                os.utime(Path(folder, name), (then, then))


@pytest.mark.parametrize("protocol", ["http", "grpc"])
def test_builds_end_while_somebody_else_empties_their_store(tmp_path: Path, protocol: str) -> None:
    cache = tmp_path / "cache"
    both = [checkout(tmp_path / name, cache) for name in ("one", "two")]
    cleaner = checkout(tmp_path / "cleaner", cache)
    cleaner.own_engine()  # which takes 0 for a limit: these results have less than 1 MiB
    cleaner.edit("site_scons/quard/boards/values.py", " or not int(found[1])", "")
    ok(both[0].run())
    image = both[0].image()
    with served(protocol) as address:
        for _ in range(3):
            for project in both:
                shutil.rmtree(project.folder / "out", ignore_errors=True)
            cleaned = list[str]()
            ended = threading.Event()
            cleaning = threading.Thread(target=clean, args=(cleaner, cache, ended, cleaned))
            cleaning.start()
            try:
                run_both(both, f"cache.url={address}")
            finally:
                ended.set()
                cleaning.join()
            assert all(cleaned), cleaned
            assert re.search(r" removed [1-9]", "".join(cleaned)), cleaned
            assert {project.image() for project in both} == {image}


def clean(project: Project, cache: Path, ended: threading.Event, said: list[str]) -> None:
    """Empty a store, also of what others have just used, until they have ended, and once more.

    said -- gets what each time says, "" for a failure
    """
    last = False
    while not last:
        last = ended.is_set()
        age(cache)
        ran = project.run("gc", "cache.limit=0M")
        said.append("" if ran.status else ran.out)
