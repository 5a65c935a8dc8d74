"""The basis of a result and its key: the one rule for "up to date".

A result is up to date if it carries a key that is valid for its unit now. The key is a hash over
the plan, the digests of the inputs, the environment that executes the plan, and the archive that
was unpacked. SCons' nodes, the shortcut of a null build, `why`, -n and the packager use it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from quard.base import canonical
from quard.plan.unit import Unit

RECORD = 5
"""Version of the format of records and interfaces. It is part of every key: an interface recorded
in another format would look changed to every dependant."""


def basis(
    unit: Unit, digests: Mapping[str, str], by: Mapping[str, Any], archive: str
) -> dict[str, Any]:
    """Return everything that a result depends on.

    digests -- of the unit's inputs, by `Input.name`
    by      -- what executes the plan: for a package the toolchain, and whether it is sealed; for
               an image the machine's tools that write it
    archive -- digest of the archive that is unpacked; "" if there is none
    """
    return {**_outer(digests, by, archive), "plan": unit.plan.instructions()}


def key(made: Mapping[str, Any]) -> str:
    """Return the key of a result with this basis."""
    return canonical.digest({**made, "plan": canonical.digest(made["plan"])})


def key_of(unit: Unit, digests: Mapping[str, str], by: Mapping[str, Any], archive: str) -> str:
    """Return `key(basis(...))` without spelling the instructions out."""
    return canonical.typed_digest({**_outer(digests, by, archive), "plan": unit.plan.identity})


def _outer(digests: Mapping[str, str], by: Mapping[str, Any], archive: str) -> dict[str, Any]:
    return {"record": RECORD, "inputs": dict(digests), "by": dict(by), "archive": archive}


def acceptable(now: Mapping[str, Any], archives: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    """Yield each basis whose result can be used for `now`, the best first.

    The result of a sealed build can be used anywhere; others only where builds cannot be sealed.

    archives -- those that the plan accepts, whichever of them `now` names
    """
    for archive in archives:
        for sealed in (True,) if now["by"].get("sealed", True) else (True, False):
            by = {**now["by"], "sealed": sealed} if "sealed" in now["by"] else now["by"]
            yield {**now, "archive": archive, "by": by}


def as_before(
    now: Mapping[str, Any], before: Mapping[str, Any] | None, archives: Sequence[str]
) -> Mapping[str, Any]:
    """Return `now` with the archive of the last result, if that archive is still accepted.

    Every remaining difference from `before` is a reason to rebuild the unit.
    """
    archive = before["archive"] if before else ""
    return {**now, "archive": archive if archive in archives else archives[0]}
