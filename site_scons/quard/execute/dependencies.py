"""The sysroot of a build: the dev parts of the package's dependencies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from quard.base.errors import QuardError
from quard.base.plain import one_line
from quard.execute import sysroot
from quard.execute.toolchain import Toolchain
from quard.ledger.results import Results, lost_blob, recorded
from quard.parts.stage import below
from quard.plan.plan import Plan
from quard.store import blob
from quard.store.merge import Collision
from quard.store.stores import Stores

_PART = "dev"


def lay_out(
    plan: Plan,
    needs: Mapping[str, Results],
    folder: Path,
    toolchain: Toolchain,
    stores: Stores,
) -> None:
    """Put the dependencies' files into the sysroot folder, over the toolchain's own sysroot.

    needs  -- the results of every package in the plan's needs and links
    stores -- the stores that have their dev parts
    Raises QuardError file-collision with every path that two of them have, LostResult.
    """
    met: list[str] = []
    before: list[str] = []

    def extract(name: str) -> None:
        sha256 = recorded(needs[name], _PART)
        try:
            if not stores.extract(sha256, folder):
                raise lost_blob(needs[name].name, _PART, sha256)
        except Collision as error:
            for where, text in sorted(error.found.items()):
                other = _who_has(where, [(one, needs[one]) for one in before], stores)
                met.append(one_line(f"{where}: {other} and {name}: {text}"))
        before.append(name)

    for name in plan.links:
        extract(name)
    sysroot.libraries_only(folder)
    sysroot.own_sysroot(folder, toolchain)
    for name in plan.needs:
        extract(name)
    if met:
        raise QuardError(
            f"{plan.name} {plan.version}: dependencies install different files at the same path",
            detail="\n".join(met),
            reason="file-collision",
            hint="drop each of them in one of the two recipes",
        )


def _who_has(path: str, others: Sequence[tuple[str, Results]], stores: Stores) -> str:
    """Return the first of these packages whose dev part has a path."""
    for name, results in others:
        sha256 = recorded(results, _PART)
        found = stores.blob(sha256)
        if found is None:
            raise lost_blob(results.name, _PART, sha256)
        if any(below(member.path, path) for member in blob.members(found)):
            return name
    return "the toolchain"
