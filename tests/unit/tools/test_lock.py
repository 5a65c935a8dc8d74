"""What the lock of the pinned tools answers."""

from __future__ import annotations

import pytest
from tool_parts import locked

from quard.tools.lock import Lock, LockedPackage


def package(name: str, *needs: str, commands: tuple[str, ...] = ()) -> LockedPackage:
    return locked(name, needs=needs, commands=commands)


def lock(*packages: LockedPackage) -> Lock:
    return Lock(release="one", machine="amd64", packages={each.name: each for each in packages})


def names(found: tuple[LockedPackage, ...]) -> list[str]:
    return [each.name for each in found]


def test_closure_has_what_is_needed_and_nothing_else() -> None:
    found = lock(package("a", "b"), package("b", "c"), package("c", "b"), package("d", "a"))
    assert names(found.closure(["a"])) == ["a", "b", "c"]
    assert names(found.closure(["d", "c"])) == ["a", "b", "c", "d"]


def test_closure_of_an_unknown_name_is_an_error() -> None:
    with pytest.raises(KeyError, match="z"):
        lock(package("a")).closure(["z"])


def test_command_belongs_to_the_first_package_that_has_it() -> None:
    found = lock(package("b", commands=("x", "y")), package("a", commands=("x",)))
    assert found.owners == {"x": "a", "y": "b"}
