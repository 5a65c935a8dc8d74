"""docs/host-tools.md has every tool of the build machine that the code uses, and no other."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from plan_parts import plan

from quard.execute.sysroot import COMMON_TOOLS
from quard.execute.toolchain import COMMANDS, OPTIONAL
from quard.image.tools import PACKAGES
from quard.recipes.catalog import Catalog

TOP = Path(__file__).parents[2]
PAGE = (TOP / "docs/host-tools.md").read_text(encoding="utf-8")


def named() -> Mapping[str, tuple[str, ...]]:
    """Return package -> the commands that its recipe or its style names."""
    catalog = Catalog(TOP / "packages")
    found = {}
    for name in catalog.names():
        recipe = catalog[name].recipe
        on = {feature.name: True for feature in recipe.features}
        found[name] = plan(recipe, on).tools
    return found


def section(heading: str) -> str:
    """Return the part of the page below a heading that begins so."""
    return PAGE.partition(f"\n## {heading}")[2].partition("\n## ")[0]


def rows(text: str) -> list[list[str]]:
    """Return the tools of each row of a table."""
    cells = re.findall(r"^\| (`[^|]*) \|", text, re.MULTILINE)
    return [re.findall(r"`([^`]+)`", cell) for cell in cells]


def flat(lists: Iterable[Iterable[str]]) -> list[str]:
    return sorted(name for names in lists for name in names)


def test_cross_tools_are_those_of_the_toolchain() -> None:
    assert flat(rows(section("Tracked: part of the key of every package"))) == sorted(
        (*COMMANDS, *OPTIONAL)
    )


def test_other_tools_are_those_that_builds_see() -> None:
    recipes = {tool for tools in named().values() for tool in tools}
    writing = flat(rows(section("Not tracked: write")))
    asking = re.findall(r"`([^`]+)`", section("Not tracked: only"))
    assert sorted(writing + asking) == sorted({*COMMON_TOOLS, *recipes, "cc"})


def test_tools_in_the_keys_of_images_are_those_that_make_them() -> None:
    assert flat(rows(section("Tracked: part of the keys of the images"))) == sorted(PACKAGES)


def test_a_recipes_tool_is_among_those_that_write_and_its_row_names_the_recipe() -> None:
    lines = section("Not tracked: write").splitlines()
    for name, tools in named().items():
        for tool in tools:
            users = [line.split(" | ")[-1] for line in lines if f"`{tool}`" in line]
            assert len(users) == 1 and name in users[0], f"{name} uses {tool}"
