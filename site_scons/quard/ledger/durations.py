"""How long each step of a board's packages and images took in the last build.

An incremental build takes other steps than a build from the archive. The first step identifies the
kind; each kind is recorded separately. Times apply to one number of jobs only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from quard.base.files import replace
from quard.base.record import Record, record


@record
class Past(Record):
    """Steps and their seconds, in order."""

    steps: Mapping[str, float]

    @property
    def first(self) -> str:
        return next(iter(self.steps))

    @property
    def seconds(self) -> float:
        return sum(self.steps.values())

    def rest(self, step: str, seconds: float) -> float | None:
        """Estimate the remaining time, `seconds` after `step` began, from the last build.

        None for a step that the last build did not have, or that takes clearly longer this time.
        """
        names = list(self.steps)
        if step not in self.steps or seconds > 1.2 * self.steps[step] + 5:
            return None
        later = sum(self.steps[name] for name in names[names.index(step) + 1 :])
        return max(0.0, self.steps[step] - seconds) + later


FILE = "durations.json"
"""Its name: in a board's folder for its packages and images, beside the store for all boards."""
Kinds = Mapping[str, Past]
"""First step -> the times; the last entry is the latest."""


def read(path: Path, jobs: int) -> dict[str, Kinds]:
    """Return name -> its times with this number of jobs; damaged entries are ignored."""
    found = _load(path)
    known: dict[str, Kinds] = {}
    for name, kinds in found.items():
        pasts = [Past(dict(kind["steps"])) for kind in kinds if kind["jobs"] == jobs]
        if pasts:
            known[name] = {past.first: past for past in pasts}
    return known


def latest(path: Path, jobs: int) -> dict[str, float]:
    """Return name -> seconds of its last build, if possible one with this number of jobs."""
    found = {}
    for name, kinds in _load(path).items():
        same = [kind for kind in kinds if kind["jobs"] == jobs] or kinds
        if same:
            found[name] = Past(dict(same[-1]["steps"])).seconds
    return found


def keep(path: Path, jobs: int, taken: Mapping[str, Mapping[str, float]]) -> None:
    """Add the times of a run; entries of other units stay. Raises OSError."""
    known = _load(path)
    for name, steps in taken.items():
        new = {"jobs": jobs, "steps": [[step, round(s, 2)] for step, s in steps.items()]}
        known[name] = [kind for kind in known.get(name, []) if _kind(kind) != _kind(new)] + [new]
    text = json.dumps(known, sort_keys=True, indent=1) + "\n"
    replace(path, text.encode())


def _kind(entry: Mapping[str, Any]) -> tuple[int, str]:
    return entry["jobs"], entry["steps"][0][0]


def _load(path: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the file's entries that have the form that `keep` writes."""
    try:
        found = json.loads(path.read_bytes())
        whole = all(map(_is_entry, (kind for kinds in found.values() for kind in kinds)))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}
    return found if whole else {}


def _is_entry(kind: Any) -> bool:
    """Return whether an entry is valid. Raises KeyError, TypeError, ValueError."""
    steps = dict(kind["steps"])
    good = all(
        isinstance(step, str) and type(seconds) in (int, float) and 0 <= seconds < 1e9
        for step, seconds in steps.items()
    )
    return bool(steps) and good and type(kind["jobs"]) is int
