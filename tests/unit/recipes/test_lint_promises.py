"""What a recipe promises about its result: each rule broken once."""

from __future__ import annotations

from pathlib import Path

import pytest
from recipe_parts import add, load

from quard.recipes.catalog import Catalog
from quard.recipes.lint import lint


def findings(packages: Path, patch: str = "1.patch", **changes: str) -> list[tuple[str, str, str]]:
    """Return the findings as (field, text, reason); `patch` is a file beside the recipe."""
    folder = add(packages, "thing")
    (folder / patch).write_text("")
    package = load(packages, "thing", **changes)
    return [(f.field, f.text, f.reason) for f in lint(package, Catalog(packages))]


def test_what_these_fields_may_say_is_clean(tmp_path: Path) -> None:
    fixes = '["CVE-2026-0001", "CVE-2026-1234567"]'
    assert findings(tmp_path, expects='["usr/lib/lib*.so.1"]', fixes=fixes) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"expects": '["/usr/bin/x"]'},
            (
                "expects",
                "'/usr/bin/x' must be a path below the staging folder, such as usr/bin/x",
                "bad-path",
            ),
        ),
        (
            {"expects": '["usr/bin/x", "usr/bin/x"]'},
            ("expects", "'usr/bin/x' is listed twice", "named-twice"),
        ),
        (
            {"fixes": '["cve-2026-0001"]'},
            (
                "fixes",
                "'cve-2026-0001' is not a CVE number, such as CVE-2026-12345",
                "bad-cve",
            ),
        ),
        (
            {"fixes": '["CVE-2026-001"]'},
            ("fixes", "'CVE-2026-001' is not a CVE number, such as CVE-2026-12345", "bad-cve"),
        ),
        (
            {"fixes": '["CVE-2026-0001"]', "patch": "1.diff"},
            ("fixes", "there is no patch beside the recipe that could fix them", "fixes-nothing"),
        ),
    ],
)
def test_what_they_cannot_say_is_found(
    tmp_path: Path, changes: dict[str, str], expected: tuple[str, str, str]
) -> None:
    assert findings(tmp_path, **changes) == [expected]
