"""The whole run in words: what is done, and what is left of it."""

from __future__ import annotations

from quard.face.activity import Activities
from quard.face.estimate import Unit
from quard.face.outlook import Outlook, Run
from quard.ledger.durations import Past

PAST = {
    "lib": {"unpack": Past({"unpack": 10.0, "build": 100.0, "install": 10.0})},
    "user": {"unpack": Past({"unpack": 10.0, "build": 50.0})},
}
UNITS = {"lib": Unit(120.0), "user": Unit(60.0, ("lib",)), "rootfs.tar": Unit(20.0, ("user",))}


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class World:
    """One run, told by hand."""

    def __init__(self, jobs: int = 2) -> None:
        self.clock = Clock()
        self.activities = Activities(self.clock)
        self.run = Run()
        self.outlook = Outlook("tiny", UNITS, PAST, jobs)

    def words(self) -> tuple[str, str]:
        return self.run.words(self.activities.now(), self.activities, self.outlook)


def test_a_run_is_followed_from_its_first_step_to_its_last() -> None:
    world = World()
    lib = world.activities.begin("lib", "1")
    world.activities.step(lib, "unpack")
    assert world.words() == ("about 3 min left", "0 of 3 done")
    world.clock.now += 10
    world.activities.step(lib, "build")
    world.clock.now += 60
    assert world.words() == ("about 2 min left", "0 of 3 done")
    world.clock.now += 50
    world.activities.end(lib, made=True)
    user = world.activities.begin("user", "1")
    world.activities.step(user, "unpack")
    assert world.words() == ("about 80 s left", "1 of 3 done")
    assert world.activities.taken == {"lib": {"unpack": 10.0, "build": 110.0}}


def test_between_two_estimates_the_time_goes_by() -> None:
    world = World()
    world.outlook = Outlook("tiny", {"lib": Unit(52.0)}, {"lib": {"make": Past({"make": 52.0})}}, 2)
    lib = world.activities.begin("lib", "1")
    world.activities.step(lib, "make")
    world.clock.now += 3
    assert world.words()[0] == "about 50 s left"
    world.clock.now += 4.9
    assert world.words()[0] == "about 40 s left"


def test_who_takes_clearly_longer_than_last_time_leaves_nothing_to_say() -> None:
    world = World()
    lib = world.activities.begin("lib", "1")
    world.activities.step(lib, "unpack")
    world.clock.now += 12
    assert world.words()[0] != ""
    world.clock.now += 20
    assert world.words() == ("", "0 of 3 done")


def test_another_kind_of_build_is_compared_with_its_own_kind_only() -> None:
    world = World()
    lib = world.activities.begin("lib", "1")
    world.activities.step(lib, "update")
    assert world.words() == ("", "0 of 3 done")
    assert world.outlook.like(lib) is None


def test_what_scons_passed_over_is_done() -> None:
    """The library kept its interface: its user is up to date, and nobody says so."""
    world = World()
    lib = world.activities.begin("lib", "1")
    world.activities.step(lib, "unpack")
    world.activities.end(lib, made=True)
    rootfs = world.activities.begin("rootfs.tar")
    world.activities.step(rootfs, "make")
    assert world.words()[1] == "2 of 3 done"


def test_what_could_have_begun_and_has_not_is_not_waited_for() -> None:
    world = World()
    units = {"lib": Unit(120.0), "idle": Unit(1000.0), "user": Unit(60.0, ("lib",))}
    world.outlook = Outlook("tiny", units, PAST, 2)
    lib = world.activities.begin("lib", "1")
    world.activities.step(lib, "unpack")
    assert world.words()[0] == "about 17 min left"
    world.clock.now += 3
    assert world.words()[0] == "about 3 min left"


def test_with_all_jobs_busy_everything_else_is_waited_for() -> None:
    world = World(jobs=1)
    lib = world.activities.begin("lib", "1")
    world.activities.step(lib, "unpack")
    world.clock.now += 3
    assert world.words()[0] == "about 3 min left"


def test_a_failure_is_not_done_and_its_time_not_kept() -> None:
    world = World()
    lib = world.activities.begin("lib", "1")
    world.activities.step(lib, "unpack")
    world.clock.now += 1
    world.activities.end(lib, made=False)
    assert world.words()[1] == "0 of 3 done"
    assert world.activities.taken == {}


def test_what_needs_a_failed_package_is_not_waited_for() -> None:
    """With -k all that does not need it goes on."""
    world = World(jobs=1)
    units = {**UNITS, "other": Unit(55.0)}
    world.outlook = Outlook("tiny", units, {"other": {"make": Past({"make": 55.0})}}, 1)
    lib = world.activities.begin("lib", "1")
    world.activities.end(lib, made=False)
    other = world.activities.begin("other", "1")
    world.activities.step(other, "make")
    assert world.words() == ("about 60 s left", "0 of 4 done")
    world.clock.now += 1
    again = world.activities.begin("lib", "1")
    world.activities.step(again, "unpack")
    assert world.words()[0] == "", "it is had again, and nobody knows how long that takes"


def test_time_that_a_server_took_is_nobodys_work() -> None:
    world = World()
    lib = world.activities.begin("lib", "1")
    world.activities.step(lib, "fetch")
    world.clock.now += 500
    world.activities.step(lib, "unpack")
    world.clock.now += 2
    assert world.activities.now().items[0].began == 1500.0
    world.activities.end(lib, made=True)
    assert world.activities.taken == {"lib": {"unpack": 2.0}}


def test_what_was_opened_by_hand_is_no_build_to_compare_with() -> None:
    world = World()
    for steps in (("unpacking", "configure"), ("fewest lines: 3",), ("fetch",), ()):
        lib = world.activities.begin("lib", "1")
        for step in steps:
            world.activities.step(lib, step)
            world.clock.now += 1
        world.activities.end(lib, made=True)
    assert world.activities.taken == {}


def test_a_run_of_which_nothing_is_expected_is_not_measured() -> None:
    world = World()
    world.outlook = Outlook()
    world.activities.begin("lib", "1")
    assert world.words() == ("", "")
