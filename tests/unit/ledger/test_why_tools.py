"""Which tools are named as the reason that something is made again."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from quard.ledger.why_tools import reasons

OWN, OTHER = "7" * 64, "8" * 64
PINNED, NEWER = f"pinned {'a' * 64}", f"pinned {'b' * 64}"


def updates(name: str, before: str) -> tuple[str, ...]:
    assert (name, before) == ("toolchain", "a" * 64)
    return (
        "gcc-14 14.2.0-19 -> 14.2.0-20",
        "m4 added",
        "make removed",
        "perl 1 -> 2",
        "sed 1 -> 2",
    )


def lines(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    return list(reasons(old, new, None))


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (OWN, OWN, []),
        (PINNED, PINNED, []),
        (OWN, OTHER, ["the cross toolchain changed"]),
        (OWN, PINNED, ["the pinned tools are used now"]),
        (PINNED, OWN, ["this machine's own tools are used now"]),
        (PINNED, NEWER, ["the pinned tools changed"]),
    ],
)
def test_tools_of_a_package(before: str, now: str, expected: list[str]) -> None:
    assert lines({"toolchain": before}, {"toolchain": now}) == expected


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        ({}, {}, []),
        ({"taken": OWN}, {"taken": OWN}, []),
        ({"taken": OWN}, {"taken": OTHER}, ["files that it takes from this machine changed"]),
        ({}, {"taken": OWN}, ["its files are taken from this machine"]),
        ({"taken": OWN}, {}, ["its files are no longer taken from this machine"]),
        (
            {"taken": OWN, "toolchain": OWN},
            {"taken": OTHER, "toolchain": OTHER},
            ["the cross toolchain changed"],
        ),
        (
            {"toolchain": PINNED},
            {"taken": OWN, "toolchain": OWN},
            ["this machine's own tools are used now"],
        ),
    ],
)
def test_files_of_the_machine(
    before: Mapping[str, str], now: Mapping[str, str], expected: list[str]
) -> None:
    assert lines(before, now) == expected


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (OWN, OWN, []),
        (OWN, OTHER, ["this machine's mke2fs changed"]),
        (OWN, "", ["this machine's mke2fs changed"]),
        ("", OWN, ["this machine's mke2fs changed"]),
        (OWN, PINNED, ["the pinned mke2fs is used now"]),
        (PINNED, OWN, ["this machine's own mke2fs is used now"]),
        (PINNED, NEWER, ["the pinned mke2fs changed"]),
    ],
)
def test_tool_of_an_image(before: str, now: str, expected: list[str]) -> None:
    assert lines({"mke2fs": before}, {"mke2fs": now}) == expected


def test_packages_that_changed_are_named_and_the_rest_is_counted() -> None:
    found = list(reasons({"toolchain": PINNED}, {"toolchain": NEWER}, updates))
    assert found == [
        "the pinned tools changed: gcc-14 14.2.0-19 -> 14.2.0-20, m4 added, make removed,"
        " and 2 more"
    ]


def test_seal_is_no_tool() -> None:
    assert list(reasons({"sealed": False}, {"sealed": True}, None)) == []
