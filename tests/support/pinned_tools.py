"""The checkout's pinned tools for a test's project: its lock, and the user's unpacked packages."""

from __future__ import annotations

import os
from pathlib import Path

import checkout
from incremental.project import Project
from quard.boards import settings
from quard.project import places

SETTINGS = {"sandbox.mode": "bwrap", "tools.root": "pinned"}
"""Nothing else may be used in their place."""
WORDS = tuple(f"{name}={value}" for name, value in SETTINGS.items())


def give(project: Project) -> None:
    """Let a project use them."""
    (project.folder / "configs/tools").symlink_to(checkout.TOP / "configs/tools")
    home = places.home(os.environ)
    own = settings.load(checkout.TOP, {}, home).cache
    cache: Path = own or places.cache(checkout.TOP, os.environ, home)
    (cache / "tools").mkdir(parents=True, exist_ok=True)
    project.cache.mkdir(exist_ok=True)
    (project.cache / "tools").symlink_to(cache / "tools")
