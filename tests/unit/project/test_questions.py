"""Features that depend on a source: one question for all roots that want one."""

from __future__ import annotations

from pathlib import Path

import pytest
from recipe_parts import SHA, add, feature

from quard.boards import board
from quard.boards.fragments import Fragments
from quard.boards.trees import Trees
from quard.plan import source
from quard.plan.resolve import Resolver
from quard.project.questions import questions
from quard.recipes.catalog import Catalog

BOARD = """\
summary = "One"
target = "riscv64-linux-gnu"
machine = "virt"
packages = ["app"]
features.app.net = "if-available"
"""
WITHOUT_CHOICE = BOARD.replace('features.app.net = "if-available"\n', "")
INNER = '[roots.early]\npackages = ["app", "other"]\n'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    packages = tmp_path / "packages"
    for name in ("mnl", "deep"):
        add(packages, name, needs='("deep",)' if name == "mnl" else "()")
    for name in ("app", "other"):
        add(packages, name, features=feature("net", needs='("mnl",)'))
    (tmp_path / "configs").mkdir()
    return tmp_path


def asked(project: Path, text: str, *names: str, board_text: str = BOARD) -> dict[str, list[str]]:
    """Return the questions: PACKAGE.FEATURE -> the packages whose sources it needs."""
    (project / "configs/one.toml").write_text(board_text + text)
    chosen, catalog = board.load(Trees(project), "one"), Catalog(project / "packages")
    own = Fragments(Trees(project), chosen.configuration)
    resolvers = {
        root.name: Resolver(
            root, catalog, Fragments(Trees(project), root.configuration, own) if root.name else own
        )
        for root in (chosen.own, *chosen.roots)
    }
    found = questions(resolvers, catalog, names, lambda p: source.requests(p.name, p.recipe))
    return {
        f"{each.package}.{each.feature}": [request.package for request in each.requests]
        for each in found
    }


def test_two_roots_that_want_a_feature_ask_once(project: Path) -> None:
    alone = asked(project, "")
    assert alone == {"app.net": ["deep", "mnl"]}
    assert asked(project, INNER) == alone


def test_a_root_asks_for_a_feature_that_it_alone_wants(project: Path) -> None:
    more = 'features.other.net = "if-available"\n'
    assert asked(project, INNER + more) == {
        "app.net": ["deep", "mnl"],
        "other.net": ["deep", "mnl"],
    }
    assert asked(project, INNER + "features.app.net = false\n") == {"app.net": ["deep", "mnl"]}


def test_a_command_for_some_packages_asks_for_these_alone(project: Path) -> None:
    more = INNER + 'features.other.net = "if-available"\n'
    assert set(asked(project, more, "early/other")) == {"other.net"}
    assert set(asked(project, more, "early/app")) == {"app.net"}
    assert set(asked(project, more, "app")) == {"app.net"}
    assert asked(project, more, "mnl") == {}


ARCHIVE = f'Source("https://example.org/y-1.tar.gz", sha256="{SHA}", provenance="us", into="x")'


def test_a_feature_needs_the_archives_that_it_adds(project: Path) -> None:
    adds = f"Adds(sources=[{ARCHIVE}])"
    add(project / "packages", "app", features=feature("net", needs='("mnl",)', adds=adds))
    assert asked(project, "") == {"app.net": ["deep", "mnl", "app"]}
    assert asked(project, "features.app.net = false\n", board_text=WITHOUT_CHOICE) == {}


def test_archives_of_other_features_count_while_these_are_on_for_certain(project: Path) -> None:
    features = feature("more", adds=f"Adds(sources=[{ARCHIVE}])")
    add(project / "packages", "mnl", needs='("deep",)', features=features)
    assert asked(project, "features.mnl.more = false\n") == {"app.net": ["deep", "mnl"]}
    assert asked(project, "features.mnl.more = true\n") == {"app.net": ["deep", "mnl", "mnl"]}
    assert asked(project, 'features.mnl.more = "if-available"\n') == {
        "app.net": ["deep", "mnl"],
        "mnl.more": ["mnl"],
    }


def test_a_feature_may_need_a_role_whose_package_the_board_lists(project: Path) -> None:
    add(project / "packages", "mnl", needs='("deep",)', provides='["link"]')
    add(project / "packages", "app", features=feature("net", needs='("link",)'))
    listed = BOARD.replace('["app"]', '["app", "mnl"]')
    assert asked(project, "", board_text=listed) == {"app.net": ["deep", "mnl"]}
