"""Which features of a board depend on whether a source is available."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from quard.plan.resolve import Resolver
from quard.plan.source import Request
from quard.recipes.catalog import Catalog
from quard.sources.availability import Question


def questions(
    resolver: Resolver,
    catalog: Catalog,
    names: tuple[str, ...],
    request: Callable[[str], Request | None],
) -> Iterator[Question]:
    """Yield each if-available feature to decide, with the sources that it needs.

    names   -- only these packages are requested; if empty, all of the board
    request -- returns a package's source; None if it has none that could be missing
    """
    choices = resolver.choices()
    if not choices:
        return
    everything = resolver.graph(dict.fromkeys(choices, True), names)
    wanted = everything.closure(names) if names else everything.order
    for package, feature in sorted(choices):
        if package not in wanted:
            continue
        needs = next(f.needs for f in catalog[package].recipe.features if f.name == feature)
        requests = (request(name) for name in everything.closure(needs))
        yield Question(package, feature, tuple(r for r in requests if r))
