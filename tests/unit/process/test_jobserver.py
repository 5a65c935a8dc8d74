"""One pool of tokens for several real makes at once."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from waiting import within

from quard.process import jobserver
from quard.process.jobserver import Jobserver

JOBS = 6
"""Jobs of each makefile: enough that both makes want more than the pool has."""


@contextmanager
def pool(jobs: int) -> Iterator[Jobserver]:
    server = Jobserver(jobs)
    try:
        yield server
    finally:
        server.close()


def tokens(server: Jobserver) -> int:
    """Return how many tokens are in the pipe, without taking one from somebody who waits."""
    count = bytearray(4)
    fcntl.ioctl(server.fds[0], termios.FIONREAD, count)
    return int.from_bytes(count, sys.byteorder)


def used(server: Jobserver) -> float:
    """Return the seconds for which tokens were in use, added up over all tokens."""
    long = 1000.0
    return (1 - server.idle(long)) * server.jobs * long


def makefile(folder: Path, events: Path) -> None:
    """Write a makefile whose jobs note start and end, each with one atomic append."""
    targets = " ".join(f"job{number}" for number in range(JOBS))
    (folder / "Makefile").write_text(
        f"all: {targets}\n{targets}:\n\t@echo start >> {events}; sleep 0.05; echo end >> {events}\n"
    )


def run_make(folder: Path, server: Jobserver, *arguments: str) -> str:
    done = subprocess.run(
        ("make", *arguments),
        cwd=folder,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C", "MAKEFLAGS": server.makeflags},
        pass_fds=server.fds,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stderr


def at_once(events: Path) -> tuple[int, int]:
    """Return how many jobs ran in all and how many at once at most."""
    running = most = total = 0
    for line in events.read_text().splitlines():
        running += 1 if line == "start" else -1
        total += line == "start"
        most = max(most, running)
    return total, most


@pytest.mark.parametrize("jobs", [2, 3])
def test_two_makes_together_never_run_more_jobs_than_there_are_tokens(
    tmp_path: Path, jobs: int
) -> None:
    events = tmp_path / "events"
    errors: list[str] = []

    def build(folder: Path, server: Jobserver) -> None:
        with server.token():
            errors.append(run_make(folder, server))

    with pool(jobs) as server:
        threads = []
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
            makefile(tmp_path / name, events)
            threads.append(threading.Thread(target=build, args=(tmp_path / name, server)))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in threads)
        assert errors == ["", ""]
        assert at_once(events) == (2 * JOBS, jobs)
        assert within(10, lambda: tokens(server) == jobs)


def test_with_one_token_a_make_runs_one_job_at_a_time(tmp_path: Path) -> None:
    makefile(tmp_path, tmp_path / "events")
    with pool(1) as server:
        with server.token():
            assert run_make(tmp_path, server) == ""
        assert tokens(server) == 1
    assert at_once(tmp_path / "events") == (JOBS, 1)


def test_a_make_of_a_make_draws_from_the_same_pool(tmp_path: Path) -> None:
    events = tmp_path / "events"
    (tmp_path / "inner").mkdir()
    makefile(tmp_path / "inner", events)
    (tmp_path / "Makefile").write_text(
        "all: a b\na b:\n\t+@$(MAKE) --no-print-directory -C inner\n"
    )
    with pool(2) as server:
        with server.token():
            assert run_make(tmp_path, server) == ""
        assert tokens(server) == 2
    total, most = at_once(events)
    assert (total, most) == (2 * JOBS, 2)


def test_a_failed_make_gives_its_tokens_back(tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_text("all: a b c\na b c:\n\t@sleep 0.05; false\n")
    with pool(3) as server:
        with server.token(), pytest.raises(subprocess.CalledProcessError):
            run_make(tmp_path, server)
        assert tokens(server) == 3


def test_a_token_is_given_back_after_an_error() -> None:
    with pool(1) as server:
        with pytest.raises(RuntimeError), server.token():
            assert tokens(server) == 0
            raise RuntimeError("stop")
        assert tokens(server) == 1


def test_a_token_is_waited_for() -> None:
    held, got = threading.Event(), threading.Event()

    def second(server: Jobserver) -> None:
        held.wait(10)
        with server.token():
            got.set()

    with pool(1) as server:
        thread = threading.Thread(target=second, args=(server,))
        thread.start()
        with server.token():
            held.set()
            assert not got.wait(0.1)
        assert got.wait(10)
        thread.join(10)
        assert within(10, lambda: tokens(server) == 1)


def test_the_shared_end_may_be_switched_to_non_blocking() -> None:
    """As make 4.3 does; a plain read of that end would fail at once."""
    with pool(1) as server:
        os.set_blocking(server.fds[0], False)
        got = threading.Event()

        def second() -> None:
            with server.token():
                got.set()

        with server.token():
            thread = threading.Thread(target=second)
            thread.start()
            assert not got.wait(0.1)
        assert got.wait(10)
        thread.join(10)
        assert within(10, lambda: tokens(server) == 1)


def test_who_waits_longest_gets_what_another_build_gives_back() -> None:
    order: list[str] = []
    with pool(1) as server:
        threads = []
        with server.token():
            for name in ("first", "second"):
                waits = threading.Event()

                def build(name: str = name, waits: threading.Event = waits) -> None:
                    with server.token(waits.set):
                        order.append(name)

                threads.append(threading.Thread(target=build))
                threads[-1].start()
                assert waits.wait(10)
        for thread in threads:
            thread.join(10)
        assert order == ["first", "second"]
        assert within(10, lambda: tokens(server) == 1)


def test_a_build_that_waits_gets_a_token_from_a_make_that_wants_them_all(tmp_path: Path) -> None:
    """Otherwise it would wait until the other one's make ends."""
    (tmp_path / "Makefile").write_text(
        "all: $(addprefix job,$(shell seq 400))\njob%:\n\t@sleep 0.02\n"
    )
    with pool(2) as server:

        def build() -> None:
            with server.token():
                run_make(tmp_path, server)

        thread = threading.Thread(target=build)
        thread.start()
        assert within(10, lambda: tokens(server) == 0)
        with server.token():
            assert thread.is_alive()
        thread.join(60)
        assert within(10, lambda: tokens(server) == 2)


