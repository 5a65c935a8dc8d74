"""Which staged files the target needs, and which ones dependants need to build."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path, PurePosixPath

from quard.parts import elf
from quard.parts.pkgconfig import Folders, folders
from quard.parts.stage import below

_HEADERS = frozenset((".H", ".h", ".h++", ".hh", ".hpp", ".hxx", ".inl", ".ipp", ".tcc", ".txx"))
_LIKE_C = re.compile(rb"^[ \t]*#[ \t]*(?:if|ifdef|ifndef|include|pragma)\b", re.MULTILINE)
_BEGINNING = 1 << 14
_COMPILERS = ("usr/lib/clang", "usr/lib/gcc", "usr/lib/modules", "usr/lib/tcc")
"""Headers in these folders are for a compiler that runs on the target."""
_PYTHON = re.compile(r"usr/lib/python[\d.]+/(?:_sysconfigdata[^/]*\.py|config-[^/]+/.+)\Z")
"""How Python was built: read by its own modules and by builds of further modules."""
_DEV_FOLDERS = (
    "usr/include",
    "usr/lib/cmake",
    "usr/lib/pkgconfig",
    "usr/share/aclocal",
    "usr/share/cmake",
    "usr/share/pkgconfig",
    "usr/src",
)
_SHARED = re.compile(r"\.so(\.|$)")


def classify(
    stage: Path, paths: Iterable[str], frames: Mapping[str, elf.Elf]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Sort paths of the stage into those of the target and those of dependants.

    frames -- of the ELF files among them
    """
    target, dev = [], []
    paths = tuple(paths)
    named = folders(stage, (path for path in paths if path.endswith(".pc")))
    for path in paths:
        for_target, for_dependants = _uses(stage, path, frames, named)
        if for_target:
            target.append(path)
        if for_dependants:
            dev.append(path)
    return tuple(target), tuple(dev)


def _uses(
    stage: Path, path: str, frames: Mapping[str, elf.Elf], named: Folders
) -> tuple[bool, bool]:
    """Return whether a path goes to the target, and whether dependants need it."""
    folder, name = posixpath.split(path)
    if any(below(path, dev_folder) for dev_folder in _DEV_FOLDERS):
        return False, True
    real = _behind_links(stage, path)
    if real not in frames:
        if name.endswith(".pc") or (name.endswith(".cmake") and "/cmake/" in path):
            return False, True
        if _is_header(stage / path, path, named):
            return False, True
        if _PYTHON.match(path) and not name.endswith((".a", ".o")):
            return True, True
        if _under(path, named.data):
            return True, True
    if below(path, "usr/lib"):
        if name.endswith(".a") or (name.endswith(".o") and folder == "usr/lib"):
            return False, True
        if _SHARED.search(name) and (folder == "usr/lib" or name.startswith("lib")):
            return _library_uses(stage / path, name, frames.get(real))
    script = folder == "usr/bin" and name.endswith("-config") and real not in frames
    return not script, script


def _is_header(place: Path, path: str, named: Folders) -> bool:
    """Return whether a file is a header that dependants find where it is.

    That is true below usr/lib and in folders that pkg-config files name. A file without a suffix
    is a header only in such a folder or one called include, and if its text looks like C.
    """
    inside = _under(path, named.headers)
    if any(below(path, folder) for folder in _COMPILERS) or not (inside or below(path, "usr/lib")):
        return False
    if place.is_symlink():
        return PurePosixPath(path).suffix in _HEADERS
    if not place.is_file():
        return False
    if suffix := PurePosixPath(path).suffix:
        return suffix in _HEADERS
    if not inside and "include" not in path.split("/")[2:-1]:
        return False
    with place.open("rb") as file:
        start = file.read(_BEGINNING)
    return b"\0" not in start and _LIKE_C.search(start) is not None


def _under(path: str, named: Collection[str]) -> bool:
    """Return whether a path is below one of some folders."""
    return any(str(parent) in named for parent in PurePosixPath(path).parents)


def _library_uses(place: Path, name: str, frame: elf.Elf | None) -> tuple[bool, bool]:
    """Classify lib*.so*: a link without a version is for the linker, unless it is the SONAME."""
    versioned = not name.endswith(".so")
    if place.is_symlink():
        return versioned or (frame is not None and frame.soname == name), True
    if frame is None:
        return versioned, True
    return True, frame.library


def _behind_links(stage: Path, path: str) -> str:
    """Return the path of the file that a path resolves to, itself if nothing is found."""
    real = os.path.realpath(stage / path)
    root = os.path.realpath(stage)
    return posixpath.relpath(real, root) if real.startswith(f"{root}/") else path
