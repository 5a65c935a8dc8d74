"""Installed files against what a recipe expects."""

from __future__ import annotations

import pytest

from quard.base.errors import QuardError
from quard.parts.expected import missing

PATHS = (
    "usr/bin/kmod",
    "usr/lib/python3.13/lib-dynload/_socket.so",
    "usr/sbin/lsmod",
    "usr/sbin/modprobe",
)


def error(*patterns: str) -> QuardError:
    (found,) = missing(PATHS, patterns)
    assert found.reason == "expected-missing"
    return found


@pytest.mark.parametrize(
    "pattern", ["usr/bin/kmod", "sbin/modprobe", "usr/lib/*/_socket.so", "usr/sbin/*"]
)
def test_what_is_installed_is_found_also_where_it_was_moved_below_usr(pattern: str) -> None:
    assert [*missing(PATHS, (pattern,))] == []


def test_nothing_is_expected_of_most_packages() -> None:
    assert [*missing((), ())] == []


def test_a_missing_file_is_named_with_where_its_name_is_installed() -> None:
    assert error("usr/bin/modprobe").detail == "usr/bin/modprobe; installed: usr/sbin/modprobe"
    assert error("usr/share/*/_soc*.so").detail.endswith(
        "installed: usr/lib/python3.13/lib-dynload/_socket.so"
    )


def test_a_missing_file_is_named_with_similar_ones() -> None:
    assert "installed: usr/sbin/lsmod" in error("usr/sbin/rmmod").detail


def test_all_missing_files_are_told_together_and_alone_if_nothing_is_like_them() -> None:
    assert error("x", "usr/bin/kmod", "y").detail == "x\ny"
