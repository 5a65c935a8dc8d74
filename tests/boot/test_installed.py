"""One list per package of what it installs: a review shows what a change brings, and what is lost.

NAME.paths is the package on the default board, or on the first other one that has it;
NAME.BOARD.paths is the package on a further board, where it installs something else there.
test_further_packages.py has the packages that no shipped board lists.
"""

from __future__ import annotations

import json
import os
import subprocess

import pytest

import checkout
import installed
import on_file
from boot.conftest import BOARD, MUSL_BOARD, SMALL_BOARD, TOP

pytestmark = pytest.mark.boot
IMAGES = {BOARD: "images", SMALL_BOARD: "small_images", MUSL_BOARD: "musl_images"}
"""Board -> the fixture that builds it, in the order in which they are looked at."""


def on_board(board: str) -> list[str]:
    """Return the target's packages that a board has now, without those that cannot be had here."""
    words = checkout.scons(f"BOARD={board}", "list", "FORMAT=json")
    done = subprocess.run(words, cwd=TOP, capture_output=True, text=True, check=True)
    names: list[str] = [package["name"] for package in json.loads(done.stdout)]
    return [name for name in names if "/" not in name]  # not those of the build machine


def earlier(board: str) -> set[str]:
    """Return the packages that a board has before this one."""
    boards = list(IMAGES)
    return {name for each in boards[: boards.index(board)] for name in on_board(each)}


@pytest.mark.parametrize(
    "board", [BOARD, SMALL_BOARD, pytest.param(MUSL_BOARD, marks=pytest.mark.share("musl"))]
)
def test_each_package_of_a_board_installs_what_is_on_file(
    board: str, request: pytest.FixtureRequest, update: bool
) -> None:
    request.getfixturevalue(IMAGES[board])
    if os.environ.get("QUARD_TEST_IMAGES"):
        pytest.skip("the images were given: what packages have installed is not known")
    before, changes = earlier(board), []
    for name in on_board(board):
        text = installed.listing(TOP / "out" / board / "units", name, installed.stores(TOP))
        common = installed.LISTS / f"{name}.paths"
        own = installed.LISTS / f"{name}.{board}.paths"
        if update:
            if name not in before:
                on_file.write(common, text)
            elif common.read_text(encoding="utf-8") != text:
                on_file.write(own, text)
            if own.exists() and common.read_text(encoding="utf-8") == text:
                on_file.remove(own)
        changes.append(installed.difference(own if own.exists() else common, text, __file__))
    if found := "\n".join(filter(None, changes)):
        pytest.fail(found, pytrace=False)
