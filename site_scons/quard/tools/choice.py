"""Which pinned packages a package's build sees: what its plan names, and what that needs."""

from __future__ import annotations

from collections.abc import Iterable

from quard.base.errors import QuardError
from quard.base.names import meant
from quard.tools.lock import Lock, LockedPackage
from quard.tools.names import Names
from quard.tools.place import FILE

PYTHON = "python3"
_PROGRAMS = ("usr/bin/", "usr/sbin/")


def owner(names: Names, lock: Lock, command: str) -> str | None:
    """Return the package that a build needs for a command; None if no package has it."""
    if command in names.commands:
        return names.commands[command]
    texts = (names.links.get(folder + command) for folder in _PROGRAMS)
    link = next(filter(None, texts), command)
    return lock.owners.get(link.rpartition("/")[2])


def for_build(
    names: Names,
    lock: Lock,
    triple: str,
    commands: Iterable[str],
    further: Iterable[str] = (),
) -> tuple[LockedPackage, ...]:
    """Return all packages that a build for a target sees, sorted by name.

    triple   -- of the target; "" for the build machine
    commands -- those that the recipe names in `tools`
    further  -- packages that it sees besides
    Raises QuardError no-pinned-tools, tool-missing.
    """
    if triple and triple not in names.targets:
        raise QuardError(
            f"there is no pinned compiler for {triple}",
            reason="no-pinned-tools",
            hint="name its packages as `tools` in the target's file and run ./scons tools-update",
        )
    wanted = [*names.common, *(names.targets[triple] if triple else names.build), *further]
    for command in sorted(set(commands)):
        found = owner(names, lock, command)
        if found is None:
            raise QuardError(
                f"no pinned package has the command {command}",
                reason="tool-missing",
                hint=meant(
                    command,
                    lock.owners,
                    f"add its package to `further` in {FILE} and run ./scons tools-update",
                ),
            )
        wanted.append(found)
    closure = lock.closure(wanted)
    if any(package.name == PYTHON for package in closure):
        closure = lock.closure([*wanted, *names.python])
    return closure


def links(names: Names, packages: Iterable[LockedPackage]) -> dict[str, str]:
    """Return the links among `names.links` that lead to a command of these packages.

    Others would change the keys of builds that cannot see them.
    """
    there = {command for package in packages for command in package.commands}
    found: dict[str, str] = {}
    waiting = dict(sorted(names.links.items()))
    while ready := [path for path, text in waiting.items() if text.rpartition("/")[2] in there]:
        for path in ready:
            found[path] = waiting.pop(path)
            there.add(path.rpartition("/")[2])
    return found
