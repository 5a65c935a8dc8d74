"""What begins first: the longest chain of remaining work."""

from __future__ import annotations

from typing import Any

import pytest

from quard.plan.image import FileSystemPlan
from quard.plan.unit import Input, Unit
from quard.project.urgency import chains, estimates


def units(**needs: str) -> list[Unit]:
    """Return units from name -> names of those that it needs, inputs first."""
    plan: Any = None
    return [
        Unit(name, plan, tuple(Input(need, "libs") for need in text.split()))
        for name, text in needs.items()
    ]


def test_a_chain_counts_everything_that_waits_for_its_first_unit() -> None:
    found = units(zlib="", linux="", openssl="zlib", curl="openssl zlib", image="curl linux")
    seconds = {"zlib": 1.0, "linux": 50.0, "openssl": 40.0, "curl": 20.0, "image": 2.0}
    assert chains(found, seconds) == {
        "zlib": 63.0, "linux": 52.0, "openssl": 62.0, "curl": 22.0, "image": 2.0,
    }  # fmt: skip


def test_what_no_unit_of_the_run_needs_has_its_own_time() -> None:
    found = units(curl="openssl")  # openssl is up to date
    assert chains(found, {"curl": 3.0}) == {"curl": 3.0}


def test_a_package_takes_as_long_as_last_time_and_else_as_its_source_is_large() -> None:
    found = units(zlib="", linux="", openssl="", image="")
    sizes = {"zlib": 0.0, "linux": 150.0, "openssl": 50.0}
    assert estimates(found, {"openssl": 100.0}, sizes) == {
        "zlib": 1.0, "linux": 300.0, "openssl": 100.0, "image": 1.0,
    }  # fmt: skip


def test_without_any_time_a_larger_source_takes_longer() -> None:
    found = estimates(units(a="", b="", c=""), {}, {"a": 1.0, "b": 2.0, "c": 0.0})
    assert found["b"] > found["a"] > found["c"] > 0


@pytest.mark.parametrize("known", [{}, {"other": 7.0}])
def test_what_is_known_of_others_only_is_no_error(known: dict[str, float]) -> None:
    assert estimates(units(a=""), known, {}) == {"a": 1.0}


def test_a_file_system_that_takes_longer_begins_earlier() -> None:
    names = ("ext4", "cpio.gz", "squashfs")
    found = [
        Unit(f"board/{name}", FileSystemPlan(format=name), (), files=(name,)) for name in names
    ]
    usual = estimates(found, {}, {})
    assert sorted(usual, key=lambda name: -usual[name]) == [
        "board/cpio.gz", "board/squashfs", "board/ext4",
    ]  # fmt: skip
    assert estimates(found, {"board/ext4": 7.0}, {})["board/ext4"] == 7.0
