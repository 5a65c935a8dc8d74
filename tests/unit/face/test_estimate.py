"""What is said about the time that is left."""

from __future__ import annotations

import time

import pytest

from quard.face.estimate import Left, Unit, held_up, left, settled, told


def same(seconds: float) -> Left:
    return Left(seconds, seconds)


def test_one_after_the_other_takes_the_sum() -> None:
    waiting = {"a": Unit(10), "b": Unit(20), "c": Unit(30)}
    assert left(waiting, {}, 1) == same(60)


def test_beside_each_other_the_longest_counts() -> None:
    assert left({"a": Unit(10), "b": Unit(20), "c": Unit(30)}, {}, 3) == same(30)
    assert left({"a": Unit(10), "b": Unit(20), "c": Unit(30)}, {}, 2) == same(30)
    assert left({name: Unit(10) for name in "abcde"}, {}, 2) == same(30)


def test_a_chain_takes_its_sum_however_many_jobs_there_are() -> None:
    chain = {"a": Unit(10), "b": Unit(20, ("a",)), "c": Unit(30, ("b",)), "d": Unit(5)}
    assert left(chain, {}, 8) == same(60)


def test_the_longest_chain_begins_first() -> None:
    waiting = {"a": Unit(10), "b": Unit(10), "long": Unit(10), "end": Unit(30, ("long",))}
    assert left(waiting, {}, 2) == same(40)


def test_what_is_in_work_holds_a_job_and_those_that_need_it() -> None:
    waiting = {"user": Unit(10, ("lib",)), "other": Unit(4)}
    assert left(waiting, {"lib": 7.0}, 2) == same(17)
    assert left(waiting, {"lib": 7.0}, 1) == same(21)


def test_needs_that_are_there_already_hold_nobody_up() -> None:
    assert left({"user": Unit(10, ("lib",))}, {}, 2) == same(10)


def test_nothing_is_said_where_one_time_is_not_known() -> None:
    assert left({"a": Unit(None), "b": Unit(20)}, {}, 2) is None
    assert left({"b": Unit(20)}, {"a": None}, 2) is None
    assert told(None) == ""


def test_what_may_be_spared_gives_a_range() -> None:
    waiting = {"user": Unit(300, ("lib",), sure=False), "rootfs": Unit(20, ("user",))}
    assert left(waiting, {"lib": 100.0}, 2) == Left(120, 420)


def test_nothing_left_is_no_time() -> None:
    assert left({}, {}, 2) == same(0)


@pytest.mark.parametrize(
    ("least", "most", "words"),
    [
        (0, 0, "about 10 s left"),
        (44, 44, "about 40 s left"),
        (55, 55, "about 60 s left"),
        (94, 94, "about 90 s left"),
        (95, 95, "about 2 min left"),
        (400, 400, "about 7 min left"),
        (399, 430, "about 7 min left"),
        (120, 420, "2 to 7 min left"),
        (20, 420, "20 s to 7 min left"),
        (20, 50, "20 to 50 s left"),
        (6000, 6000, "about 1 h 40 min left"),
        (600, 7200, "10 min to 2 h left"),
        (4000, 9000, "67 min to 2 h 30 min left"),
    ],
)
def test_it_is_told_no_finer_than_it_is_known(least: float, most: float, words: str) -> None:
    assert told(Left(least, most)) == words


def test_who_began_has_all_that_it_needs() -> None:
    waiting = {"a": Unit(1), "b": Unit(1, ("a",)), "c": Unit(1, ("b",)), "d": Unit(1)}
    assert settled(waiting, {"c"}) == {"a", "b"}
    assert settled(waiting, {"unknown"}) == set()


def test_only_what_hangs_on_something_in_work_is_held_up() -> None:
    waiting = {"b": Unit(1, ("a",)), "c": Unit(1, ("b",)), "d": Unit(1), "e": Unit(1, ("d",))}
    assert held_up(waiting, {"a"}) == {"b", "c"}
    assert held_up(waiting, set()) == set()


def test_three_thousand_packages_are_estimated_in_a_moment() -> None:
    units = {
        f"p{n}": Unit(float(n % 7), tuple(f"p{m}" for m in range(max(0, n - 3), n)))
        for n in range(3000)
    }
    began = time.process_time()
    assert left(units, {}, 8) is not None
    assert time.process_time() - began < 1
