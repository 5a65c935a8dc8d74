"""Order and closure of packages: which a board builds, in which order, and what each one sees."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from quard.base.errors import QuardError


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
        return tuple(sorted(self._below[name].difference(self.sysroot(name))))

    @cached_property
    def _below(self) -> Mapping[str, frozenset[str]]:
        """Each package -> all that its build needs, and what that needs."""
        below: dict[str, frozenset[str]] = {}
        for name in self.order:
            needs = self.edges[name].needs
            below[name] = frozenset(needs).union(*(below[need] for need in needs))
        return below

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

        Builds begun in this order leave no processor idle at the end behind such a chain. Of those
        that nobody waits for, the ones that need nothing come last: they can begin at any time, and
        so fill what the others leave.
        """
        chain = dict.fromkeys(self.order, 0)
        for name in reversed(self.order):
            for need in self.edges[name].needs:
                chain[need] = max(chain[need], chain[name] + 1)
        return tuple(
            sorted(names, key=lambda name: (-chain[name], not self.edges[name].needs, name))
        )

    def users(self, name: str) -> tuple[str, ...]:
        """Return the packages in whose closure `name` is, in building order, without itself."""
        above: dict[str, list[str]] = {}
        for user, mine in self.edges.items():
            for need in (*mine.needs, *mine.runtime):
                above.setdefault(need, []).append(user)
        seen = {name}
        todo = [name]
        while todo:
            for user in above.get(todo.pop(), ()):
                if user not in seen:
                    seen.add(user)
                    todo.append(user)
        return tuple(user for user in self.order if user in seen and user != name)

    def dependants(self, name: str) -> tuple[str, ...]:
        """Return the packages that name `name` as a need, sorted."""
        return tuple(sorted(who for who, edges in self.edges.items() if name in edges.needs))


def build(roots: Iterable[str], edges: Callable[[str], Edges]) -> Graph:
    """Return the graph that `roots` lead to.

    Raises QuardError dependency-cycle, naming the packages of the cycle in order.
    """
    found: dict[str, Edges] = {}
    order: list[str] = []

    def visit(root: str) -> None:
        # Without recursion: a chain of packages may be longer than Python's stack.
        path: dict[str, tuple[Edges, Iterator[str]]] = {}
        ahead: str | None = None if root in found else root
        while ahead is not None or path:
            if ahead is not None:
                mine = edges(ahead)
                path[ahead] = mine, iter(sorted(mine.needs))
            name, (mine, needs) = next(reversed(path.items()))
            ahead = next((need for need in needs if need not in found), None)
            if ahead is not None and ahead in path:
                raise _cycle([*path], ahead)
            if ahead is None:
                del path[name]
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


def _cycle(path: list[str], name: str) -> QuardError:
    return QuardError(
        "packages need each other in a circle",
        detail=" -> ".join([*path[path.index(name) :], name]),
        reason="dependency-cycle",
        hint="take one of these out of `needs`, or make it a feature that is off",
    )
