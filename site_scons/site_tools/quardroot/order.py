"""The order in which the inputs of a unit are started."""

from __future__ import annotations

from collections.abc import Iterable

from quard.boards.native import NAME as BUILD
from quard.plan.unit import Unit
from quard.project.build import BoardBuild


def urgent_first(build: BoardBuild, unit: Unit, ids: Iterable[str]) -> tuple[Unit, ...]:
    """Return some inputs of a unit, the most urgent first."""
    found = [build.ledger.units[each] for each in ids]
    others = sorted((each for each in found if not each.is_package), key=lambda u: u.name)
    packages = [each for each in found if each.is_package]
    # What is built for the build machine holds up everything that calls it.
    natives = _by_graph(build, BUILD, (each for each in packages if each.native))
    rest = _by_graph(build, unit.folder, (each for each in packages if not each.native))
    return (*others, *natives, *rest)


def _by_graph(build: BoardBuild, root: str, units: Iterable[Unit]) -> tuple[Unit, ...]:
    """Return packages of a root, those first that hold up the most."""
    packages = {each.package: each for each in units}
    if not packages:
        return ()
    graph = build.roots[root].graph
    return tuple(packages[name] for name in graph.urgent_first(packages))
