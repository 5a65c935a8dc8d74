"""What a build has made, to be held against a clean one, and what must not be left of it."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .board import Board

_KEPT = ("conf", "greet")
"""Packages whose work folder outlives the build."""


@dataclass(frozen=True)
class Made:
    """Image files by hash, and result files by content, without what differs between two builds
    of the same: the log, and whether a folder was gone on with."""

    images: Mapping[str, str]
    results: Mapping[str, Any]


def made(board: Board) -> Made:
    """Return what lies in out/tiny."""
    results = {}
    for path in sorted((board.out / "tiny/units").rglob("*.json")):
        value = json.loads(path.read_text())
        if path.name.endswith(".record.json"):
            del value["blobs"]["log"], value["local"]
        results[path.name] = value
    return Made(images(board), results)


def images(board: Board) -> dict[str, str]:
    """Return the names and modes of the image files, and their hashes."""
    found = {}
    folder = board.out / "tiny/images"
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            found[f"{path.relative_to(folder)} {path.stat().st_mode:o}"] = digest
    return found


def differences(found: Mapping[str, Any], clean: Mapping[str, Any]) -> list[str]:
    """Return the names of what is not as in a clean build."""
    return [
        f"{name} is not that of a clean build"
        for name in sorted({*found, *clean})
        if found.get(name) != clean.get(name)
    ]


def litter(board: Board) -> Iterator[str]:
    """Yield what a build that has ended must not leave behind."""
    out = board.out
    for folder in (out, board.project.cache):
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder)
            if "work" not in name.parts and _temporary(path):
                yield f"left: {folder.name}/{name}"
    work = out / "tiny/work"
    if work.exists():
        yield from (f"left: work/{p.name}" for p in work.iterdir() if p.name not in _KEPT)
    for store in (board.store, out / "store"):
        scratch = store / "tmp"
        if scratch.exists():
            yield from (f"left: {p}" for p in scratch.iterdir() if p.name != ".lock")
    if (out / "journal").exists():
        yield "left: the journal"
    if held(out / "lock"):
        yield "the lock is held"


def held(lock: Path) -> bool:
    """Tell whether somebody has the tree's lock."""
    if not lock.exists():
        return False
    handle = os.open(lock, os.O_RDWR)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def _temporary(path: Path) -> bool:
    suffix = path.suffix
    return suffix in (".part", ".new", ".tmp") or (
        path.name.startswith("programs.json.") or path.name.startswith("sconsign.tmp")
    )
