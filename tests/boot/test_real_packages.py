"""A real Kconfig package: a changed line is built in its kept folder, as a clean build would."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import checkout
from boot.conftest import BOARD

pytestmark = pytest.mark.boot
RECIPE, FRAGMENT = "packages/busybox/recipe.py", "packages/busybox/quard-star.fragment"
WHOLE, SMALL = 'base="defconfig"', 'base="allnoconfig"'
LINES = "CONFIG_SH_IS_ASH=y\nCONFIG_ASH=y\nCONFIG_VI=y\n"
OFF, ON = "# CONFIG_BEEP is not set\n", "CONFIG_BEEP=y\n"
_LIMIT = 1800


class Checkout:
    """A copy of this checkout with a store of its own; the sources and the tools are shared."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder / name
        self._cache = folder / f"{name}-cache"
        checkout.copy(self.folder)
        self._cache.mkdir()
        (self._cache / "tools").symlink_to(checkout.cache_folder() / "tools")

    def build(self, *targets: str) -> Mapping[str, Any]:
        """Run SCons and return its summary."""
        settings = (f"cache.dir={self._cache}", f"sources.dir={checkout.cache_folder()}/sources")
        checkout.build(self.folder, f"BOARD={BOARD}", *targets, *settings, limit=_LIMIT)
        found: Mapping[str, Any] = json.loads(self.out("summary.json"))
        return found

    def out(self, path: str) -> str:
        return (self.folder / "out" / BOARD / path).read_text(errors="replace")


def test_a_line_of_busyboxs_fragment_is_built_in_the_kept_folder_as_a_clean_build_would(
    images: Path, tmp_path: Path
) -> None:
    del images  # its build has fetched the sources
    tree = Checkout(tmp_path, "incremental")
    recipe = (tree.folder / RECIPE).read_text()
    assert WHOLE in recipe
    (tree.folder / RECIPE).write_text(recipe.replace(WHOLE, SMALL))  # most of busybox takes long
    (tree.folder / FRAGMENT).write_text(LINES + OFF)
    (clean,) = tree.build("busybox")["built"]
    (tree.folder / FRAGMENT).write_text(LINES + ON)
    (row,) = tree.build("busybox")["built"]
    assert row["why"] == ["file quard-star.fragment changed"]
    log = tree.out("logs/busybox.log")
    assert "==> update" in log
    compiled = [line.split()[-1] for line in log.splitlines() if line.startswith("  CC ")]
    assert "miscutils/beep.o" in compiled and "editors/vi.o" not in compiled
    updated = tree.out("units/busybox.json")
    tree.build("busybox-rebuild")
    log = tree.out("logs/busybox.log")
    assert "==> update" not in log and "CC      editors/vi.o" in log
    assert tree.out("units/busybox.json") == updated
    print(f"kept folder {row['seconds']} s, from nothing {clean['seconds']} s")  # noqa: T201
