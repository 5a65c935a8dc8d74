"""What features may add to the fields of a recipe."""

from __future__ import annotations

from pathlib import Path

import pytest
from recipe_parts import SHA, feature, load

from quard.recipes.catalog import Catalog
from quard.recipes.lint import lint

INTO = ', into="lib/x"'
ARCHIVE = f'Source("https://example.org/y-1.tar.gz", sha256="{SHA}", provenance="us"{INTO})'
RUN = 'services=(Service("web", 50, run=("/usr/bin/web",)),)'


def findings(packages: Path, adds: str, style: str = "Autotools", **more: str | None) -> list[str]:
    features = feature("server", on="()", off="()", adds=f"Adds({adds})")
    package = load(packages, "thing", style, features=features, **more)
    return [f"{f.reason} {f.field}: {f.text}" for f in lint(package, Catalog(packages))]


@pytest.mark.parametrize(
    "adds",
    [
        RUN,
        'make=("server",), install=("install-server",), finish=(Symlink("usr/bin/x", "y"),)',
        'users=(User("web", 80),), tools=("bison",), env=(("SERVER", "1"),)',
        f"sources=[{ARCHIVE}], license_files=['lib/x/COPYING']",
        'drop=("usr/bin/x",), expects=("usr/bin/web",), parts=(Part("libs", ("usr/share/x",)),)',
    ],
)
def test_lists_of_the_style_may_be_added_to(tmp_path: Path, adds: str) -> None:
    assert findings(tmp_path, adds) == []


@pytest.mark.parametrize(
    ("adds", "said"),
    [
        ("makes=()", "bad-adds feature server.adds.makes: Autotools has no list of this name; did"),
        ("variables=()", "bad-adds feature server.adds.variables: Autotools has no list of this"),
        ("version=()", "bad-adds feature server.adds.version: Autotools has no list of this name"),
        ('needs=("a",)', "bad-adds feature server.adds.needs: has no meaning: the feature itself"),
        ('sources=[Folder("x", into="y")]', 'bad-adds feature server.adds.sources: list Folder("x'),
        ("make=1", "bad-adds feature server.adds.make: must be list[str], not 1"),
        ("make=[1]", "bad-adds feature server.adds.make: must be list[str], not [1]"),
    ],
)
def test_other_fields_and_values_are_refused(tmp_path: Path, adds: str, said: str) -> None:
    (found,) = findings(tmp_path, adds)
    assert found.startswith(said)


@pytest.mark.parametrize(
    ("adds", "said"),
    [
        ('services=(Service("web", 50),)', "bad-service service web: give either `script`"),
        ('configs=(Config("web.conf", "etc/web"),)', "missing-file config web.conf: no file"),
        ('finish=(Run("cp", "{filez}/x"),)', "unknown-placeholder features: unknown placeholder"),
        ('finish=(Install("x", "/usr/bin/x"),)', "bad-path finish: '/usr/bin/x' must be a path"),
        (
            f"sources=[{ARCHIVE.replace(INTO, '')}]",
            "bad-into sources: https://example.org/y-1.tar.gz needs",
        ),
        (f"sources=[{ARCHIVE}, {ARCHIVE}]", "named-twice sources: 'lib/x' is listed twice"),
        (f"sources=[{ARCHIVE.replace(SHA, 'x')}]", "malformed-hash source 2.sha256: must be 64"),
        ('users=(User("WEB", 80),)', "bad-user users: 'WEB' must be"),
        (f'{RUN}, users=(User("web", 0),)', "bad-uid users: web: uid must be from 1 to 65533"),
    ],
)
def test_what_is_added_is_checked_like_the_recipes_own(
    tmp_path: Path, adds: str, said: str
) -> None:
    (found,) = findings(tmp_path, adds)
    assert found.startswith(said)


def test_archives_are_folders_of_a_source_tree(tmp_path: Path) -> None:
    (found,) = findings(
        tmp_path, f"sources=[{ARCHIVE}]", "Custom", sources=None, configure='[Run("true")]'
    )
    assert found.startswith("bad-adds feature server.adds.sources: has no meaning: the recipe has")


def test_what_the_recipe_has_already_is_there_twice(tmp_path: Path) -> None:
    (found,) = findings(tmp_path, RUN, services='(Service("web", 60, run=("/usr/bin/web",)),)')
    assert found.startswith("named-twice services: ")


def test_an_error_of_the_recipe_itself_is_reported_once(tmp_path: Path) -> None:
    (found,) = findings(tmp_path, RUN, summary='""')
    assert found.startswith("bad-summary summary: ")


def test_files_of_services_are_seen_by_no_build_whether_they_are_on_or_off(tmp_path: Path) -> None:
    script = 'services=(Service("web", 50, script="web.init"),)'
    features = feature("server", on="()", off="()", adds=f"Adds({script})")
    load(tmp_path, "thing", features=features)
    for name in ("web.init", "other"):
        (tmp_path / "thing" / name).write_text("#!/bin/sh\n")
    package = Catalog(tmp_path)["thing"]
    assert package.placed == {"web.init"}
    assert [file.name for file in package.files()] == ["other"]
