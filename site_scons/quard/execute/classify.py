"""Which files of a staging folder the target needs, and which its dependants build with."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from quard.execute import elf
from quard.execute.stage import below

_DEV_FOLDERS = (
    "usr/include",
    "usr/lib/cmake",
    "usr/lib/pkgconfig",
    "usr/share/aclocal",
    "usr/share/cmake",
    "usr/share/pkgconfig",
)
_SHARED = re.compile(r"\.so(\.|$)")


def classify(
    stage: Path, paths: Iterable[str], frames: Mapping[str, elf.Elf]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Sort paths of the stage into those of the target and those of dependants.

    frames -- of the ELF files among them
    """
    runtime, dev = [], []
    for path in paths:
        for_target, for_dependants = _uses(stage, path, frames)
        if for_target:
            runtime.append(path)
        if for_dependants:
            dev.append(path)
    return tuple(runtime), tuple(dev)


def _uses(stage: Path, path: str, frames: Mapping[str, elf.Elf]) -> tuple[bool, bool]:
    """Tell whether a path goes to the target, and whether dependants need it."""
    folder, name = posixpath.split(path)
    if any(below(path, dev_folder) for dev_folder in _DEV_FOLDERS):
        return False, True
    real = _behind_links(stage, path)
    if below(path, "usr/lib"):
        if name.endswith(".a") or (name.endswith(".o") and folder == "usr/lib"):
            return False, True
        if _SHARED.search(name) and (folder == "usr/lib" or name.startswith("lib")):
            return _library_uses(stage / path, name, frames.get(real))
    script = folder == "usr/bin" and name.endswith("-config") and real not in frames
    return not script, script


def _library_uses(place: Path, name: str, frame: elf.Elf | None) -> tuple[bool, bool]:
    """Decide for lib*.so*: a link without version is for the linker, unless it is the SONAME."""
    versioned = not name.endswith(".so")
    if place.is_symlink():
        return versioned or (frame is not None and frame.soname == name), True
    if frame is None:
        return versioned, True
    return True, frame.library


def _behind_links(stage: Path, path: str) -> str:
    """Return the path of the file that a path leads to, itself where nothing is found."""
    real = os.path.realpath(stage / path)
    root = os.path.realpath(stage)
    return posixpath.relpath(real, root) if real.startswith(f"{root}/") else path
