"""Rounds of a build that is ended and the run after it."""

from __future__ import annotations

import random
import shutil
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

from . import damage, processes, strikes, verdict
from .board import STATES, UNITS, Board, State
from .states import Damage, complaints, damage_one
from .terminal import Terminal
from .verdict import Made

_END = 30.0
"""Seconds in which a build that was told to end has ended."""
_TO_IMAGES = 0.2
"""Share of the builds that are ended while images are made."""
_IMAGES = 0.8
_POLL = 0.05
_ORPHANS = 5.0
"""Seconds after which none of its processes is there any more."""
_GOOD = (0, 2)
"""It ended by itself: an interrupted build fails; a child's death may go unnoticed."""
_EARLY = (-signal.SIGINT, -signal.SIGTERM, -signal.SIGHUP)
"""Before the build begins and after it has ended, signals do what they do to any process."""
_KILLED = (-signal.SIGKILL, 0)
"""It may just have ended."""


@dataclass
class Round:
    """One build that was ended: by what, doing what, and what is wrong with what came of it."""

    kind: str
    hit: str
    phase: str
    start: str
    after: float
    recovery: float = 0.0
    rebuilt: int = 0
    damaged: str = ""
    faults: list[str] = field(default_factory=list)
    said: str = ""


class Campaign:
    """A board, how it looks when it is built cleanly, and random ends.

    units -- size of the slow package
    """

    def __init__(self, folder: Path, seed: int, units: int = UNITS) -> None:
        self._dice = random.Random(seed)
        self._folder = folder
        self._units = units
        self.board = Board(folder / "killed", units)
        self.clean: dict[State, Made] = {}
        self.lengths: dict[str, float] = {}
        for state in STATES:
            self.clean[state] = self._build_cleanly(state)

    def _build_cleanly(self, state: State) -> Made:
        board = Board(self._folder / f"clean-{state}", self._units)
        board.set(state)
        began = time.monotonic()
        ran = board.run()
        self.lengths["cold"] = self.lengths["warm"] = time.monotonic() - began
        if ran.status:
            raise RuntimeError(ran.text)
        found = verdict.made(board)
        shutil.rmtree(self._folder / f"clean-{state}")
        return found

    def round(self, kind: str) -> Round | None:
        """End one build; None where it was over before."""
        dice, board = self._dice, self.board
        start = dice.choice(("cold", "warm", "warm"))
        self._prepare(start)
        before = frozenset(process.pid for process in processes.table().values())
        with processes.adopting():
            run = Terminal(board)
            began = time.monotonic()
            self._let_run(run, start)
            if run.process.poll() is not None:
                run.close()
                self.lengths[start] = time.monotonic() - began
                return None
            phase = run.phase()
            hit = strikes.STRIKES[kind](run, dice)
            found = Round(kind, hit, phase, f"{start} {board.state}", time.monotonic() - began)
            self._watch_end(run, found, before)
        if dice.random() < 0.2:
            self._damage_guard(found)
        if dice.random() < 0.5:
            board.turn()
        self._recover(found)
        return found

    def _let_run(self, run: Terminal, start: str) -> None:
        """Let a build go on to any moment; now and then to the images, which take a second."""
        if self._dice.random() < _TO_IMAGES:
            while not run.wait(_POLL) and run.phase() != "images":
                pass
            run.wait(self._dice.uniform(0.0, _IMAGES))
        else:
            run.wait(self._dice.uniform(0.0, self.lengths[start]))

    def damage(self) -> Damage:
        """Damage state files of the board and build it again."""
        return damage_one(self.board, self.clean, self._dice)

    def start_cold(self) -> None:
        """Have the next run build everything."""
        for folder in (self.board.out, self.board.project.cache):
            shutil.rmtree(folder, ignore_errors=True)

    def _prepare(self, start: str) -> None:
        """Bring the tree to where the build begins: from nothing, or with some results known."""
        board, dice = self.board, self._dice
        if start == "cold":
            self.start_cold()
            return
        if dice.random() < 0.7:
            board.turn()
        for store in (board.store, board.out / "store"):
            for record in sorted((store / "ac").rglob("*.json")):
                if dice.random() < 0.5:
                    record.unlink()

    def _damage_guard(self, found: Round) -> None:
        """Damage what names the files that the next run must not trust."""
        journal = self.board.out / "journal"
        if journal.exists():
            found.damaged = self._dice.choice(sorted(damage.HARMS))
            damage.harm([journal], found.damaged, self._dice)

    def _watch_end(self, run: Terminal, found: Round, before: frozenset[int]) -> None:
        ended = run.wait(_END)
        left = processes.left(before | {run.pid}, _ORPHANS)
        found.faults += [f"still running: {p.name}: {p.text}" for p in left]
        if not ended:
            found.faults.append(f"did not end within {_END:.0f} s")
            run.process.kill()
            run.process.wait()
        processes.finish(left)
        processes.left(before, _ORPHANS)
        run.close()
        found.said = run.said
        status = run.process.returncode
        killed = found.kind not in strikes.GENTLE and found.hit in ("scons", "group", "all")
        if status not in (_KILLED if killed else (*_GOOD, *_EARLY)):
            found.faults.append(f"ended with status {status}")
        if "Traceback" in found.said:
            found.faults.append("a traceback in the build that was ended")
        if verdict.held(self.board.out / "lock"):
            found.faults.append("the lock is held after the end")

    def _recover(self, found: Round) -> None:
        board = self.board
        began = time.monotonic()
        ran = board.run()
        found.recovery = time.monotonic() - began
        found.rebuilt = len(ran.summary.get("built", ()))
        found.faults += complaints("the next run", ran)
        if ran.status:
            return
        made, clean = verdict.made(board), self.clean[board.state]
        found.faults += verdict.differences(made.images, clean.images)
        found.faults += verdict.differences(made.results, clean.results)
        found.faults += verdict.litter(board)
        again = board.run()
        if again.status or again.built or again.summary["restored"] or again.summary["images"]:
            found.faults.append(f"a third run had something to do: {again.text}")
