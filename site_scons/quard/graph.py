"""Order and closure of packages: which a board builds, in which order, and what each one sees."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from quard.errors import QuardError


@dataclass(frozen=True)
class Edges:
    """What one package asks for, with the board's features settled.

    needs   -- built before it and seen by its build
    exports -- those of `needs` that its own dependants see as well
    runtime -- needed on the target only
    """

    needs: tuple[str, ...] = ()
    exports: tuple[str, ...] = ()
    runtime: tuple[str, ...] = ()


@dataclass(frozen=True)
class Graph:
    """The packages of one board.

    edges -- by package
    order -- dependencies first; among equals by name
    """

    edges: Mapping[str, Edges]
    order: tuple[str, ...]

    def sysroot(self, name: str) -> tuple[str, ...]:
        """Return the packages whose dev parts the build of `name` sees, sorted.

        These are its needs and whatever those export, and nothing that they merely use
        themselves: a dependency that was forgotten must fail, not succeed by luck.
        """
        seen: set[str] = set()
        todo = list(self.edges[name].needs)
        while todo:
            need = todo.pop()
            if need not in seen:
                seen.add(need)
                todo.extend(self.edges[need].exports)
        return tuple(sorted(seen))

    def linked(self, name: str) -> tuple[str, ...]:
        """Return the packages of which the build of `name` sees the shared libraries only, sorted.

        A linker follows the libraries that its libraries need, headers play no part in that.
        """
        seen: set[str] = set()
        todo = list(self.edges[name].needs)
        while todo:
            need = todo.pop()
            if need not in seen:
                seen.add(need)
                todo.extend(self.edges[need].needs)
        return tuple(sorted(seen.difference(self.sysroot(name))))

    def closure(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return `names` and all that they need to build or to run, in building order."""
        seen: set[str] = set()
        todo = list(names)
        while todo:
            name = todo.pop()
            if name not in seen:
                seen.add(name)
                todo.extend((*self.edges[name].needs, *self.edges[name].runtime))
        return tuple(name for name in self.order if name in seen)

    def urgent_first(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return `names` with those first that have the longest chain of others waiting for them.

        Builds begun in this order leave no processor idle at the end behind such a chain.
        """
        chain = dict.fromkeys(self.order, 0)
        for name in reversed(self.order):
            for need in self.edges[name].needs:
                chain[need] = max(chain[need], chain[name] + 1)
        return tuple(sorted(names, key=lambda name: (-chain[name], name)))

    def dependants(self, name: str) -> tuple[str, ...]:
        """Return the packages that name `name` as a need, sorted."""
        return tuple(sorted(who for who, edges in self.edges.items() if name in edges.needs))


def build(roots: Iterable[str], edges: Callable[[str], Edges]) -> Graph:
    """Return the graph that `roots` lead to.

    Raises QuardError dependency-cycle, naming the packages of the cycle in order.
    """
    found: dict[str, Edges] = {}
    order: list[str] = []
    path: list[str] = []

    def visit(name: str) -> None:
        if name in path:
            cycle = [*path[path.index(name) :], name]
            raise QuardError(
                "packages need each other in a circle",
                detail=" -> ".join(cycle),
                reason="dependency-cycle",
                hint="take one of these out of `needs`, or make it a feature that is off",
            )
        if name in found:
            return
        path.append(name)
        mine = edges(name)
        for need in sorted(mine.needs):
            visit(need)
        path.pop()
        found[name] = mine
        order.append(name)

    waiting = sorted(set(roots))
    asked = set(waiting)
    for name in waiting:
        known = len(order)
        visit(name)
        wanted = {need for done in order[known:] for need in found[done].runtime}
        waiting.extend(sorted(wanted - asked))
        asked |= wanted
    return Graph(edges=found, order=tuple(order))
