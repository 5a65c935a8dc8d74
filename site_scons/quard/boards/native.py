"""The configuration of packages for the build machine, the same for all boards."""

from __future__ import annotations

from collections.abc import Iterable

from quard.base.errors import QuardError
from quard.boards.configuration import BoardToolchain, Configuration
from quard.boards.root import Login, Root
from quard.hardening import NONE
from quard.target import BUILD_MACHINES

NAME = "build"
"""Its name, and that of the root that stands for these packages."""
_FLAGS = "-O2"


def root(board: str, machine: str, packages: Iterable[str]) -> Root:
    """Return the packages for the build machine as a root, of which no file system is made.

    machine  -- the processor as uname(2) names it
    packages -- those that builds for the target call
    Raises QuardError no-natives for another processor.
    """
    return Root(
        board=board,
        name=NAME,
        configuration=configuration(machine),
        packages=tuple(sorted(packages)),
        unhardened=(),
        system="",
        hostname="",
        overlays=(),
        login=Login(root_password="*", authorized_keys=()),
        formats=(),
        size_mib=0,
        persistent=None,
    )


def configuration(machine: str) -> Configuration:
    """Return how packages are built for the build machine.

    A program that a build calls needs no defences; the board's flags are for its target.
    Raises QuardError no-natives.
    """
    target = BUILD_MACHINES.get(machine)
    if target is None:
        raise QuardError(
            f"no packages can be built for this machine's processor, {machine}",
            detail=f"known: {', '.join(sorted(BUILD_MACHINES))}",
            reason="no-natives",
            hint="build on another machine, or leave out the packages whose recipes have `natives`",
        )
    return Configuration(
        name=NAME,
        folder=NAME,
        target=target,
        toolchain=BoardToolchain(prefix=f"{target.triple}-", folder=""),
        cflags=_FLAGS,
        hardening=NONE,
        features={},
        fragments={},
        native=True,
    )
