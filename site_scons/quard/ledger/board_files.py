"""Files of a board in the plan of a package, by the names that people know.

A build has a patch or fragment of a board as board-NUMBER-NAME, whatever folder it is in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_IN_BUILD = re.compile(r"(?:board|root)-(?:\d+-)?(?P<name>.+\.(?:patch|fragment))\Z")
_KINDS = ("patches", "files")
Plan = Mapping[str, Any]
"""The instructions of a package's plan, as read from JSON."""


def renamed(old: Plan, new: Plan, places: Mapping[str, str]) -> tuple[Plan, Plan]:
    """Return two plans of a package with the files of the board by their own names.

    places -- name of a file in the build of `new` -> that of the board's file which it is
    A file of the board that only `old` has may be named without its path, which is not known.
    """
    return _with(old, _former(old, new, places)), _with(new, places)


def moved(old: Plan, new: Plan) -> list[str]:
    """Return a line for each kind of files of which only the order changed."""
    kinds = {
        "patches": [[name for name, _ in plan["patches"]] for plan in (old, new)],
        "fragments": [
            [name for step in _merging(plan) for name in step["fragments"]] for plan in (old, new)
        ],
    }
    return [
        f"the order of the {kind} changed"
        for kind, (before, now) in kinds.items()
        if before != now and sorted(before) == sorted(now)
    ]


def _former(old: Plan, new: Plan, places: Mapping[str, str]) -> dict[str, str]:
    """Return name of a board's file in the old build -> its name for people.

    The number in a name changes when the board lists another file before it.
    """
    found: dict[str, str] = {}
    for kind in _KINDS:
        before, now = dict(old[kind]), dict(new[kind])
        free = [name for name in now if name in places]
        left = [name for name in before if name in places or _was_the_boards(name, now)]
        for unchanged in (True, False):
            for name in tuple(left):
                alike = (each for each in free if _bare(each) == _bare(name))
                fit = next((n for n in alike if not unchanged or now[n] == before[name]), None)
                if fit is not None:
                    found[name] = places[fit]
                    free.remove(fit)
                    left.remove(name)
        found |= {name: gone(name, {} if name in now else places) for name in left}
    return found


def gone(name: str, places: Mapping[str, str]) -> str:
    """Return the name for people of a file that only an old build has."""
    if name in places or not _IN_BUILD.match(name):
        return places.get(name, name)
    return f"{_bare(name)} of the board"


def _was_the_boards(name: str, now: Mapping[str, str]) -> bool:
    """Return whether a file is one that a board had: a recipe's may have a similar name."""
    return name not in now and _IN_BUILD.match(name) is not None


def _bare(name: str) -> str:
    """Return the name of a file for its name in a build."""
    match = _IN_BUILD.match(name)
    return match["name"] if match else name


def _with(plan: Plan, names: Mapping[str, str]) -> Plan:
    """Return a plan with other names of patches, files and fragments."""
    if not names:
        return plan
    changed: dict[str, Any] = {
        kind: [[names.get(name, name), digest] for name, digest in plan[kind]] for kind in _KINDS
    }
    return {**plan, **changed, "steps": [_renamed_step(step, names) for step in plan["steps"]]}


def _renamed_step(step: Plan, names: Mapping[str, str]) -> Plan:
    settings = step.get("kconfig")
    if settings is None:
        return step
    merged = [names.get(name, name) for name in settings["fragments"]]
    return {**step, "kconfig": {**settings, "fragments": merged}}


def _merging(plan: Plan) -> Iterator[Mapping[str, Any]]:
    """Yield the settings of the steps that merge fragments."""
    return (step["kconfig"] for step in plan["steps"] if "kconfig" in step)
