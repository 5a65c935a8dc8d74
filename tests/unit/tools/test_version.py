"""quard.tools.version: versions are ordered as dpkg orders them."""

from __future__ import annotations

import itertools
import shutil
import subprocess

import pytest

from quard.tools.version import fits, key, known

ORDERED = (
    "0~", "0", "0.1~rc1-1", "0.1~rc1-2", "0.1-1", "0.1a", "0.1+b1", "0.2", "0.9", "0.10",
    "1.0~~", "1.0~~a", "1.0~", "1.0", "1.0-0+b1", "1.0-1~deb13u1", "1.0-1", "1.0-1+b2",
    "1.0-1+deb13u1", "1.0a-1", "1.0+ds-1", "1.0.1-1", "2-1-1", "1:0.1", "1:1.0-1", "2:0",
)  # fmt: skip
EQUAL = (("1.0", "1.0-0"), ("1.0", "0:1.0"), ("1.00", "1.0"), ("1.a", "1.a0"), ("01", "1"))


def test_versions_are_ordered() -> None:
    backwards = ORDERED[::-1]
    assert sorted(backwards, key=key) == list(ORDERED)
    assert len({key(version) for version in ORDERED}) == len(ORDERED)


@pytest.mark.parametrize(("one", "other"), EQUAL)
def test_versions_of_different_text_may_be_equal(one: str, other: str) -> None:
    assert key(one) == key(other)


@pytest.mark.skipif(shutil.which("dpkg") is None, reason="this machine has no dpkg to compare with")
def test_dpkg_orders_versions_in_the_same_way() -> None:
    pairs = [(one, other, "lt") for one, other in itertools.pairwise(ORDERED)]
    pairs += [(one, other, "eq") for one, other in EQUAL]
    for one, other, relation in pairs:
        words = ("dpkg", "--compare-versions", one, relation, other)
        assert subprocess.run(words, check=False).returncode == 0, words


@pytest.mark.parametrize(
    ("relation", "true"),
    [("<<", False), ("<=", True), ("=", True), (">=", True), (">>", False)],
)
def test_relations_are_those_of_debian(relation: str, true: bool) -> None:
    assert known(relation)
    assert fits("1.0", relation, "1.0-0") is true
    assert not known("<")


@pytest.mark.parametrize("version", ["a:1", ":1", "-1:1", "1_0:1", "\u0661:1", "9" * 5000])
def test_numbers_that_are_none_are_refused(version: str) -> None:
    with pytest.raises(ValueError, match=r"not an epoch|Exceeds the limit"):
        key(version)
