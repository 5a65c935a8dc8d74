"""Builds with a remote cache over a network that is gone in the middle of the run."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator

import cache_network
import pytest
from cache_network import ASKED, ENTRY, READ, SENT, Place
from waiting import within

from incremental.conftest import ALL
from incremental.project import Project, Ran, ok


@pytest.fixture(params=["http", "grpc"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    with cache_network.served(request.param) as found:
        yield found


def hurry(project: Project) -> None:
    """Let the project's engine wait for seconds instead of half a minute."""
    project.own_engine()
    limits = "site_scons/quard/remote/link.py"
    project.edit(limits, "connect: float = 5", "connect: float = 1")
    project.edit(limits, "silence: float = 30", "silence: float = 1")


def says_once(ran: Ran, place: Place) -> None:
    """Assert that one line is about the network, and that no other one is about the cache."""
    port = place.base.rpartition(":")[2]
    lines = [line for line in ran.text.splitlines() if port in line]
    given_up = [line for line in lines if "is not used any more in this run: no " in line]
    assert len(given_up) == 1, ran.text
    others = [line for line in lines if line not in given_up]
    assert all(": from the cache at " in line for line in others), ran.text
    assert "Traceback" not in ran.text


@pytest.mark.parametrize(
    ("moment", "more"),
    [(ENTRY, 0), (ASKED, 0), (READ, 0), (READ, 2000)],
    ids=["entry", "asked", "read", "within"],
)
def test_what_does_not_come_is_built(
    greeting: Project, place: Place, moment: str, more: int
) -> None:
    hurry(greeting)
    ok(greeting.run(f"cache.url={place.base}"))
    image = greeting.image()
    greeting.other_machine()
    place.cut_at(moment, more)
    ran = ok(greeting.run(f"cache.url={place.base}"))
    assert place.network.is_gone
    says_once(ran, place)
    assert ran.built and greeting.image() == image
    assert {*ran.built, *ran.summary["restored"]} == {*ALL}
    ran = greeting.run(f"cache.url={place.base}")
    assert ran.out == "tiny: everything is up to date\n"
    place.network.restore()
    greeting.other_machine()
    ran = ok(greeting.run(f"cache.url={place.base}"))
    assert ran.built == [] and greeting.image() == image


@pytest.mark.parametrize("more", [0, 2000], ids=["before", "within"])
def test_a_run_whose_results_cannot_be_sent_ends(
    greeting: Project, place: Place, more: int
) -> None:
    hurry(greeting)
    if more:
        place.cut_at(ASKED, more, "up")
    else:
        place.cut_at(SENT)
    ran = ok(greeting.run(f"cache.url={place.base}"))
    assert place.network.is_gone
    says_once(ran, place)
    assert ran.built == ALL
    image = greeting.image()
    place.network.restore()
    greeting.other_machine()
    ok(greeting.run(f"cache.url={place.base}"))
    assert greeting.image() == image


@pytest.mark.parametrize("moment", [ENTRY, SENT])
def test_a_run_that_waits_for_the_network_ends_at_ctrl_c(
    greeting: Project, place: Place, moment: str
) -> None:
    """It would wait for half a minute otherwise."""
    place.cut_at(moment)
    run = subprocess.Popen(
        greeting.command(f"cache.url={place.base}"), cwd=greeting.folder,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
    )  # fmt: skip
    try:
        assert within(60, lambda: place.network.is_gone)
        started = time.monotonic()
        os.killpg(run.pid, signal.SIGINT)
        text, _ = run.communicate(timeout=60)
        assert time.monotonic() - started < 15, text
        assert "Traceback" not in text, text
    finally:
        run.kill()
        run.wait()
