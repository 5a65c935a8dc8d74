"""The dependency graph: which packages a board builds, in which order, and what each one sees."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property

from quard.base.errors import QuardError
from quard.base.record import Record, record

ALL = "*"
"""In `Edges.brought`: all parts of a package."""


def parted(need: str) -> tuple[str, str]:
    """Return the package and the part of an entry NAME or NAME:PART in a list of needs."""
    name, _, part = need.partition(":")
    return name, part


def packages(needs: Iterable[str]) -> tuple[str, ...]:
    """Return the packages that a list of needs names, sorted."""
    return tuple(sorted({parted(need)[0] for need in needs}))


@record
class Edges(Record):
    """The dependencies of one package, with the board's features decided.

    needs   -- built before it and visible to its build
    natives -- packages for the build machine whose programs its build calls; they are in a graph
               of their own
    exports -- those of `needs` that packages that need it see as well
    runtime -- needed on the target only
    brought -- what it brings to the target, as (package, part): "" of one that it needs, ALL of one
               that it names in `runtime`, or a part that it names
    """

    needs: tuple[str, ...] = ()
    exports: tuple[str, ...] = ()
    natives: tuple[str, ...] = ()
    runtime: tuple[str, ...] = ()
    brought: tuple[tuple[str, str], ...] = ()


@record
class Graph(Record):
    """The packages of one board.

    edges -- by package
    order -- dependencies first, otherwise by name
    """

    edges: Mapping[str, Edges]
    order: tuple[str, ...]

    def sysroot(self, name: str) -> tuple[str, ...]:
        """Return the packages whose dev parts the build of `name` sees, sorted.

        These are its needs and the packages that those export. Packages that its needs only use
        internally are not included: a missing dependency must fail, not succeed by luck.
        """
        return self.exported(self.edges[name].needs)

    def exported(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return `names`, and the packages that they export directly or indirectly, sorted."""
        seen: set[str] = set()
        todo = list(names)
        while todo:
            need = todo.pop()
            if need not in seen:
                seen.add(need)
                todo.extend(self.edges[need].exports)
        return tuple(sorted(seen))

    def linked(self, name: str) -> tuple[str, ...]:
        """Return the packages whose shared libraries alone the build of `name` sees, sorted.

        A linker follows the libraries that its libraries need; it needs no headers for that.
        """
        return tuple(sorted(self.below(name).difference(self.sysroot(name))))

    def below(self, name: str) -> frozenset[str]:
        """Return all that the build of `name` needs, directly or indirectly."""
        return self._below[name]

    @cached_property
    def _below(self) -> Mapping[str, frozenset[str]]:
        """Package -> all that its build needs, directly or indirectly."""
        below: dict[str, frozenset[str]] = {}
        for name in self.order:
            needs = self.edges[name].needs
            below[name] = frozenset(needs).union(*(below[need] for need in needs))
        return below

    def closure(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return `names` and all that they need to build or to run, in build order."""
        seen: set[str] = set()
        todo = list(names)
        while todo:
            name = todo.pop()
            if name not in seen:
                seen.add(name)
                todo.extend((*self.edges[name].needs, *self.edges[name].runtime))
        return tuple(name for name in self.order if name in seen)

    def users(self, name: str) -> tuple[str, ...]:
        """Return the packages whose closure contains `name`, in build order, without itself."""
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
        """Return the packages that list `name` in their needs, sorted."""
        return tuple(sorted(who for who, edges in self.edges.items() if name in edges.needs))


def build(roots: Iterable[str], edges: Callable[[str], Edges]) -> Graph:
    """Return the graph of all packages reachable from `roots`.

    Raises QuardError dependency-cycle, which names the packages of the cycle in order.
    """
    found: dict[str, Edges] = {}
    order: list[str] = []

    def visit(root: str) -> None:
        # No recursion: a chain of packages may be longer than Python's stack.
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
        "dependency cycle",
        detail=" -> ".join([*path[path.index(name) :], name]),
        reason="dependency-cycle",
        hint="remove one of these from `needs`, or make it a feature that is off",
    )
