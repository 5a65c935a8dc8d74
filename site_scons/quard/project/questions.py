"""Which features of a board depend on whether a source is available."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from quard.plan.resolve import Resolver
from quard.plan.source import Request
from quard.plan.unit import parted
from quard.recipes import graph
from quard.recipes.catalog import Catalog, Package
from quard.sources.availability import Question


def questions(
    resolvers: Mapping[str, Resolver],
    catalog: Catalog,
    names: tuple[str, ...],
    requests: Callable[[Package], tuple[Request, ...]],
) -> Iterator[Question]:
    """Yield each if-available feature to decide, with the sources that it needs.

    Roots that both want a feature have one question, and so the same answer.

    names   -- only these packages are requested, as NAME or ROOT/NAME; if empty, all of the board
    requests -- returns a package's sources that could be missing
    """
    needed: dict[tuple[str, str], dict[Request, None]] = {}
    wanted: set[tuple[str, str]] = set()
    asked = [*map(parted, names)]
    for root, resolver in resolvers.items():
        if not (choices := resolver.choices()):
            continue
        own = tuple(name for folder, name in asked if folder == root)
        everything = resolver.graph(dict.fromkeys(choices, True), own)
        packages = everything.closure(own) if names else everything.order
        off = dict.fromkeys(choices, False)
        for package, feature in choices:
            if package not in everything.edges:
                continue
            user = catalog[package]
            given = next(f for f in user.recipe.features if f.name == feature)
            needs = resolver.settled(user, {*given.needs}, seen=True)
            known = needed.setdefault((package, feature), {})
            for name in everything.closure(graph.packages(needs)):
                known |= dict.fromkeys(requests(resolver.featured(name, off)))
            if given.adds:
                without = requests(resolver.featured(package, off))
                own_too = requests(resolver.featured(package, {**off, (package, feature): True}))
                known |= dict.fromkeys(each for each in own_too if each not in without)
            if package in packages:
                wanted.add((package, feature))
    for package, feature in sorted(wanted):
        yield Question(package, feature, tuple(needed[package, feature]))