@pytest.mark.parametrize("given", [False, True])
def test_a_wait_that_is_cancelled_takes_no_token_along(given: bool) -> None:
    class Cancelled(Exception):
        pass

    with pool(1) as server:

        def check() -> None:
            if given:
                first.__exit__(None, None, None)
                assert within(10, lambda: not server._waiting)
            raise Cancelled

        first = server.token()
        first.__enter__()
        with pytest.raises(Cancelled), server.token(check=check):
            pass
        if not given:
            first.__exit__(None, None, None)
        assert within(10, lambda: tokens(server) == 1)


def test_the_time_for_which_tokens_are_used_is_measured_also_those_of_a_make() -> None:
    with pool(4) as server:
        earliest = time.monotonic()
        with server.token():
            taken = os.read(server.fds[0], 2)
            begun = time.monotonic()
            time.sleep(1.0)
            # Who measures may be late on a busy machine.
            assert within(60, lambda: used(server) > 3 * (time.monotonic() - begun - 0.4))
            assert used(server) <= 3 * (time.monotonic() - earliest) + 0.01
            os.write(server.fds[1], taken)
        time.sleep(0.25)
        before = used(server)
        time.sleep(0.5)
        assert used(server) - before < 0.2
    assert server.idle(0.1) == 0


def test_the_flags_name_the_ends_of_the_pipe_and_no_unwanted_descriptor_is_inherited() -> None:
    with pool(2) as server:
        read, write = server.fds
        assert server.makeflags == f"-j2 --jobserver-auth={read},{write}"
        assert os.get_inheritable(read)
        assert os.get_inheritable(write)


@pytest.mark.parametrize("jobs", [0, -1])
def test_a_pool_without_tokens_is_our_own_bug(jobs: int) -> None:
    with pytest.raises(ValueError, match="jobs"):
        Jobserver(jobs)


def test_closing_closes_every_descriptor() -> None:
    before = set(os.listdir("/proc/self/fd"))
    with pool(2) as server, server.token():
        assert len(os.listdir("/proc/self/fd")) == len(before) + 4
    assert set(os.listdir("/proc/self/fd")) == before


def test_a_command_that_knows_no_jobserver_has_an_equal_share_of_the_tokens() -> None:
    with pool(6) as server:
        with server.token():
            with server.share() as jobs:
                assert (jobs, tokens(server)) == (6, 0)
            with server.token(), server.share() as jobs:
                assert (jobs, tokens(server)) == (3, 2)
        assert within(10, lambda: tokens(server) == 6)


def test_a_command_takes_what_there_is_if_its_share_is_in_use(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(jobserver, "_SHARING", 0.1)
    with pool(4) as server, server.token():
        taken = os.read(server.fds[0], 2)
        with pytest.raises(RuntimeError), server.share() as jobs:
            assert jobs == 2
            raise RuntimeError("stop")
        os.write(server.fds[1], taken)
        assert within(10, lambda: tokens(server) == 3)
