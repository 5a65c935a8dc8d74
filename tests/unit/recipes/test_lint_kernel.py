"""The kernel options of a recipe: each rule broken once."""

from __future__ import annotations

from pathlib import Path

import pytest
from recipe_parts import feature, load

from quard.recipes.catalog import Catalog
from quard.recipes.lint import lint


def findings(
    packages: Path, style: str = "Autotools", **changes: str
) -> list[tuple[str, str, str]]:
    """Return the findings as (field, text, reason)."""
    package = load(packages, "thing", style, **changes)
    return [(f.field, f.text, f.reason) for f in lint(package, Catalog(packages))]


def test_what_the_field_may_say_is_clean(tmp_path: Path) -> None:
    options = '["SECCOMP_FILTER", "9P_FS=y", "MODULES=n"]'
    more = feature("net", kernel='["NET"]')
    assert findings(tmp_path, kernel=options, features=more) == []


@pytest.mark.parametrize(
    ("option", "text"),
    [
        ("CONFIG_NET", "write 'NET', without CONFIG_"),
        ("NET=m", "'NET=m' must be an option's name, NAME=y or NAME=n"),
        ("NET ", "'NET ' must be an option's name, NAME=y or NAME=n"),
        ("", "'' must be an option's name, NAME=y or NAME=n"),
    ],
)
def test_what_is_no_option_is_found(tmp_path: Path, option: str, text: str) -> None:
    assert findings(tmp_path, kernel=f'["{option}"]') == [("kernel", text, "bad-kernel-option")]
    more = feature("net", kernel=f'["{option}"]')
    found = findings(tmp_path, features=more)
    assert found == [("feature net.kernel", text, "bad-kernel-option")]


def test_an_option_that_is_wanted_in_two_ways_is_found(tmp_path: Path) -> None:
    found = findings(tmp_path, kernel='["NET=y", "NET=n"]')
    assert found == [("kernel", "'NET' is listed twice", "named-twice")]


def test_the_kernel_is_a_package_that_kconfig_configures(tmp_path: Path) -> None:
    text = "'kernel' is the role of a package of the style Kconfig"
    assert findings(tmp_path, provides='["kernel"]') == [("provides", text, "bad-role")]
    assert findings(tmp_path, "Kconfig", provides='["kernel"]') == []
