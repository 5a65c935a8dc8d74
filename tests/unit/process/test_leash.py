"""Commands on a leash: what they return, and that nothing of them outlives whoever holds it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from leash_parts import BOUND, TOP, naming, status
from waiting import within

from quard.base.errors import QuardError
from quard.process import leash
from quard.process.stop import Stop

ENV = {"PATH": os.defpath}


def ran(tmp_path: Path, *argv: str, stdin: Path = leash.NOTHING) -> tuple[int, str]:
    with (tmp_path / "log").open("w+b") as log:
        found = Stop().run(lambda: leash.start(argv, env=ENV, out=log, stdin=stdin))
    return found, (tmp_path / "log").read_text()


def test_a_command_has_its_input_and_its_status_comes_back(tmp_path: Path) -> None:
    (tmp_path / "given").write_text("a\nb\n")
    assert ran(tmp_path, "/bin/cat", stdin=tmp_path / "given") == (0, "a\nb\n")
    assert ran(tmp_path, "/bin/cat") == (0, "")
    assert ran(tmp_path, "/bin/sh", "-c", "exit 7") == (7, "")
    assert ran(tmp_path, "/bin/echo", "two  words", "", "$HOME") == (0, "two  words  $HOME\n")


def test_a_command_that_is_killed_has_the_status_that_a_shell_gives_it(tmp_path: Path) -> None:
    found, _ = ran(tmp_path, "/bin/sh", "-c", "kill -s KILL $$")
    assert found == 128 + signal.SIGKILL


def test_a_command_that_cannot_be_started_is_named(tmp_path: Path) -> None:
    found, text = ran(tmp_path, "/nowhere/at/all")
    assert found == 127 and "/nowhere/at/all" in text


def test_standard_error_may_go_elsewhere(tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as out, (tmp_path / "errors").open("wb") as errors:
        argv = ("/bin/sh", "-c", "echo out; echo err >&2")
        Stop().run(lambda: leash.start(argv, env=ENV, out=out, errors=errors))
    assert (tmp_path / "out").read_text() == "out\n"
    assert (tmp_path / "errors").read_text() == "err\n"


def test_every_number_of_a_kept_descriptor_works(tmp_path: Path) -> None:
    """The leash needs one number of its own, which must not be one of those."""
    with (tmp_path / "kept").open("wb") as kept, (tmp_path / "log").open("w+b") as log:
        for number in range(3, 10):
            code = (
                "import os, sys; sys.path.insert(0, sys.argv[1]);"
                "from quard.process import leash; from quard.process.stop import Stop;"
                "number = int(sys.argv[2]); kept = os.dup2(0, number);"
                "argv = ('/bin/sh', '-c', f'echo {number} >&{number}');"
                "log = os.fdopen(1, 'wb');"
                "sys.exit(Stop().run(lambda: leash.start(argv, env={}, out=log, keep=(number,))))"
            )
            command = (sys.executable, "-c", code, str(TOP / "site_scons"), str(number))
            subprocess.run(command, stdin=kept, stdout=log, check=True)
    assert (tmp_path / "kept").read_text() == "3\n4\n5\n6\n7\n8\n9\n"


ADOPTING = """
import ctypes, os, sys
sys.path.insert(0, sys.argv[1])
from quard.process import leash
from quard.process.stop import Stop
assert ctypes.CDLL(None).prctl(36, 1, 0, 0, 0) == 0  # PR_SET_CHILD_SUBREAPER
log = open(os.devnull, "wb")
for _ in range(5):
    Stop().run(lambda: leash.start(("/bin/true",), env={}, out=log))
try:
    os.waitpid(-1, 0)
except ChildProcessError:
    print("none")
"""


def test_a_command_that_ended_leaves_no_dead_for_others_to_collect() -> None:
    """In a container, the first process often does not do that."""
    command = (sys.executable, "-c", ADOPTING, str(TOP / "site_scons"))
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=BOUND)
    assert done.stdout == "none\n"


def test_what_a_command_left_running_ends_with_it(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    assert ran(tmp_path, "/bin/sh", "-c", f"(sleep 300; : {mark}) & :")[0] == 0
    assert within(BOUND, lambda: not naming(mark))


HOLDER = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from quard.process import leash
from quard.process.stop import Stop
stop = Stop()
signal.signal(signal.SIGTSTP, lambda number, frame: stop.suspend())
argv = ("/bin/sh", "-c", sys.argv[2], sys.argv[3])
log = open(os.devnull, "wb")
stop.run(lambda: leash.start(argv, env={"PATH": os.defpath}, out=log))
"""


