"""One pool of tokens for several real makes at once."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import termios
import threading
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
        assert tokens(server) == jobs


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
        assert tokens(server) == 1


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
        assert tokens(server) == 1


@pytest.mark.parametrize("first_ends_first", [True, False])
def test_who_has_waited_long_begins_without_a_token_and_none_is_lost(
    monkeypatch: pytest.MonkeyPatch, first_ends_first: bool
) -> None:
    monkeypatch.setattr(jobserver, "_PATIENCE", 0.05)
    with pool(1) as server:
        first, second = server.token(), server.token()
        first.__enter__()
        second.__enter__()
        ends = (first, second) if first_ends_first else (second, first)
        ends[0].__exit__(None, None, None)
        if first_ends_first:
            # What the first one gave back is what the second one owes.
            assert within(10, lambda: tokens(server) == 0)
        ends[1].__exit__(None, None, None)
        assert tokens(server) == 1


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
    with pool(2):
        assert len(os.listdir("/proc/self/fd")) == len(before) + 3
    assert set(os.listdir("/proc/self/fd")) == before
