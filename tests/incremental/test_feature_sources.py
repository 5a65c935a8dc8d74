"""Archives that a feature adds: nothing of them is there while the feature is off."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from git_parts import WorkTree

from incremental.project import Project, ok
from incremental.test_bad_input import refused

CODE = """\
#ifdef TABLES
#include "data/tables/value.h"
#else
#define VALUE 0
#endif
int main(void) { return VALUE; }
"""
FEATURE = """\
    features=[
        Feature(
            "tables",
            summary="has tables",
            on=["CFLAGS=-O2 -DTABLES"],
            off=[],
            adds=Adds(
                sources=[Source("{url}", sha256="{sha256}", provenance="us", into="data/tables")],
                license_files=["data/tables/COPYING"],
            ),
        )
    ],
"""


class Tables:
    """The project `greeting`, whose program `alone` has a feature with an archive."""

    def __init__(self, project: Project) -> None:
        self.project = project
        url, sha256 = project.archive("tables", "1", {"value.h": "#define VALUE 5\n"})
        project.program("alone", CODE, more=FEATURE.format(url=url, sha256=sha256))
        project.edit("packages/alone/recipe.py", "import Install", "import Adds, Feature, Install")
        self.archive = project.sources / "tables-1.tar.xz"
        self.sha256 = sha256
        self.choose("true")

    def choose(self, choice: str, more: str = "") -> None:
        text = f"[features]\nalone.tables = {choice}\n{more}"
        self.project.board(["alone", "libc"], more=text)

    @property
    def record(self) -> dict[str, Any]:
        path = self.project.folder / "out/tiny/units/alone.record.json"
        found: dict[str, Any] = json.loads(path.read_bytes())
        return found

    @property
    def basis(self) -> str:
        return (self.project.folder / "out/tiny/units/alone.basis.json").read_text()


@pytest.fixture
def tables(greeting: Project) -> Tables:
    return Tables(greeting)


def test_the_archive_is_a_part_of_the_package_while_the_feature_is_on(tables: Tables) -> None:
    project = tables.project
    ok(project.run())
    assert tables.record["further"] == {
        "data/tables": {"file": "tables-1.tar.xz", "sha256": tables.sha256}
    }
    assert set(tables.record["licenses"]) == {"COPYING", "data/tables/COPYING"}
    info = json.loads(ok(project.run("info", "alone", "FORMAT=json")).out)
    (line,) = info["further_sources"]
    assert line.startswith("data/tables: ") and tables.sha256 in line
    tables.choose("false")
    assert "source in data/tables removed" in project.why("alone")
    assert ok(project.run()).built == ["alone"]
    assert "further" not in tables.record and tables.sha256 not in tables.basis
    info = json.loads(ok(project.run("info", "alone", "FORMAT=json")).out)
    assert info["further_sources"] == []
    tables.choose("true")
    assert ok(project.run()).summary["restored"] == ["alone"]


def test_nothing_is_fetched_while_the_feature_is_off(tables: Tables) -> None:
    project = tables.project
    tables.archive.unlink()
    tables.choose("false")
    ok(project.run("source"))
    assert ok(project.run("-n", "source")).out == "all sources are in the cache\n"
    assert ok(project.run()).built == ["alone", "libc"]
    assert project.cached("tables*") == []
    tables.choose("true")
    assert ok(project.run("-n", "source")).out == "sources to fetch\n  alone\n"
    refused(project.run("source"), "no-source", "tables-1.tar.xz")


def test_it_is_fetched_for_whatever_root_has_the_feature_on(tables: Tables) -> None:
    project = tables.project
    tables.choose(
        "false", '[roots.early]\npackages = ["alone", "libc"]\nfeatures.alone.tables = true\n'
    )
    ok(project.run("source"))
    assert len(project.cached("tables*")) == 1
    tables.archive.unlink()
    assert sorted(ok(project.run("alone", "early/alone")).built) == ["alone", "early/alone"]


def test_a_feature_whose_archive_is_missing_is_off_if_it_is_wanted_if_available(
    tables: Tables,
) -> None:
    project = tables.project
    tables.choose('"if-available"')
    away = tables.archive.rename(tables.archive.with_suffix(".away"))
    ran = ok(project.run())
    assert "note: alone is built without tables: the source of alone is not available\n" in ran.out
    assert "build a local checkout" not in ran.out
    assert "further" not in tables.record
    refused(project.run("STRICT=1"), "feature-unavailable", "tables-1.tar.xz")
    away.rename(tables.archive)
    ok(project.run("source"))
    assert ok(project.run()).built == ["alone"]
    assert tables.sha256 in tables.basis


def test_it_is_unpacked_into_the_copy_of_a_local_tree(tables: Tables, tmp_path: Path) -> None:
    project, tree = tables.project, tmp_path / "tree"
    tree.mkdir()
    (tree / "alone.c").write_text(CODE)
    (tree / "Makefile").write_text("alone: alone.c\n\t$(CC) $(CFLAGS) -o $@ alone.c\n")
    ok(project.run("alone", f"override.alone={tree}"))
    assert tables.record["further"]["data/tables"]["sha256"] == tables.sha256
    assert not (tree / "data").exists()


def test_a_checkout_that_is_edited_does_not_have_it_and_its_builds_do(tables: Tables) -> None:
    project = tables.project
    ok(project.run("alone-edit"))
    git = WorkTree(project.folder / "edit/alone")
    assert not (project.folder / "edit/alone/data").exists()
    git.commit({"alone.c": CODE.replace("return VALUE", "return VALUE + 1")})
    ok(project.run("alone"))
    assert tables.record["further"]["data/tables"]["sha256"] == tables.sha256
    unit = project.folder / "out/tiny/units/alone.json"
    edited = json.loads(unit.read_text())["parts"]["programs"]
    tables.choose("false")
    assert ok(project.run("alone")).built == ["alone"]
    tables.choose("true")
    git.commit({"alone.c": CODE.replace("return VALUE", "return 1 + VALUE")})
    ok(project.run("alone"))
    ok(project.run("alone-patch"))
    assert ok(project.run("alone")).built == ["alone"]
    assert json.loads(unit.read_text())["parts"]["programs"] == edited
