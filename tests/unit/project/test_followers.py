"""File systems that are announced while the file that they are made from has its slot."""

from __future__ import annotations

import threading

import pytest

from quard.plan.image import FileSystemPlan
from quard.plan.unit import Input, Unit
from quard.process.slots import Slots
from quard.project.followers import Followers


def unit(name: str, *inputs: str) -> Unit:
    plan = FileSystemPlan(format="ext4")
    return Unit(name, plan, tuple(Input(each, "tar") for each in inputs))


TAR = unit("tar")
UNITS = {
    each.id: each
    for each in (TAR, unit("short", "tar"), unit("long", "tar"), unit("other", "tar", "data"))
}
URGENCY = {"tar": 9.0, "short": 1.0, "long": 5.0, "other": 7.0}


def begun(slots: Slots, followers: Followers, names: list[str]) -> list[str]:
    """Have units ask for slots, one after the other; return the order in which they got one."""
    order: list[str] = []
    threads = []
    for name in names:
        settled = threading.Event()

        def work(name: str = name, settled: threading.Event = settled) -> None:
            with slots.held(URGENCY[name], settled.set, followers.arrival(UNITS[name])):
                order.append(name)
                settled.set()

        threads.append(threading.Thread(target=work))
        threads[-1].start()
        assert settled.wait(10)
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()
    return order


def test_the_most_urgent_begins_first_in_whatever_order_they_come(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("quard.process.slots._GRACE", 60.0)
    slots = Slots(1)
    followers = Followers(slots)
    with slots.held(URGENCY["tar"]):
        followers.announce(TAR, UNITS, URGENCY)
    assert begun(slots, followers, ["short", "long"]) == ["long", "short"]


def test_without_an_announcement_the_first_that_comes_begins() -> None:
    slots = Slots(1)
    assert begun(slots, Followers(slots), ["short", "long"]) == ["short", "long"]


def test_only_what_this_run_makes_from_it_alone_is_announced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The slot would be kept for what does not come."""
    monkeypatch.setattr("quard.process.slots._GRACE", 60.0)
    slots = Slots(1)
    followers = Followers(slots)
    followers.announce(TAR, UNITS, {"tar": 9.0, "short": 1.0, "other": 7.0})
    assert begun(slots, followers, ["short"]) == ["short"]
