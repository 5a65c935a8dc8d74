"""bubblewrap while it starts: between its clone(2) and the event that its inner process waits for.

It is held up just there by a pipe that is full, into which it is to write (--info-fd).
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from leash_parts import BOUND, TOP, naming, status
from sandbox_parts import Place
from waiting import within

pytestmark = pytest.mark.usefixtures("stuck")


@pytest.fixture
def stuck(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put such a bubblewrap into PATH."""
    real = shutil.which("bwrap")
    assert real
    pipe = tmp_path / "full"
    os.mkfifo(pipe)
    full = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
    try:
        while os.write(full, b"x" * 4096):
            pass
    except BlockingIOError:
        pass
    folder = tmp_path / "bin"
    folder.mkdir()
    script = f'#!/bin/sh\nexec 9>"{pipe}"\nexec {real} --info-fd 9 "$@"\n'
    (folder / "bwrap").write_text(script)
    (folder / "bwrap").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    yield
    os.close(full)


def inner(work: Path) -> list[int]:
    """Return the first processes of the namespaces of bubblewraps that work in a folder."""
    return [pid for pid in naming(work) if _inner(status(pid))]


def _inner(text: str) -> bool:
    return any(
        line.startswith("NSpid:") and len(line.split()) > 2 and line.split()[-1] == "1"
        for line in text.splitlines()
    )


def test_without_the_leash_a_killed_bubblewrap_leaves_its_inner_process(tmp_path: Path) -> None:
    """The fault itself, so that the tests after this one cannot succeed for another reason."""
    place = Place(tmp_path, "bwrap")
    process = subprocess.Popen(place.box.command(("true",), place.env), env=dict(os.environ))
    assert within(BOUND, lambda: inner(place.work.root))
    process.kill()
    process.wait()
    (pid,) = inner(place.work.root)
    os.kill(pid, signal.SIGTERM)
    time.sleep(0.5)
    assert inner(place.work.root) == [pid], "bubblewrap has learnt it: the leash may be given up"
    os.kill(pid, signal.SIGKILL)
    assert within(BOUND, lambda: not naming(place.work.root))


def test_a_sandbox_that_is_ended_while_it_starts_leaves_nothing(tmp_path: Path) -> None:
    place, reasons = Place(tmp_path, "bwrap"), list[str]()

    def run() -> None:
        with pytest.raises(Exception, match="interrupted") as caught:
            place.run("true")
        reasons.append(str(caught.value))

    thread = threading.Thread(target=run)
    thread.start()
    assert within(BOUND, lambda: inner(place.work.root))
    place.box.stop.request()
    thread.join(BOUND)
    assert reasons == ["interrupted"]
    assert within(BOUND, lambda: not naming(place.work.root))


def test_a_sandbox_whose_outer_process_alone_is_killed_leaves_nothing(tmp_path: Path) -> None:
    place, results = Place(tmp_path, "bwrap"), list[int]()
    thread = threading.Thread(target=lambda: results.append(place.run("true")[0]))
    thread.start()
    assert within(BOUND, lambda: inner(place.work.root))
    (pid,) = inner(place.work.root)
    outer = next(line.split()[1] for line in status(pid).splitlines() if "PPid" in line)
    os.kill(int(outer), signal.SIGKILL)
    thread.join(BOUND)
    assert results == [128 + signal.SIGKILL]
    assert within(BOUND, lambda: not naming(place.work.root))


SEALED = """
import os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from quard.process.sandbox import Sandbox, Work
box = Sandbox(mode="bwrap", work=Work(Path(sys.argv[2])))
box.run(("true",), {"PATH": "/quard/tools"}, open(os.devnull, "wb"))
"""


def test_a_sandbox_leaves_nothing_when_the_build_is_killed_while_it_starts(tmp_path: Path) -> None:
    place = Place(tmp_path, "bwrap")
    words = (sys.executable, "-c", SEALED, str(TOP / "site_scons"), str(place.work.root))
    process = subprocess.Popen(words)
    assert within(BOUND, lambda: inner(place.work.root))
    process.kill()
    process.wait()
    assert within(BOUND, lambda: not naming(place.work.root))
