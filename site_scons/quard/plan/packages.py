"""The packages of a board's roots as units; equal ones are one unit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from quard.base.record import Record, record
from quard.boards.native import NAME as BUILD
from quard.plan.plan import Plan
from quard.plan.resolved import Resolved
from quard.plan.unit import Input, Unit, package_id


@record
class Packages(Record):
    """The packages of all roots.

    units -- by id; inputs come first, and the board's own root before the named ones
    ids   -- (root, package) -> id of its unit, which may be that of another root; the packages
             for the build machine have a root of their own, unit.BUILD
    """

    units: Mapping[str, Unit]
    ids: Mapping[tuple[str, str], str]

    def unit(self, root: str, name: str) -> Unit:
        """Return the unit that a package of a root is."""
        return self.units[self.ids[root, name]]

    def inputs(self, root: str, names: Iterable[str], part: str) -> tuple[Input, ...]:
        """Return a part of each of these packages of a root."""
        return tuple(Input(self.ids[root, name], part) for name in names)


def package_units(roots: Mapping[str, Resolved]) -> Packages:
    """Return the packages of a board's roots.

    roots -- those for the build machine first, if there are any, then the board's own root

    Two packages are equal if their plans are, and all that goes into them: the second one is the
    first one's unit, so that nothing is built twice.
    """
    units: dict[str, Unit] = {}
    ids: dict[tuple[str, str], str] = {}
    known: dict[tuple[str, tuple[str, ...], tuple[Input, ...]], str] = {}
    for root, resolved in roots.items():
        for unit in _units(root, resolved, Packages(units, ids)):
            same = unit.id
            if len(roots) > 1 and root != BUILD:
                equal = (unit.plan.identity, unit.plan.archives, unit.inputs)
                same = known.setdefault(equal, unit.id)
            ids[root, unit.package] = same
            if same == unit.id:
                units[unit.id] = unit
    return Packages(units, ids)


def _units(root: str, resolved: Resolved, before: Packages) -> Iterator[Unit]:
    """Yield the packages of one root in build order; `before` grows with each."""
    configuration = resolved.root.configuration
    for name in _natives_first(resolved) if root == BUILD else resolved.graph.order:
        plan: Plan = resolved.plans[name]
        yield Unit(
            package_id(name, configuration.name),
            plan,
            (*before.inputs(root, (*plan.needs, *plan.links), "interface"), *_natives(plan)),
            ("interface", *plan.result_parts),
            folder=configuration.folder,
        )


def _natives_first(resolved: Resolved) -> list[str]:
    """Return packages for the build machine, each after all that its build sees.

    That is more than its needs: what these call when they run is seen, too. A build that sees a
    package sees all that the package's own build saw, and more: the sizes are the order.
    """
    seen = {
        name: {each.partition(":")[0] for each in plan.natives}
        for name, plan in resolved.plans.items()
    }
    return sorted(resolved.graph.order, key=lambda name: len(seen[name]))


def _natives(plan: Plan) -> tuple[Input, ...]:
    """Return the parts of packages for the build machine that a build sees."""
    seen = (each.partition(":") for each in plan.natives)
    return tuple(Input(package_id(name, BUILD), part) for name, _, part in seen)
