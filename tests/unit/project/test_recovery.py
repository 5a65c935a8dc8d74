"""Lost results: each is made again once, whoever finds it, and never without end.

The build is a stand-in: the store of a real one loses nothing at a given moment.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from quard.base.errors import QuardError
from quard.ledger.results import LostResult, Result, lost_blob
from quard.plan.plan import Plan
from quard.plan.unit import Input, Unit
from quard.process.stop import Stop
from quard.project.build import BoardBuild
from quard.project.recovery import NotMadeAgain, Recovery


def unit(name: str, *needs: str) -> Unit:
    inputs = tuple(Input(f"{need}@one", "interface") for need in needs)
    return Unit(f"{name}@one", Plan(name=name, version="1", triple="t"), inputs, ("interface",))


UNITS = {u.id: u for u in (unit("base"), unit("lib", "base"), unit("tool", "lib"), unit("other"))}


@dataclass
class Build:
    """A board whose units are made by functions of the test.

    lost  -- packages whose blobs are gone
    makes -- id -> what making it does, besides bringing its blobs back
    """

    lost: set[str] = field(default_factory=set)
    makes: dict[str, Callable[[], None]] = field(default_factory=dict)
    made: list[str] = field(default_factory=list)
    warned: list[str] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)
    version: Counter[str] = field(default_factory=Counter)
    current: dict[str, str] = field(default_factory=dict)
    units: dict[str, Unit] = field(default_factory=lambda: dict(UNITS))
    stop: Stop = field(default_factory=Stop)

    def __post_init__(self) -> None:
        for each in UNITS.values():
            self.current[each.id] = self.key(each)

    @property
    def workspace(self) -> Any:
        return self

    @property
    def host(self) -> Any:
        return self

    @property
    def ledger(self) -> Any:
        return self

    @property
    def console(self) -> Any:
        return self

    @property
    def outputs(self) -> Any:
        return self

    def warn(self, line: str) -> None:
        self.warned.append(line)

    def drop(self, lost: LostResult) -> str:
        return lost.package

    def package(self, name: str) -> Unit:
        return UNITS[f"{name}@one"]

    def key(self, each: Unit) -> str:
        return ",".join(f"{i.unit}{self.version[i.unit]}" for i in each.inputs)

    def forget(self, each: Unit) -> None:
        self.forgotten.append(each.name)

    def result(self, each: Unit) -> Result:
        return Result("", "", True, {"interface": str(self.version[each.id])})

    def is_current(self, each: Unit) -> bool:
        return self.current[each.id] == self.key(each)

    def make(self, each: Unit) -> None:
        for need in each.inputs:
            if need.unit in self.lost:
                raise lost_blob(UNITS[need.unit].name, "dev", "0" * 64)
        key = self.key(each)
        self.makes.get(each.id, lambda: None)()
        self.made.append(each.name)
        self.lost.discard(each.id)
        self.current[each.id] = key


def recovery(build: Build, *settled: str) -> Recovery:
    return Recovery(cast(BoardBuild, build), lambda each: each.id in settled)


def test_a_loss_is_made_again_before_the_work_goes_on() -> None:
    build = Build(lost={"lib@one"})
    recovery(build).make(UNITS["tool@one"])
    assert build.made == ["lib", "tool"] and build.warned == ["lib"]


def test_what_is_needed_to_make_a_loss_again_may_be_lost_too() -> None:
    build = Build(lost={"lib@one", "base@one"})
    recovery(build).make(UNITS["tool@one"])
    assert build.made == ["base", "lib", "tool"] and build.warned == ["lib", "base"]


def test_several_threads_that_find_a_loss_make_it_again_once() -> None:
    build, met = Build(lost={"lib@one"}), threading.Barrier(8)
    found = recovery(build)

    def work() -> None:
        lost = "lib@one" in build.lost
        if threading.current_thread() not in waited:
            waited.add(threading.current_thread())
            met.wait(20)
        if lost:
            raise lost_blob("lib", "dev", "0" * 64)

    waited: set[threading.Thread] = set()
    threads = [threading.Thread(target=found.run, args=(work,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert build.made == ["lib"] and build.warned == ["lib"]


def test_what_is_lost_each_time_is_an_error_in_the_end() -> None:
    build = Build(lost={"lib@one"})

    def work() -> None:
        raise lost_blob("lib", "dev", "0" * 64)

    with pytest.raises(LostResult):
        recovery(build).run(work)
    assert build.made == ["lib"] * 3


def test_what_cannot_be_made_again_is_tried_once_and_fails_all_that_need_it() -> None:
    def fail() -> None:
        tried.append("lib")
        raise QuardError("lib 1: build failed", reason="build-failed")

    tried: list[str] = []
    build = Build(lost={"lib@one"}, makes={"lib@one": fail})
    found = recovery(build)
    for _ in range(3):
        with pytest.raises(NotMadeAgain) as caught:
            found.make(UNITS["tool@one"])
        assert caught.value.package == "lib"
        assert isinstance(caught.value.error, QuardError)
        assert caught.value.error.reason == "build-failed"
    assert tried == ["lib"] and build.made == []


def test_the_deepest_failure_is_the_one_that_is_reported() -> None:
    def fail() -> None:
        raise QuardError("base 1: build failed", reason="build-failed")

    build = Build(lost={"lib@one", "base@one"}, makes={"base@one": fail})
    with pytest.raises(NotMadeAgain) as caught:
        recovery(build).make(UNITS["tool@one"])
    assert caught.value.package == "base"


def test_an_interrupted_build_is_no_failure_of_the_package() -> None:
    def interrupted() -> None:
        build.stop.request()
        raise QuardError("killed", reason="build-failed")

    build = Build(lost={"lib@one"}, makes={"lib@one": interrupted})
    with pytest.raises(QuardError) as caught:
        recovery(build).make(UNITS["tool@one"])
    assert caught.value.reason == "interrupted"


def test_another_result_reaches_what_was_made_of_the_earlier_one_and_nothing_else() -> None:
    def differ() -> None:
        build.version["base@one"] += 1

    build = Build(lost={"base@one"}, makes={"base@one": differ})
    found = recovery(build, "lib@one", "tool@one", "other@one")
    found.run(lambda: build.make(UNITS["lib@one"]))
    assert build.made == ["base", "lib", "lib"]
    assert build.is_current(UNITS["lib@one"])


def test_a_unit_that_was_being_made_of_the_earlier_result_is_made_again() -> None:
    """Another thread makes `base` again, with another result, while `lib` is being made of it."""

    def slow() -> None:
        if not build.made:
            build.lost.add("base@one")
            thread = threading.Thread(target=lambda: found.run(uses_base))
            thread.start()
            thread.join(20)

    def uses_base() -> None:
        if "base@one" in build.lost:
            raise lost_blob("base", "dev", "0" * 64)

    def differ() -> None:
        build.version["base@one"] += 1

    build = Build(makes={"lib@one": slow, "base@one": differ})
    found = recovery(build)
    found.make(UNITS["lib@one"])
    assert build.made == ["base", "lib", "lib"]
    assert build.is_current(UNITS["lib@one"])


def test_what_the_run_has_only_compared_is_made_again_too() -> None:
    """SCons found `lib` up to date; then `base` was lost, and has another result now."""

    def differ() -> None:
        build.version["base@one"] += 1

    build = Build(lost={"base@one"}, makes={"base@one": differ})
    done: set[str] = set()
    found = Recovery(cast(BoardBuild, build), lambda each: each.id in done)
    done.add("lib@one")
    found.run(lambda: uses(build, "base"))
    assert build.made == ["base", "lib"] and build.is_current(UNITS["lib@one"])
    assert found.was_needed and not recovery(build).was_needed


def uses(build: Build, name: str) -> None:
    if f"{name}@one" in build.lost:
        raise lost_blob(name, "dev", "0" * 64)


@pytest.mark.parametrize("error", [OSError("full"), KeyError("a bug")])
def test_any_failure_is_that_of_the_package_and_of_each_dependant(error: Exception) -> None:
    def fail() -> None:
        raise error

    build = Build(lost={"lib@one"}, makes={"lib@one": fail})
    found = recovery(build)
    for _ in range(4):
        with pytest.raises(NotMadeAgain) as caught:
            found.make(UNITS["tool@one"])
        assert (caught.value.package, caught.value.error) == ("lib", error)
    assert build.warned == ["lib"]


def test_a_failure_below_is_that_of_each_dependant_as_often_as_it_is_met() -> None:
    def fail() -> None:
        raise QuardError("base 1: no source", reason="no-source")

    build = Build(lost={"lib@one", "base@one"}, makes={"base@one": fail})
    found = recovery(build)
    for _ in range(5):
        with pytest.raises(NotMadeAgain) as caught:
            found.make(UNITS["tool@one"])
        assert caught.value.package == "base"
    assert build.warned == ["lib", "base"]


def test_a_user_that_cannot_be_made_again_fails_under_its_own_name() -> None:
    def differ() -> None:
        build.version["base@one"] += 1

    def fail() -> None:
        raise QuardError("lib 1: no source", reason="no-source")

    build = Build(lost={"base@one"}, makes={"base@one": differ, "lib@one": fail})
    found = recovery(build, "lib@one")
    with pytest.raises(NotMadeAgain) as caught:
        found.run(lambda: uses(build, "base"))
    assert caught.value.package == "lib" and build.forgotten == ["lib"]
    found.run(lambda: uses(build, "base"))
    assert build.made == ["base"]