@contextmanager
def held(mark: Path, script: str, holder: str = HOLDER) -> Iterator[subprocess.Popen[bytes]]:
    """Run a script on the leash of another process; `mark` is in its command line."""
    words = (sys.executable, "-c", holder, str(TOP / "site_scons"), script, str(mark))
    process = subprocess.Popen(words)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for pid in naming(mark):
            with suppress(ProcessLookupError):  # it was just about to end
                os.kill(pid, signal.SIGKILL)


def test_a_command_that_heeds_no_signal_ends_with_a_holder_that_is_killed(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    script = f"trap '' HUP INT TERM; (sleep 300 & wait) & touch {mark}; sleep 300; :"
    with held(mark, script) as process:
        assert within(BOUND, mark.exists)
        process.kill()
        process.wait()
        assert within(BOUND, lambda: not naming(mark))


def test_a_holder_that_is_killed_at_any_moment_of_the_start_leaves_nothing(tmp_path: Path) -> None:
    for number in range(20):
        mark = tmp_path / f"mark{number}"
        with held(mark, "sleep 300; :") as process:
            assert within(BOUND, lambda: naming(mark) != [process.pid])  # noqa: B023
            time.sleep(number * 0.001)
            process.kill()
            process.wait()
            assert within(BOUND, lambda: not naming(mark))  # noqa: B023


@pytest.mark.parametrize("which", ["leader", "watcher", "command"])
def test_one_process_of_a_leash_that_is_killed_leaves_no_other(tmp_path: Path, which: str) -> None:
    mark, results, stop = tmp_path / "mark", list[int](), Stop()
    argv = ("/bin/sh", "-c", f"touch {mark}; sleep 2; :", str(mark))

    def run() -> None:
        with (tmp_path / "log").open("wb") as log:
            results.append(stop.run(lambda: leash.start(argv, env=ENV, out=log)))

    thread = threading.Thread(target=run)
    thread.start()
    assert within(BOUND, mark.exists)
    leader, *others = sorted(naming(mark), key=_started)
    command = next(pid for pid in others if _words(pid)[0] == "/bin/sh" and len(_words(pid)) == 4)
    watcher = next(pid for pid in others if pid != command)
    os.kill({"leader": leader, "watcher": watcher, "command": command}[which], signal.SIGKILL)
    thread.join(BOUND)
    assert results == [{"leader": -9, "watcher": 0, "command": 128 + 9}[which]]
    assert within(BOUND, lambda: not naming(mark))


def _started(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]) * 10**7 + pid


def _words(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")[:-1]


def test_commands_are_stopped_and_go_on_with_their_holder(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    with held(mark, f"touch {mark}; while :; do sleep 0.01; done") as process:
        assert within(BOUND, mark.exists)
        process.send_signal(signal.SIGTSTP)
        assert within(BOUND, lambda: stopped(mark))
        process.send_signal(signal.SIGCONT)
        assert within(BOUND, lambda: not any("State:\tT" in status(p) for p in naming(mark)))


def stopped(mark: Path) -> bool:
    """Tell whether all is stopped; D is a shell whose stopped child is to exec yet, vfork(2)."""
    found = [status(pid) for pid in naming(mark)]
    return len(found) >= 2 and all("State:\tT" in s or "State:\tD" in s for s in found)


def test_a_signal_that_comes_while_a_command_is_started_counts_for_it(tmp_path: Path) -> None:
    """The handler runs in the thread that starts it, where that is the main one (scons -j1)."""
    mark, stop = tmp_path / "mark", Stop()
    argv = ("/bin/sh", "-c", "sleep 300; :", str(mark))

    def interrupted() -> subprocess.Popen[bytes]:
        with (tmp_path / "log").open("wb") as log:
            process = leash.start(argv, env=ENV, out=log)
        stop.request()
        return process

    began = time.monotonic()
    with pytest.raises(QuardError, match="interrupted"):
        stop.run(interrupted)
    assert time.monotonic() - began < BOUND
    assert within(BOUND, lambda: not naming(mark))


EARLY = HOLDER.replace(
    'lambda: leash.start(argv, env={"PATH": os.defpath}, out=log)', "start"
).replace(
    "stop.run(",
    """
def start():
    process = leash.start(argv, env={"PATH": os.defpath}, out=log)
    os.kill(os.getpid(), signal.SIGTSTP)
    return process
stop.run(""",
)


def test_a_suspension_that_comes_while_a_command_is_started_counts_for_it(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    with held(mark, "while :; do sleep 0.01; done", EARLY) as process:
        assert within(BOUND, lambda: stopped(mark))
        process.send_signal(signal.SIGCONT)
        assert within(BOUND, lambda: not any("State:\tT" in status(p) for p in naming(mark)))
