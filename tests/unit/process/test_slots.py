"""Job slots: who is next."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest

from quard.process import slots as module
from quard.process.slots import NotBegun, Slots


def queue(slots: Slots, urgencies: list[float], order: list[float]) -> list[threading.Thread]:
    """Start a thread for each urgency, one after the other; return when all of them wait."""
    threads = []
    for urgency in urgencies:
        waits = threading.Event()

        def work(urgency: float = urgency, waits: threading.Event = waits) -> None:
            try:
                with slots.held(urgency, waits.set):
                    order.append(urgency)
            except NotBegun:
                order.append(-urgency)

        threads.append(threading.Thread(target=work))
        threads[-1].start()
        assert waits.wait(10)
    return threads


def join(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()


def test_the_most_urgent_is_next_then_who_has_waited_longest() -> None:
    slots, order = Slots(1), list[float]()
    with slots.held(0):
        threads = queue(slots, [1, 3, 2, 5, 4], order)
    join(threads)
    assert order == [5, 4, 3, 2, 1]


def test_no_more_are_held_than_there_are_and_a_free_one_is_not_waited_for() -> None:
    slots, order = Slots(2), list[float]()
    with ExitStack() as held:
        for _ in range(2):
            held.enter_context(slots.held(0, pytest.fail))
        threads = queue(slots, [1, 2], order)
        assert order == []
    join(threads)
    assert sorted(order) == [1, 2]


def test_a_slot_is_free_again_after_an_error() -> None:
    slots = Slots(1)
    with pytest.raises(RuntimeError), slots.held(0):
        raise RuntimeError("stop")
    with slots.held(0, pytest.fail):
        pass


@pytest.mark.parametrize("fatal", [True, False])
def test_after_a_fatal_error_nobody_takes_the_slot_that_it_leaves(fatal: bool) -> None:
    slots, order = Slots(1), list[float]()
    fault = RuntimeError("it failed")
    slots.is_fatal = lambda error: fatal and error is fault
    with pytest.raises(RuntimeError), slots.held(0):
        threads = queue(slots, [1, 2], order)
        raise fault
    join(threads)
    assert sorted(order) == ([-2, -1] if fatal else [1, 2])


def test_after_the_end_nothing_begins_and_who_waits_is_told() -> None:
    slots, order = Slots(1), list[float]()
    with slots.held(0):
        threads = queue(slots, [1, 2], order)
        slots.close()
        join(threads)
    assert sorted(order) == [-2, -1]
    with pytest.raises(NotBegun), slots.held(9):
        pass


def test_a_slot_is_kept_for_a_more_urgent_unit_that_is_on_its_way_but_not_for_long() -> None:
    slots, order = Slots(1), list[float]()
    begun = time.monotonic()
    with ExitStack() as coming:
        coming.enter_context(slots.coming(9))
        join(queue(slots, [1], order))
        assert time.monotonic() - begun > 0.9
        with slots.held(1, pytest.fail):
            pass  # it has been waited for once


def test_who_arrives_goes_ahead_of_those_that_were_kept_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_GRACE", 60)  # on a busy machine it comes late
    slots, order = Slots(1), list[float]()
    with ExitStack() as coming:
        coming.enter_context(slots.coming(9))
        threads = queue(slots, [1], order)
        with slots.held(9, arrived=coming.close):
            assert order == []
            order.append(9)
    join(threads)
    assert order == [9, 1]


def test_no_more_slots_are_kept_than_units_are_on_their_way() -> None:
    slots = Slots(2)
    with slots.coming(9), slots.held(1, pytest.fail):
        join(queue(slots, [0], order := list[float]()))
    assert order == [0]


def test_who_cannot_wait_is_waited_for_by_nobody() -> None:
    slots = Slots(1)

    def fail() -> None:
        raise RuntimeError("no terminal")

    with slots.held(0):
        with pytest.raises(RuntimeError), slots.held(9, fail):
            pass
        threads = queue(slots, [1], order := list[float]())
    join(threads)
    assert order == [1]


def test_a_less_urgent_unit_keeps_nobody_waiting() -> None:
    slots = Slots(1)
    with slots.coming(1), slots.held(2, pytest.fail):
        pass


@contextmanager
def token(waits: Callable[[], None], check: Callable[[], None]) -> Iterator[None]:
    """A token that is never free."""
    waits()
    while True:
        check()
        time.sleep(0.01)
    yield


def test_who_waits_for_the_token_of_its_slot_has_not_begun_either() -> None:
    slots, order = Slots(2, 0, token), list[float]()
    threads = queue(slots, [1, 2], order)
    assert order == []
    slots.close()
    join(threads)
    assert sorted(order) == [-2, -1]


def test_a_slot_of_a_worker_comes_without_a_token() -> None:
    slots = Slots(1, 1, token)
    with slots.held(0, pytest.fail, leaves=True) as elsewhere:
        assert elsewhere


def kinds(slots: Slots, leaves: list[bool]) -> list[bool]:
    """Take a slot for each unit, one after the other, without giving one back."""
    with ExitStack() as held:
        taken = [held.enter_context(slots.held(0, pytest.fail, leaves=each)) for each in leaves]
    return taken


@pytest.mark.parametrize(
    ("here", "elsewhere", "expected"),
    [
        (1, 1, [True, False]),
        (2, 2, [True, False, True, False]),
        (2, 4, [True, False, True, True, False, True]),
        (1, 3, [True, False, True, True]),
    ],
)
def test_both_kinds_of_slots_fill_together(here: int, elsewhere: int, expected: list[bool]) -> None:
    slots, all_leave = Slots(here, elsewhere), [True] * len(expected)
    assert kinds(slots, all_leave) == expected
    assert kinds(slots, all_leave) == expected, "all were given back"


def test_a_unit_that_stays_takes_a_slot_of_this_machine() -> None:
    assert kinds(Slots(2, 2), [False, False, True, True]) == [False, False, True, True]


def test_without_workers_units_wait_for_a_slot_here() -> None:
    slots, begun = Slots(1, 2), threading.Event()

    def work() -> None:
        with slots.held(0, leaves=True) as elsewhere:
            assert not elsewhere
            begun.set()

    with slots.held(0, leaves=True) as elsewhere:
        assert elsewhere
        slots.stay()
    with slots.held(0, leaves=True) as elsewhere:
        assert not elsewhere
        thread = threading.Thread(target=work)
        thread.start()
        assert not begun.wait(0.1)
    join([thread])
    assert begun.is_set()


def test_a_less_urgent_unit_may_leave_while_a_more_urgent_one_waits_for_a_slot_here() -> None:
    slots, order = Slots(1, 1), list[float]()
    with slots.held(0):
        threads = queue(slots, [9], order)
        with slots.held(1, pytest.fail, leaves=True) as elsewhere:
            assert elsewhere and order == []
    join(threads)
    assert order == [9]
