"""Builds are sealed with the machine's bubblewrap, else with the pinned one."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from tool_parts import NAMES as EMPTY
from tool_parts import locked

from quard.base.errors import QuardError
from quard.base.programs import Programs
from quard.process.system import System
from quard.project.sealing import Sealing, find
from quard.tools.finding import unavailable
from quard.tools.lock import Lock, LockedPackage
from quard.tools.pinned import Memory, PinnedTools
from quard.tools.selection import Selection

PACKAGE = locked("bubblewrap", commands=("bwrap",))
NAMES = replace(EMPTY, machine=("bubblewrap",))


@dataclass
class Roots:
    """Roots of one package, whose bubblewrap starts the machine's own."""

    folder: Path
    real: str
    fault: QuardError | None = None
    made: list[str] = field(default_factory=list)

    def digest(self, *_: object) -> str:
        return "one"

    def has(self, *_: object) -> bool:
        return bool(self.made)

    def ready(self, *_: object) -> None:
        return None

    def prepare(self, *_: object) -> None:
        pass

    def owners(self, *_: object) -> dict[str, LockedPackage]:
        return {}

    def provide(self, *_: object) -> System:
        if self.fault:
            raise self.fault
        program = self.folder / "usr/bin/bwrap"
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(f'#!/bin/sh\nexec {self.real} "$@"\n')
        program.chmod(0o755)
        self.made.append("bubblewrap")
        return System(self.folder)

    def tools(self) -> PinnedTools:
        lock = Lock(release="one", machine="amd64", packages={"bubblewrap": PACKAGE})
        selection = Selection(lock, NAMES, "one-linux", self)
        memory = Memory(Programs(self.folder.parent / "programs.json"), (), "one")
        return PinnedTools(lambda: selection, memory)


@pytest.fixture
def roots(tmp_path: Path) -> Roots:
    real = shutil.which("bwrap")
    assert real
    return Roots(tmp_path / "root", real)


@pytest.fixture
def without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, roots: Roots) -> Roots:
    """A machine without bubblewrap."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return roots


def test_the_machines_own_is_used_where_there_is_one(roots: Roots) -> None:
    assert find("auto", roots.tools, fetch=True) == Sealing("bwrap", "", (roots.real,))
    assert not roots.made


@pytest.mark.parametrize("wanted", ["auto", "bwrap"])
def test_the_pinned_one_is_used_where_there_is_none(without: Roots, wanted: str) -> None:
    program = str(without.folder / "usr/bin/bwrap")
    assert find(wanted, without.tools, fetch=True) == Sealing("bwrap", "", (program,))


def test_a_question_fetches_none_and_expects_that_it_works(without: Roots) -> None:
    assert find("auto", without.tools, fetch=False) == Sealing("bwrap", "")
    assert not without.made
    find("auto", without.tools, fetch=True)
    assert find("auto", without.tools, fetch=False).start


def test_where_it_cannot_be_fetched_that_is_part_of_the_reason(without: Roots) -> None:
    without.fault = unavailable("no mirror")
    found = find("auto", without.tools, fetch=True)
    assert (found.mode, found.start) == ("none", ())
    with pytest.raises(QuardError, match="no mirror") as caught:
        found.require()
    assert caught.value is without.fault
    assert found.obstacle == (
        "bwrap is not installed, and the pinned tools cannot be used: no mirror"
    )


def test_a_damaged_package_is_an_error(without: Roots) -> None:
    without.fault = QuardError("not as locked", reason="hash-mismatch", hint="")
    with pytest.raises(QuardError, match="not as locked"):
        find("auto", without.tools, fetch=True)


@pytest.mark.parametrize("fetch", [False, True])
def test_a_project_without_pinned_tools_has_none_to_fetch(without: Roots, fetch: bool) -> None:
    assert without.folder
    assert find("auto", lambda: None, fetch=fetch) == Sealing("none", "bwrap is not installed")


def test_what_cannot_be_sealed_is_an_error_where_that_is_required(
    without: Roots, tmp_path: Path
) -> None:
    find("auto", without.tools, fetch=True).require()
    (tmp_path / "bwrap").write_text("#!/bin/sh\necho 'bwrap: no permission' >&2\nexit 1\n")
    (tmp_path / "bwrap").chmod(0o755)
    with pytest.raises(QuardError) as caught:
        find("auto", without.tools, fetch=True).require()
    assert caught.value.reason == "tools-unavailable"
    assert caught.value.message.endswith("cannot be sealed on this machine: bwrap: no permission")


def test_where_sealing_is_switched_off_none_is_fetched(without: Roots) -> None:
    assert find("none", without.tools, fetch=True).mode == "none"
    assert not without.made
