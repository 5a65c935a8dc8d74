"""How long the steps of a board's packages and images took when they were last made.

An incremental build takes other steps than one from the archive, and is told by the first of them:
each kind is remembered by itself. With another number of jobs nothing takes as long as before.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quard.base.files import replacing


@dataclass(frozen=True)
class Past:
    """Steps and their seconds, in order."""

    steps: Mapping[str, float]

    @property
    def first(self) -> str:
        return next(iter(self.steps))

    @property
    def seconds(self) -> float:
        return sum(self.steps.values())

    def rest(self, step: str, seconds: float) -> float | None:
        """Return how long the rest takes, `seconds` after `step` began, if all goes as then.

        None for a step that there was not, and for one that takes clearly longer than then.
        """
        names = list(self.steps)
        if step not in self.steps or seconds > 1.2 * self.steps[step] + 5:
            return None
        later = sum(self.steps[name] for name in names[names.index(step) + 1 :])
        return max(0.0, self.steps[step] - seconds) + later


Kinds = Mapping[str, Past]
"""First step -> what was taken; the last entry is the latest."""


def read(path: Path, jobs: int) -> dict[str, Kinds]:
    """Return name -> what is remembered of it for this number of jobs; damage is no memory."""
    found = _load(path)
    known: dict[str, Kinds] = {}
    for name, kinds in found.items():
        pasts = [Past(dict(kind["steps"])) for kind in kinds if kind["jobs"] == jobs]
        if pasts:
            known[name] = {past.first: past for past in pasts}
    return known


def keep(path: Path, jobs: int, taken: Mapping[str, Mapping[str, float]]) -> None:
    """Add what a run has taken; the others' entries stay. Raises OSError."""
    known = _load(path)
    for name, steps in taken.items():
        new = {"jobs": jobs, "steps": [[step, round(s, 2)] for step, s in steps.items()]}
        known[name] = [kind for kind in known.get(name, []) if _kind(kind) != _kind(new)] + [new]
    with replacing(path) as part:
        part.write_text(json.dumps(known, sort_keys=True, indent=1) + "\n", encoding="utf-8")


def _kind(entry: Mapping[str, Any]) -> tuple[int, str]:
    return entry["jobs"], entry["steps"][0][0]


def _load(path: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the file's content, of which every entry has the form that `keep` writes."""
    try:
        found = json.loads(path.read_bytes())
        whole = all(map(_is_entry, (kind for kinds in found.values() for kind in kinds)))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}
    return found if whole else {}


def _is_entry(kind: Any) -> bool:
    """Tell whether an entry is one. Raises KeyError, TypeError, ValueError."""
    steps = dict(kind["steps"])
    good = all(
        isinstance(step, str) and type(seconds) in (int, float) and 0 <= seconds < 1e9
        for step, seconds in steps.items()
    )
    return bool(steps) and good and type(kind["jobs"]) is int
