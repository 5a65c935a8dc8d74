"""One list per package of what it installs: a review shows what a change brings, and what is lost.

NAME.paths is the package on the default board, or on the first other one that has it;
NAME.BOARD.paths is the package on a further board, where it installs something else there.
test_further_packages.py has the packages that no shipped board lists.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

import checkout
import installed
from boot.conftest import BOARD, MUSL_BOARD, SMALL_BOARD, TOP
from quard.recipes.catalog import Catalog

pytestmark = pytest.mark.boot
LISTS = TOP / "tests" / "golden"
NAMES = Catalog(TOP / "packages").names()


@pytest.fixture(scope="module")
def listings(
    images: Path, small_images: Path, musl_images: Path
) -> Mapping[str, Mapping[str, str]]:
    """Package -> board -> its list, for all packages that the boards have now."""
    del images, small_images, musl_images
    if os.environ.get("QUARD_TEST_IMAGES"):
        pytest.skip("the images were given: what packages have installed is not known")
    found: dict[str, dict[str, str]] = {}
    for board in (BOARD, SMALL_BOARD, MUSL_BOARD):
        results = TOP / "out" / board / "units"
        for name in on_board(board):
            text = installed.listing(results, name, installed.stores(TOP))
            found.setdefault(name, {})[board] = text
    return found


def on_board(board: str) -> list[str]:
    """Return the packages that a board has now, without those that cannot be had here."""
    words = checkout.scons(f"BOARD={board}", "list", "FORMAT=json")
    done = subprocess.run(words, cwd=TOP, capture_output=True, text=True, check=True)
    return [package["name"] for package in json.loads(done.stdout)]


@pytest.mark.parametrize("name", NAMES)
def test_the_package_installs_what_is_on_file(
    name: str, listings: Mapping[str, Mapping[str, str]], update: bool
) -> None:
    if name not in listings:
        pytest.skip(f"{name} is built for no board here: see out/*/availability.json")
    (first, text), *others = listings[name].items()
    if update:
        (LISTS / f"{name}.paths").write_text(text, encoding="utf-8")
        for board, other in others:
            (LISTS / f"{name}.{board}.paths").unlink(missing_ok=True)
            if other != text:
                (LISTS / f"{name}.{board}.paths").write_text(other, encoding="utf-8")
    for board, now in listings[name].items():
        own = LISTS / f"{name}.{board}.paths"
        path = own if board != first and own.exists() else LISTS / f"{name}.paths"
        if changes := installed.difference(path, now):
            pytest.fail(changes, pytrace=False)
