"""Ending a command: everything that it started goes with it, within a bound."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest
from sandbox_parts import MODES, Place
from waiting import within

from quard.base.errors import QuardError
from quard.process.sandbox import Mode, Sandbox
from quard.process.stop import Stop

TOP = Path(__file__).resolve().parents[3]
BOUND = 10.0
"""Seconds within which everything that a command started must be gone."""


class Interrupt(BaseException):
    """What interrupts the waiting thread, as KeyboardInterrupt does."""


@contextmanager
def interrupted(begun: Path) -> Iterator[None]:
    """Raise Interrupt in the main thread once the file `begun` exists."""

    def stop(signal_: int, frame: FrameType | None) -> None:
        del signal_, frame
        raise Interrupt

    def watch(main: int) -> None:
        if within(BOUND, begun.exists):
            signal.pthread_kill(main, signal.SIGALRM)

    old = signal.signal(signal.SIGALRM, stop)
    thread = threading.Thread(target=watch, args=(threading.get_ident(),))
    thread.start()
    try:
        yield
    finally:
        thread.join()
        signal.signal(signal.SIGALRM, old)


def gone(read: int) -> bool:
    """Wait until no process holds the other end of the pipe; tell whether that came in time."""
    end = time.monotonic() + BOUND
    while time.monotonic() < end:
        if select.select([read], [], [], 0.2)[0] and os.read(read, 1 << 12) == b"":
            return True
    return False


TREE = "(trap '' TERM INT HUP; sleep 300) & setsid sleep 300 & touch begun; sleep 300"
"""Children that stay when they are asked to end, one of them in another session."""


@pytest.mark.parametrize("mode", MODES)
def test_an_interrupted_command_ends_with_its_children(tmp_path: Path, mode: Mode) -> None:
    """Without the sandbox a child that leaves the session would stay: there is none here."""
    read, write = os.pipe()
    place = Place(tmp_path, mode, keep=(write,))
    tree = TREE if mode == "bwrap" else TREE.replace("setsid sleep 300 & ", "")
    place.env["PATH"] += ":/usr/bin"
    with pytest.raises(Interrupt), interrupted(place.work.src / "begun"):
        place.run("bash", "-c", tree)
    os.close(write)
    try:
        assert gone(read)
    finally:
        os.close(read)


@pytest.mark.parametrize("mode", MODES)
def test_a_foreground_command_has_our_terminal_and_ends_when_it_is_interrupted(
    tmp_path: Path, mode: Mode, capfd: pytest.CaptureFixture[str]
) -> None:
    read, write = os.pipe()
    place = Place(tmp_path, mode, keep=(write,))
    with (
        pytest.raises(Interrupt),
        interrupted(place.work.src / "begun"),
        (tmp_path / "log").open("wb") as log,
    ):
        place.box.run(
            ("bash", "-c", "echo shown; touch begun; exec sleep 300"),
            place.env,
            log,
            foreground=True,
        )
    os.close(write)
    try:
        assert gone(read)
    finally:
        os.close(read)
    assert capfd.readouterr().out == "shown\n"
    assert (tmp_path / "log").read_bytes() == b""


def test_a_sealed_command_ends_when_the_build_itself_is_killed(tmp_path: Path) -> None:
    read, write = os.pipe()
    place = Place(tmp_path, "bwrap")
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from quard.process.sandbox import Sandbox, Work\n"
        "box = Sandbox(mode='bwrap', work=Work(Path(sys.argv[1])), keep=(int(sys.argv[2]),))\n"
        "env = {'PATH': '/quard/tools:/usr/bin'}\n"
        "box.run(('bash', '-c', sys.argv[3]), env, open(sys.argv[4], 'wb'))\n"
    )
    log = tmp_path / "log"
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            code,
            str(place.work.root),
            str(write),
            TREE,
            str(log),
        ],
        env={**os.environ, "PYTHONPATH": str(TOP / "site_scons")},
        pass_fds=(write,),
    )
    os.close(write)
    try:
        assert within(BOUND, (place.work.src / "begun").exists)
        process.kill()
        process.wait()
        assert gone(read)
    finally:
        process.kill()
        os.close(read)


@pytest.mark.parametrize("mode", MODES)
def test_a_request_to_stop_ends_the_commands_of_other_threads_and_lets_none_begin(
    tmp_path: Path, mode: Mode
) -> None:
    read, write = os.pipe()
    place, stop = Place(tmp_path, mode, keep=(write,)), Stop()
    place.box = Sandbox(mode=mode, work=place.work, keep=(write,), stop=stop)
    reasons: list[str] = []

    def build() -> None:
        with pytest.raises(QuardError) as caught:
            place.run("bash", "-c", "sleep 300 & touch begun; sleep 300")
        reasons.append(caught.value.reason)

    thread = threading.Thread(target=build)
    thread.start()
    assert within(BOUND, (place.work.src / "begun").exists)
    stop.request()
    thread.join(BOUND)
    assert reasons == ["interrupted"]
    with pytest.raises(QuardError) as caught:
        place.run("touch", "second")
    assert caught.value.reason == "interrupted"
    assert not (place.work.src / "second").exists()
    os.close(write)
    try:
        assert gone(read)
    finally:
        os.close(read)
