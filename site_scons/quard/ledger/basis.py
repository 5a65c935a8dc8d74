"""What a result is made from, and the key that follows from it: the one rule for "up to date".

A result is up to date if it carries a key that its unit may have now. The key stands for the plan,
for the digests of the input parts, for what executes the plan, and for the archive that was
unpacked. SCons' nodes, the shortcut of a null build, `why`, -n and the packager ask here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from quard.base import canonical
from quard.plan.unit import Input, Unit

RECORD = 4
"""Version of the record's form, and with it of the interface's; part of every key: a result whose
interface was written down in another way would look changed to all that depend on it."""


def basis(
    unit: Unit, digests: Mapping[Input, str], by: Mapping[str, Any], archive: str
) -> dict[str, Any]:
    """Return everything that a result depends on.

    digests -- of each of the unit's inputs
    by      -- what executes the plan: for a package the toolchain, and whether it is sealed
    archive -- digest of the archive that is unpacked; "" where there is none
    """
    return {**_outer(unit, digests, by, archive), "plan": unit.plan.instructions()}


def key(made: Mapping[str, Any]) -> str:
    """Return the key of a result by its basis."""
    return canonical.digest({**made, "plan": canonical.digest(made["plan"])})


def key_of(unit: Unit, digests: Mapping[Input, str], by: Mapping[str, Any], archive: str) -> str:
    """Return `key(basis(...))` without spelling the instructions out."""
    return canonical.digest({**_outer(unit, digests, by, archive), "plan": unit.plan.identity})


def _outer(
    unit: Unit, digests: Mapping[Input, str], by: Mapping[str, Any], archive: str
) -> dict[str, Any]:
    inputs = {each.name: digests[each] for each in unit.inputs}
    return {"record": RECORD, "inputs": inputs, "by": dict(by), "archive": archive}


def acceptable(now: Mapping[str, Any], archives: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    """Yield what a result may have been made from to be taken for `now`, the best first.

    What was made sealed is good wherever it is used; what was not, only where it cannot be sealed.

    archives -- those that the plan accepts, whichever `now` names
    """
    for archive in archives:
        for sealed in (True,) if now["by"].get("sealed", True) else (True, False):
            by = {**now["by"], "sealed": sealed} if "sealed" in now["by"] else now["by"]
            yield {**now, "archive": archive, "by": by}


def as_before(
    now: Mapping[str, Any], before: Mapping[str, Any] | None, archives: Sequence[str]
) -> Mapping[str, Any]:
    """Return `now` with the archive of the last result, if that one is still accepted.

    What differs from `before` is then a reason to make the unit again.
    """
    archive = before["archive"] if before else ""
    return {**now, "archive": archive if archive in archives else archives[0]}
