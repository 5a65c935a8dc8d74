"""Which tools builds use: decided once, kept, and said where they are the machine's own."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from tool_parts import NAMES as EMPTY
from tool_parts import locked

from quard.base.errors import QuardError
from quard.base.programs import Programs
from quard.process.system import System
from quard.project.toolset import Toolset
from quard.tools.finding import unavailable
from quard.tools.lock import Lock, LockedPackage
from quard.tools.pinned import Memory, PinnedTools
from quard.tools.selection import Selection

PACKAGE = locked("make", commands=("make",))
LOCK = Lock(release="one", machine="amd64", packages={"make": PACKAGE})
NAMES = replace(EMPTY, common=("make",), targets={"one-linux": ()})


@dataclass
class Machine:
    """A machine with one board; the fields say what it can do."""

    folder: Path
    seals: bool = True
    has_lock: bool = True
    fault: QuardError | None = None
    missing: QuardError | None = None
    mirrors: tuple[str, ...] = ()
    made: int = 0
    notes: list[str] = field(default_factory=list)
    decides: Toolset | None = None

    @property
    def unsaid(self) -> str:
        assert self.decides
        return self.decides.unsaid

    def digest(self, *_: object) -> str:
        return "one"

    def has(self, *_: object) -> bool:
        return False

    def ready(self, *_: object) -> None:
        return None

    def prepare(self, *_: object) -> None:
        pass

    def owners(self, *_: object) -> dict[str, LockedPackage]:
        return {}

    def provide(self, *_: object) -> System:
        self.made += 1
        if self.missing:
            raise self.missing
        return System(self.folder)

    def find(self) -> PinnedTools | None:
        if self.fault:
            raise self.fault
        return self.tools() if self.has_lock else None

    def tools(self) -> PinnedTools:
        selection = Selection(LOCK, NAMES, "one-linux", self)
        memory = Memory(Programs(self.folder / "programs.json"), (), "one")
        return PinnedTools(lambda: selection, memory)

    def seal(self) -> None:
        if not self.seals:
            raise unavailable("no permission")

    def pinned(self, wanted: str = "auto", *, again: bool = False, fetch: bool = True) -> bool:
        """Return whether a new run uses the pinned tools."""
        places = {"root": wanted, "mirrors": self.mirrors}
        path = self.folder / "tools.json"
        self.decides = decides = Toolset(path, wanted, self.find, self.seal, places)
        return decides.decide(self.notes.append, again=again, fetch=fetch) is not None


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def no_source() -> QuardError:
    return QuardError("make: its source could not be downloaded", reason="no-source", hint="wait")


def test_pinned_tools_are_used_where_they_can_be(machine: Machine) -> None:
    assert machine.pinned()
    assert machine.made == 1 and not machine.notes


def test_second_run_keeps_the_decision_and_tries_nothing(machine: Machine) -> None:
    assert machine.pinned()
    machine.seals, machine.missing = False, no_source()
    assert machine.pinned()
    assert machine.made == 1


def test_machines_own_tools_are_used_when_asked_for(machine: Machine) -> None:
    machine.fault = QuardError("not even looked for", reason="bad-tools", hint="")
    assert not machine.pinned("machine")
    assert not machine.notes and not machine.made


@pytest.mark.parametrize("trouble", ["seals", "fault", "missing"])
def test_auto_falls_back_and_says_so_once(machine: Machine, trouble: str) -> None:
    troubles = {"seals": False, "fault": unavailable("no lock"), "missing": no_source()}
    setattr(machine, trouble, troubles[trouble])
    assert not machine.pinned()
    assert len(machine.notes) == 1
    assert machine.notes[0].startswith("note: this machine's own tools are used: ")
    assert not machine.pinned()
    assert len(machine.notes) == 1


def test_why_builds_cannot_be_sealed_is_said(machine: Machine) -> None:
    machine.seals = False
    assert not machine.pinned()
    assert "the pinned tools cannot be used: no permission" in machine.notes[0]


@pytest.mark.parametrize("trouble", ["seals", "fault", "missing"])
def test_pinned_is_an_error_where_it_cannot_be(machine: Machine, trouble: str) -> None:
    troubles = {"seals": False, "fault": unavailable("no lock"), "missing": no_source()}
    setattr(machine, trouble, troubles[trouble])
    for _ in range(2):
        with pytest.raises(QuardError) as caught:
            machine.pinned("pinned")
        assert caught.value.reason in ("tools-unavailable", "no-source")
    assert not machine.notes


def test_the_reason_is_there_for_who_needs_it_where_no_note_had_it(machine: Machine) -> None:
    machine.missing = no_source()
    assert not machine.pinned() and not machine.unsaid
    assert not machine.pinned() and machine.unsaid == machine.notes[0]
    assert not machine.pinned(again=True) and machine.unsaid == machine.notes[0]
    machine.seals = False
    assert not machine.pinned(fetch=False, again=True) and "no permission" in machine.unsaid
    machine.seals, machine.missing = True, None
    assert machine.pinned(again=True) and not machine.unsaid
    assert len(machine.notes) == 1


def test_fall_back_is_kept_until_something_changes(machine: Machine) -> None:
    machine.missing = no_source()
    assert not machine.pinned()
    machine.missing = None
    assert not machine.pinned(), "a mirror that is back would rebuild everything"
    assert machine.pinned(again=True)
    assert machine.pinned()


def test_other_mirrors_are_a_reason_to_decide_again(machine: Machine) -> None:
    machine.missing = no_source()
    assert not machine.pinned()
    machine.missing, machine.mirrors = None, ("http://mirror/debian",)
    assert machine.pinned()


@pytest.mark.parametrize("reason", ["bad-tools", "hash-mismatch", "disk-full", "interrupted"])
def test_other_errors_are_not_a_reason_to_fall_back(machine: Machine, reason: str) -> None:
    machine.missing = QuardError("trouble", reason=reason, hint="")
    with pytest.raises(QuardError, match="trouble"):
        machine.pinned()
    assert not (machine.folder / "tools.json").exists()


def test_question_fetches_nothing_and_keeps_nothing(machine: Machine) -> None:
    assert machine.pinned(fetch=False)
    assert not machine.made and not (machine.folder / "tools.json").exists()
    machine.fault = unavailable("no lock")
    assert not machine.pinned(fetch=False)
    assert not machine.notes


def test_damaged_decision_is_made_again(machine: Machine) -> None:
    assert machine.pinned()
    (machine.folder / "tools.json").write_text("{}")
    assert machine.pinned()
    assert machine.made == 2


def test_project_without_pinned_tools_says_nothing(machine: Machine) -> None:
    machine.has_lock = False
    assert not machine.pinned("auto")
    assert not machine.notes
