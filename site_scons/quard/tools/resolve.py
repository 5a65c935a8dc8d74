"""From names to packages: what they need, in the same way every time.

Real packages come first, in any order with the same result; then one virtual package at a time. An
installed system would choose by what it has; here only the index and the names decide.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from quard.base.errors import QuardError
from quard.base.names import nearest
from quard.tools.index import Candidate, Index, Need

Dependency = tuple[Need, ...]


def resolve(
    index: Index, names: Iterable[str], omit: Collection[str], release: str
) -> dict[str, tuple[str, ...]]:
    """Return each package that is needed, with the packages that it needs itself.

    omit    -- packages that are left out although others need them
    release -- shown in messages
    Raises QuardError unknown-tool-package, tools-unresolved; Damaged.
    """
    names = sorted(names)
    if unknown := [name for name in names if name not in index]:
        raise _unknown(unknown, index, release)
    search = _Search(index, omit)
    search.add(names)
    if search.failed:
        raise QuardError(
            f"the pinned tools cannot be resolved: {index.machine} of {release}",
            detail="\n".join(sorted(search.failed)),
            reason="tools-unresolved",
            hint="the release may be changing at the moment: try again later; else correct"
            " configs/tools/names.toml or `tools` in the target's file",
        )
    return {name: tuple(sorted(search.needs[name])) for name in sorted(search.needs)}


class _Search:
    """The packages that are wanted so far, and the dependencies that several could fulfil."""

    def __init__(self, index: Index, omit: Collection[str]) -> None:
        self._index = index
        self._omit = omit
        self.needs: dict[str, set[str]] = {}
        self.failed: set[str] = set()
        self._open: dict[Dependency, set[str]] = {}

    def add(self, names: Iterable[str]) -> None:
        waiting = list(names)
        while waiting or self._open:
            while waiting:
                name = waiting.pop()
                package = self._index.package(name)
                if name not in self.needs and package:
                    self.needs[name] = set()
                    waiting += self._real(package)
            if self._open:
                waiting += self._virtual()

    def _real(self, package: Candidate) -> list[str]:
        """Return what a package needs for certain; put aside what several could fulfil."""
        certain: list[str] = []
        for dependency in package.needs:
            if any(need.name in self._omit for need in dependency):
                continue
            choices = self._choices(dependency)
            if not choices:
                self.failed.add(self._failure(package, dependency))
            elif len(choices) == 1:
                self.needs[package.name].add(choices[0])
                certain.append(choices[0])
            else:
                self._open.setdefault(dependency, set()).add(package.name)
        return [name for name in certain if name not in self.needs]

    def _virtual(self) -> list[str]:
        """Decide one dependency: a package that is wanted anyway, else the first by name."""
        dependency = min(self._open, key=str)
        choices = self._choices(dependency)
        chosen = next((name for name in choices if name in self.needs), choices[0])
        for package in self._open.pop(dependency):
            self.needs[package].add(chosen)
        return [chosen]

    def _choices(self, dependency: Dependency) -> tuple[str, ...]:
        """Return the packages that fulfil the first alternative that can be fulfilled."""
        for need in dependency:
            if choices := self._index.choices(need):
                return choices
        return ()

    def _failure(self, package: Candidate, dependency: Dependency) -> str:
        there = [self._index.package(need.name) for need in dependency]
        found = ", ".join(f"{one.name} {one.version}" for one in there if one) or "none of them"
        wanted = " | ".join(map(str, dependency))
        return f"{package.name} {package.version} needs {wanted}; the index has {found}"


def _unknown(unknown: list[str], index: Index, release: str) -> QuardError:
    near: Mapping[str, tuple[str, ...]] = {name: nearest(name, index) for name in unknown}
    hints = [f"{found[0]!r} for {name!r}" for name, found in near.items() if found]
    return QuardError(
        f"{release} has no package {', '.join(unknown)} for {index.machine}",
        reason="unknown-tool-package",
        hint=f"did you mean {', '.join(hints)}?"
        if hints
        else "correct configs/tools/names.toml or `tools` in the target's file",
    )
