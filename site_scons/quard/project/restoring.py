"""Restoring a package at once, as long as only this machine's stores are asked."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain

from quard.base.errors import QuardError
from quard.plan.unit import Unit
from quard.process.slots import NotBegun
from quard.project.build import BoardBuild
from quard.project.rooted import naming


def restored(build: BoardBuild, unit: Unit, begins: Callable[[], None]) -> bool:
    """Restore a package; return False, with nothing written, if the stores have no result.

    With a remote cache nothing is restored here: its answers take time, during which others work.

    begins -- called before the first file is written
    Raises QuardError, OSError.
    """
    if build.workspace.host.remote or not unit.is_package or unit.id in build.forced:
        return False
    try:
        with naming(unit.folder):
            return _restored(build, unit, begins)
    finally:
        build.ledger.made(unit)


def _restored(build: BoardBuild, unit: Unit, begins: Callable[[], None]) -> bool:
    packager, name = build.workspace.host.packager, unit.name
    plan, now = build.plan(name), build.ledger.basis(unit)
    results = packager.lookup(plan, now)
    first = next(results, None)
    if first is None:
        return False
    begins()
    place, results = build.result_place(name), chain((first,), results)
    try:
        with build.workspace.console.package(name, plan.version):
            outcome = packager.restore(plan, now, place, results)
            if outcome is None or not _passes(build, unit):  # it is made like any other then
                raise NotBegun
    except NotBegun:
        return False
    build.workspace.tell_restored(name, plan.version, outcome.key)
    return True


def _passes(build: BoardBuild, unit: Unit) -> bool:
    """Return whether a restored package passes its check, for which no blob of it was lost."""
    try:
        if build.check:
            build.check(unit)
    except QuardError:
        return False
    return True
