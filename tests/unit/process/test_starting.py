"""quard.process.starting: programs of our own that may take long end when they are to stop."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from waiting import within

from quard.process.starting import run_until


def test_a_program_that_ends_gives_its_status_and_what_it_printed(tmp_path: Path) -> None:
    words = ("sh", "-c", "pwd; echo no >&2; exit 3")
    found = run_until(words, lambda: False, cwd=tmp_path)
    assert found is not None
    assert (found.returncode, found.stderr) == (3, b"no\n")
    assert found.stdout.decode() == f"{tmp_path}\n"


def test_a_stop_ends_the_program_and_its_children(tmp_path: Path) -> None:
    stop = threading.Event()
    words = ("sh", "-c", "(echo $$ >started; sleep 600) & wait")
    done: list[object] = []
    thread = threading.Thread(
        target=lambda: done.append(run_until(words, stop.is_set, cwd=tmp_path))
    )
    thread.start()
    started = tmp_path / "started"
    assert within(20, lambda: started.exists() and started.read_text().endswith("\n"))
    group = int(started.read_text())
    stop.set()
    thread.join(20)
    assert done == [None]
    assert within(20, lambda: not _members(group))


def test_a_program_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        run_until((str(tmp_path / "none"),), lambda: False, cwd=tmp_path)


def _members(group: int) -> list[int]:
    """Return the running processes of a group."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text(errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == group and fields[0] not in "ZX":
            found.append(int(path.parent.name))
    return found
