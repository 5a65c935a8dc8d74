"""Answers to list, info, depends and rdepends, as text and as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from recipe_parts import SHA, add, feature

from quard.base.errors import QuardError
from quard.boards import board
from quard.boards.fragments import Fragments
from quard.boards.trees import Trees
from quard.face import about, cli, report
from quard.plan.resolve import Resolver
from quard.plan.resolved import Resolved
from quard.recipes.catalog import Catalog

NO_IMAGES = Path("/nonexistent")


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    packages = tmp_path / "packages"
    add(packages, "base", version='"10.20"', summary='"Ground"')
    add(packages, "lib", needs='("base",)')
    add(
        packages,
        "app",
        needs='("lib",)',
        runtime='("tool",)',
        features=feature("net", default="True"),
        homepage='"https://app.example"',
    )
    taken = {"libraries": '("libx.so.1",)', "sources": None, "license_files": None}
    add(packages, "tool", "ToolchainRuntime", **taken)
    add(packages, "alone", needs='("base",)')
    return Catalog(packages)


@pytest.fixture
def resolved(tmp_path: Path, catalog: Catalog) -> Resolved:
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs/one.toml").write_text(
        'summary = "One"\ntarget = "riscv64-linux-gnu"\nmachine = "virt"\npackages = ["app"]\n'
    )
    chosen = board.load(Trees(tmp_path), "one")
    return Resolver(chosen.own, catalog, Fragments(Trees(tmp_path), chosen.configuration)).resolve(
        {}, {}
    )


def text(resolved: Resolved, catalog: Catalog, *words: str) -> str:
    command = cli.parse(words, {}, catalog.names())
    return about.answer(command, {"": resolved}, catalog, NO_IMAGES)


def data(resolved: Resolved, catalog: Catalog, *words: str) -> Any:
    command = cli.parse(words, {"FORMAT": "json"}, catalog.names())
    return json.loads(about.answer(command, {"": resolved}, catalog, NO_IMAGES))


def test_list_shows_the_image_in_building_order_in_columns(
    resolved: Resolved, catalog: Catalog
) -> None:
    assert text(resolved, catalog, "list") == (
        "base  10.20  Ground\nlib   1.0    A thing\napp   1.0    A thing\ntool  1.0    A thing\n"
    )
    rows = data(resolved, catalog, "list")
    assert [row["name"] for row in rows] == ["base", "lib", "app", "tool"]
    assert rows[0] == {
        "name": "base",
        "version": "10.20",
        "license": "MIT",
        "summary": "Ground",
        "tree": "quardroot",
    }


def test_info_says_all_about_one_package(resolved: Resolved, catalog: Catalog) -> None:
    assert data(resolved, catalog, "info", "app") == {
        "name": "app",
        "version": "1.0",
        "summary": "A thing",
        "license": "MIT",
        "homepage": "https://app.example",
        "tree": "quardroot",
        "recipe": "packages/app/recipe.py",
        "changed_by": "",
        "on_board": True,
        "image": ["libs", "programs"],
        "source": ["https://example.org/app-1.0.tar.gz"],
        "sha256": SHA,
        "alternates": [],
        "provenance": "us",
        "further_sources": [],
        "patches": [],
        "needs": ["lib"],
        "natives": [],
        "runtime": ["tool"],
        "fixes": [],
        "kernel": [],
        "relied_on": [],
        "services": {},
        "configs": [],
        "provides": [],
        "conflicts": [],
        "yields_to": [],
        "features": {"net": True},
        "yielded": [],
        "won": [],
        "replaced": [],
        "plan": resolved.plans["app"].identity,
    }


def test_info_names_every_archive_that_is_accepted(
    tmp_path: Path, resolved: Resolved, catalog: Catalog
) -> None:
    other = SHA[::-1]
    source = (
        f'Source("https://x/{{name}}.tar.gz", "{SHA}", "us", alternates='
        f'(Alternate("debian:pool/{{name}}_{{version}}.orig.tar.gz", "{other}", "less"),))'
    )
    add(tmp_path / "packages", "thing", sources=f"[{source}]")
    catalog = Catalog(tmp_path / "packages")
    assert data(resolved, catalog, "info", "thing")["alternates"] == [
        f"debian:pool/thing_1.0.orig.tar.gz (sha256 {other})"
    ]


def test_info_as_text_has_a_line_per_fact_and_a_dash_for_nothing(
    resolved: Resolved, catalog: Catalog
) -> None:
    lines = text(resolved, catalog, "info", "app").splitlines()
    assert "on_board: yes" in lines
    assert "features: net=on" in lines
    assert "needs: lib" in lines
    assert "image: libs programs" in lines
    assert "image: libs" in text(resolved, catalog, "info", "lib").splitlines()
    assert "image: -" in text(resolved, catalog, "info", "alone").splitlines()
    assert "source: -" in text(resolved, catalog, "info", "tool").splitlines()


def test_info_of_a_package_that_is_not_on_the_board_says_so(
    resolved: Resolved, catalog: Catalog
) -> None:
    found = data(resolved, catalog, "info", "alone")
    assert (found["on_board"], found["plan"], found["needs"]) == (False, "", ["base"])
    assert "on_board: no" in text(resolved, catalog, "info", "alone")


def test_depends_is_everything_below_in_building_order(
    resolved: Resolved, catalog: Catalog
) -> None:
    assert text(resolved, catalog, "depends", "app") == "base\nlib\ntool\n"
    assert data(resolved, catalog, "depends", "app") == ["base", "lib", "tool"]
    assert text(resolved, catalog, "depends", "base") == ""
    assert data(resolved, catalog, "depends", "base") == []


def test_rdepends_is_everything_above_in_building_order(
    resolved: Resolved, catalog: Catalog
) -> None:
    assert text(resolved, catalog, "rdepends", "base") == "lib\napp\n"
    assert data(resolved, catalog, "rdepends", "tool") == ["app"]
    assert data(resolved, catalog, "rdepends", "app") == []


@pytest.mark.parametrize("question", ["depends", "rdepends"])
def test_a_package_that_is_not_on_the_board_has_no_place_in_its_graph(
    resolved: Resolved, catalog: Catalog, question: str
) -> None:
    with pytest.raises(QuardError) as caught:
        text(resolved, catalog, question, "alone")
    assert caught.value.reason == "not-on-board"
    assert caught.value.message == "alone is not on the board one"


def test_json_for_programs_may_hold_fractions() -> None:
    assert report.as_json({"b": 1.5, "a": "ä"}) == '{\n  "a": "ä",\n  "b": 1.5\n}\n'
