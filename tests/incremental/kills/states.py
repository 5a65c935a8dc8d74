"""Rounds in which state files of a built board are damaged, and the runs after that."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from incremental.project import Ran

from . import damage, verdict
from .board import Board, State
from .verdict import Made


@dataclass
class Damage:
    """What was damaged and how, what was built then, and what is wrong with it."""

    what: str
    how: str
    state: State
    recovery: float = 0.0
    rebuilt: int = 0
    faults: list[str] = field(default_factory=list)


def damage_one(board: Board, clean: dict[State, Made], dice: random.Random) -> Damage:
    """Damage some state files of a board, change its inputs perhaps, and build it.

    Then its inputs are changed and it is built once more: what a run has no use for may stay
    damaged, and must do no harm in the next one.
    """
    _must(board.run())
    kinds = damage.files(board)
    kind = dice.choice(sorted(name for name in kinds if kinds[name]))
    paths = kinds[kind]
    if dice.random() < 0.7:
        paths = dice.sample(paths, min(len(paths), dice.randint(1, 3)))
    how = dice.choice(sorted(damage.HARMS))
    damage.harm(paths, how, dice)
    if dice.random() < 0.5:
        board.turn()
    what = f"{kind}: {', '.join(_short(board, path) for path in paths)}"
    found = Damage(what if len(what) < 120 else f"{kind}: {len(paths)} files", how, board.state)
    if dice.random() < 0.3:
        found.faults += complaints("why", board.ask("why"))
    began = time.monotonic()
    ran = board.run()
    found.recovery = time.monotonic() - began
    found.rebuilt = len(ran.summary.get("built", ()))
    found.faults += complaints("the next run", ran)
    found.faults += verdict.differences(verdict.images(board), clean[board.state].images)
    found.faults += verdict.litter(board)
    board.turn()
    found.faults += complaints("the run after a change", board.run())
    found.faults += verdict.differences(verdict.images(board), clean[board.state].images)
    return found


def complaints(name: str, ran: Ran) -> list[str]:
    """Return what is wrong with a run that should have come to its end."""
    bad = [word for word in ("Traceback", "internal-error") if word in ran.text]
    if ran.status or bad:
        return [f"{name} ended with status {ran.status}: {ran.text[-2000:]}"]
    return []


def _must(ran: Ran) -> None:
    if ran.status:
        raise RuntimeError(ran.text)


def _short(board: Board, path: Path) -> str:
    for folder in (board.out, board.project.cache):
        if path.is_relative_to(folder):
            return str(path.relative_to(folder.parent))
    return str(path)


def totals(found: Sequence[Damage]) -> dict[str, int]:
    """Return how many rounds there were of each kind of file."""
    kinds = sorted({one.what.partition(":")[0] for one in found})
    return {kind: sum(one.what.startswith(f"{kind}:") for one in found) for kind in kinds}
