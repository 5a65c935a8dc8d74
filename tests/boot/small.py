"""Boards that differ a little from the small one, each in a checkout of its own."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

import checkout
from boot.conftest import BUILD_SECONDS, SMALL_BOARD, TOP
from quard.boards.board import load
from quard.boards.trees import Trees

_LAST = '    "e2fsprogs",\n'
"""The last package in its list."""


def with_packages(folder: Path, board: str, packages: Iterable[str]) -> None:
    """Make a checkout with a board that has further packages."""
    changed(folder, board, _LAST, _LAST + "".join(f'    "{name}",\n' for name in packages))


def including(folder: Path, board: str, other: str, packages: Iterable[str]) -> None:
    """Make a checkout with a board that has further packages than another one."""
    checkout.link(folder)
    for path in (TOP / "configs").iterdir():
        if path.is_dir():
            (folder / "configs" / path.name).symlink_to(path)
        else:
            shutil.copy(path, folder / "configs")
    had = load(Trees(TOP), other).own.packages
    added = "".join(f'    "{name}",\n' for name in packages if name not in had)
    text = f'summary = "{board}"\ninclude = ["{other}"]\npackages.add = [\n{added}]\n'
    (folder / f"configs/{board}.toml").write_text(text, encoding="utf-8")


def changed(folder: Path, board: str, old: str, new: str) -> None:
    """Make a checkout with a board that has another text in one place."""
    checkout.link(folder)
    for name in ("system", "tools"):
        (folder / "configs" / name).symlink_to(TOP / "configs" / name)
    text = (TOP / f"configs/{SMALL_BOARD}.toml").read_text(encoding="utf-8")
    assert text.count(old) == 1
    (folder / f"configs/{board}.toml").write_text(text.replace(old, new), encoding="utf-8")


def build(folder: Path, board: str, *targets: str) -> None:
    """Build such a board with the sources and the store of the user."""
    checkout.build(folder, f"BOARD={board}", *targets, limit=BUILD_SECONDS)
