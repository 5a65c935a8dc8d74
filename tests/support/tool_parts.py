"""Packages and names of pinned tools for tests; a test gives what it is about."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from quard.tools.lock import LockedPackage
from quard.tools.names import Names

NAMES = Names(
    release="one",
    common=(),
    further=(),
    python=(),
    build=(),
    menuconfig=(),
    terminals=(),
    machine=(),
    emulators=(),
    debug=(),
    launchers=(),
    targets={},
    omit=frozenset(),
    links={},
    commands={},
)
"""A file of names that names nothing."""


def locked(name: str, version: str = "1", **changes: Any) -> LockedPackage:
    """Return a package of one version, with other values for some of its fields."""
    package = LockedPackage(
        name=name,
        version=version,
        file=f"pool/{name}_{version}.deb",
        size=1,
        sha256="0" * 64,
        source=f"{name} {version}",
        needs=(),
        commands=(),
    )
    return replace(package, **changes)
