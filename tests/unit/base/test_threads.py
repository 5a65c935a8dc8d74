"""quard.base.threads: work that does not delay the end of a run."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import quard
from quard.base.threads import Threads

ENGINE = Path(quard.__path__[0]).parent


def run(script: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", script], check=False, capture_output=True, text=True, timeout=20,
        env={**os.environ, "PYTHONPATH": str(ENGINE)},
    )  # fmt: skip
    assert done.returncode == 0 and done.stderr == ""
    return done.stdout


def test_the_end_of_the_process_does_not_wait_for_work() -> None:
    started = time.monotonic()
    run(
        "import time\n"
        "from quard.base.threads import Threads\n"
        "Threads(2, 'x').submit(time.sleep, 600)\n"
    )
    assert time.monotonic() - started < 15


def test_exit_handlers_may_ask_for_work() -> None:
    said = run(
        "import atexit\n"
        "def end():\n"
        "    from quard.base.threads import Threads\n"
        "    print(list(Threads(2, 'x').map(abs, (-1, -2))))\n"
        "atexit.register(end)\n"
    )
    assert said == "[1, 2]\n"


def test_errors_are_raised_where_the_result_is_asked_for() -> None:
    with pytest.raises(ZeroDivisionError):
        Threads(1, "x").submit(divmod, 1, 0).result(10)


def test_no_more_work_than_allowed_is_done_at_a_time() -> None:
    threads, together = Threads(2, "x"), threading.Barrier(4)
    for _ in range(3):
        threads.submit(together.wait)
    with pytest.raises(threading.BrokenBarrierError):
        together.wait(0.2)


def test_work_that_has_not_begun_is_cancelled() -> None:
    threads, begun = Threads(1, "x"), threading.Barrier(2)
    first = threads.submit(lambda: (begun.wait(10), begun.wait(10)))
    second = threads.submit(pytest.fail)
    begun.wait(10)
    threads.shutdown()
    begun.wait(10)
    assert first.result(10)
    assert second.cancelled()


def test_threads_end_after_a_shutdown_and_later_work_is_done_by_new_ones() -> None:
    threads, begun = Threads(2, "ending"), threading.Barrier(3)
    for _ in range(2):
        threads.submit(begun.wait, 10)
    begun.wait(10)
    old = [each for each in threading.enumerate() if each.name == "ending"]
    assert len(old) == 2
    threads.shutdown()
    threads.shutdown()
    new = threads.submit(threading.current_thread).result(10)
    assert list(threads.map(abs, range(-9, 0), timeout=10)) == list(range(9, 0, -1))
    threads.shutdown()
    for each in (*old, new):
        each.join(10)
        assert not each.is_alive()


def test_a_second_shutdown_cancels_what_came_after_the_first() -> None:
    threads, begun, going_on = Threads(1, "x"), threading.Barrier(2), threading.Event()
    first = threads.submit(lambda: (begun.wait(10), going_on.wait(60)))  # longer than others wait
    begun.wait(10)
    threads.shutdown()
    held = threads.submit(lambda: (begun.wait(10), going_on.wait(10)))
    begun.wait(10)
    late = threads.submit(pytest.fail)
    threads.shutdown()
    going_on.set()
    assert first.result(10) and held.result(10)
    assert late.cancelled()
