"""The configuration of packages for the build machine, the same for all boards."""

from __future__ import annotations

from collections.abc import Iterable

from quard.base.errors import QuardError
from quard.boards.configuration import BoardToolchain, Configuration
from quard.boards.root import Login, Root
from quard.boards.targets import target
from quard.hardening import NONE

NAME = "build"
"""Its name, and that of the root that stands for these packages."""
_FLAGS = "-O2"
MACHINES = ("aarch64", "x86_64")
"""Processors that packages are built on, as uname(2) names them."""


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
        libraries=(),
        unhardened=(),
        services={},
        system="",
        hostname="",
        overlays=(),
        login=Login(root_password="*", authorized_keys=()),
        formats=(),
        size_mib=0,
        persistent=None,
    )


def triple(machine: str) -> str:
    """Return the GNU triple of a build machine."""
    return f"{machine}-linux-gnu"


def configuration(machine: str) -> Configuration:
    """Return how packages are built for the build machine.

    A program that a build calls needs no defences; the board's flags are for its target.
    Raises QuardError no-natives.
    """
    if machine not in MACHINES:
        raise QuardError(
            f"no packages can be built for this machine's processor, {machine}",
            detail=f"known: {', '.join(MACHINES)}",
            reason="no-natives",
            hint="build on another machine, or leave out the packages whose recipes have `natives`",
        )
    own = target(triple(machine))
    return Configuration(
        name=NAME,
        folder=NAME,
        target=own,
        toolchain=BoardToolchain(prefix=f"{own.triple}-", folder=""),
        cflags=_FLAGS,
        hardening=NONE,
        features={},
        fragments={},
        native=True,
    )
