"""What a recipe says about packages beside it: each rule broken once."""

from __future__ import annotations

from pathlib import Path

import pytest
from recipe_parts import add, load

from quard.recipes.catalog import Catalog
from quard.recipes.lint import lint
from quard.recipes.mentioned import mentioned


def findings(packages: Path, **changes: str) -> list[tuple[str, str, str]]:
    """Return the findings as (field, text, reason)."""
    add(packages, "less")
    package = load(packages, "thing", **changes)
    return [(f.field, f.text, f.reason) for f in lint(package, Catalog(packages))]


@pytest.mark.parametrize(
    "changes",
    [
        {"yields_to": '["*"]'},
        {"yields_to": '["less"]'},
        {"provides": '["pager"]', "conflicts": '["pager", "less"]'},
        {"provides": '["less", "thing"]'},
    ],
)
def test_what_these_fields_may_say_is_clean(tmp_path: Path, changes: dict[str, str]) -> None:
    assert findings(tmp_path, **changes) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"yields_to": '["lees"]'},
            ("yields_to", "there is no package 'lees'; did you mean 'less'?", "unknown-package"),
        ),
        (
            {"yields_to": '["*", "less"]'},
            ("yields_to", "'*' already means all packages: name nothing else", "named-twice"),
        ),
        (
            {"yields_to": '["thing"]'},
            ("yields_to", "names this package itself", "names-itself"),
        ),
        (
            {"conflicts": '["thing"]'},
            ("conflicts", "names this package itself", "names-itself"),
        ),
        (
            {"conflicts": '["pager"]'},
            (
                "conflicts",
                "there is no package, and no role in `provides`, 'pager'",
                "unknown-package",
            ),
        ),
        (
            {"conflicts": '["*"]'},
            ("conflicts", "there is no package, and no role in `provides`, '*'", "unknown-package"),
        ),
        (
            {"conflicts": '["less", "less"]'},
            ("conflicts", "'less' is listed twice", "named-twice"),
        ),
        (
            {"provides": '["SSH server"]'},
            (
                "provides",
                "'SSH server' is not a role: use a-z, digits, + . and -, as in ssh-server",
                "bad-role",
            ),
        ),
    ],
)
def test_what_they_cannot_say_is_found(
    tmp_path: Path, changes: dict[str, str], expected: tuple[str, str, str]
) -> None:
    assert findings(tmp_path, **changes) == [expected]


def test_a_recipe_is_checked_again_when_a_package_that_it_names_is_gone(tmp_path: Path) -> None:
    add(tmp_path, "less")
    recipe = {"yields_to": '["less"]', "provides": '["pager"]', "conflicts": '["pager"]'}
    assert mentioned(load(tmp_path, "thing", **recipe)) == {"less"}
