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
        path, sha256 = _dev(needs[name], stores)
        try:
            blob.extract(path, folder, sha256)
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


def _dev(results: Results, stores: Stores) -> tuple[Path, str]:
    """Return the path and hash of a package's dev part. Raises LostResult."""
    sha256 = recorded(results, "blobs", "dev")
    path = stores.blob(sha256)
    if path is None:
        raise lost_blob(results, sha256)
    return path, sha256


def _who_has(path: str, others: Sequence[tuple[str, Results]], stores: Stores) -> str:
    """Return the first of these packages whose dev part has a path."""
    for name, results in others:
        if any(below(member.path, path) for member in blob.members(_dev(results, stores)[0])):
            return name
    return "the toolchain"
