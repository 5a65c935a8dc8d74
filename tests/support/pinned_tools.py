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
    offer(project.folder, project.cache)


def offer(project: Path, cache: Path) -> None:
    """Let the project in a folder use them, with its cache folder."""
    (project / "configs/tools").symlink_to(checkout.TOP / "configs/tools")
    home = places.home(os.environ)
    own = settings.load(checkout.TOP, {}, home).cache
    users: Path = own or places.cache(checkout.TOP, os.environ, home)
    (users / "tools").mkdir(parents=True, exist_ok=True)
    cache.mkdir(exist_ok=True)
    (cache / "tools").symlink_to(users / "tools")
