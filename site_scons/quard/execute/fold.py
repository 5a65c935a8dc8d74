"""Top-level bin, sbin, lib and lib64 of a staging folder move below usr, usr/lib64 into usr/lib.

Links are corrected first, as long as what they lead to is still where they say.
"""

from __future__ import annotations

import os
import posixpath
import stat
from collections.abc import Collection, Sequence
from pathlib import Path

from quard.errors import QuardError
from quard.execute.stage import below, is_folder
from quard.plain import one_line
from quard.store.member import FOLDER_MODE

_FOLDS = (
    ("bin", "usr/bin"),
    ("sbin", "usr/sbin"),
    ("lib", "usr/lib"),
    ("lib64", "usr/lib"),
    ("usr/lib64", "usr/lib"),
)


def folded(path: str) -> str:
    """Return where a path lies after the top-level folders have moved."""
    for old, new in _FOLDS:
        if below(path, old):
            return new + path[len(old) :]
    return path


def _landing(path: str, target: str) -> str:
    """Return the path that a link's text leads to; `..` stops at the root, as in the kernel."""
    return posixpath.normpath(posixpath.join("/", posixpath.dirname(path), target))[1:]


def correct_links(stage: Path, paths: Collection[str], markers: Sequence[str]) -> None:
    """Give links the text that is right after moving; remove those that would lead to themselves.

    An absolute link to something in the same stage becomes relative, so that it also holds below
    a sysroot.

    paths   -- all that will be on the target, links and others
    markers -- texts that no link may hold, beside the path of the stage itself
    Raises QuardError `stage-link`.
    """
    after = {folded(path) for path in paths}
    for path in paths:
        place = stage / path
        if not place.is_symlink():
            continue
        target = str(place.readlink())
        _refuse_stage_link(path, target, (*markers, str(stage)))
        landing = _landing(path, target)
        new_path, new_landing = folded(path), folded(landing)
        if new_path == new_landing:
            place.unlink()
            continue
        absolute = target.startswith("/")
        escapes = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))[:2] == ".."
        moved = (new_path, new_landing) != (path, landing)
        if (absolute and new_landing in after) or (not absolute and (escapes or moved)):
            place.unlink()
            place.symlink_to(
                posixpath.relpath(f"/{new_landing}", f"/{posixpath.dirname(new_path)}")
            )


def _refuse_stage_link(path: str, target: str, markers: Sequence[str]) -> None:
    if any(marker in target for marker in markers):
        raise QuardError(
            f"a link into the build: {path}",
            detail=one_line(f"{path} -> {target}"),
            reason="stage-link",
            hint="make the install step link to the path on the target, or relatively",
        )


def fold(stage: Path) -> None:
    """Move the folders; see the module. Raises QuardError `file-collision`."""
    for old, new in _FOLDS:
        if os.path.lexists(stage / old):
            _move(stage, old, new)


def _move(stage: Path, old: str, new: str) -> None:
    """Move a path, merging folders; two equal links become one, all else that meets is refused."""
    source, place = stage / old, stage / new
    if not os.path.lexists(place):
        place.parent.mkdir(parents=True, exist_ok=True)
        source.rename(place)
    elif is_folder(source) and is_folder(place):
        for inside in sorted(source.iterdir()):
            _move(stage, f"{old}/{inside.name}", f"{new}/{inside.name}")
        _merge_modes(source, place, old, new)
        source.rmdir()
    elif source.is_symlink() and place.is_symlink() and source.readlink() == place.readlink():
        source.unlink()
    else:
        raise _collision(old, new, "both are installed, and bin, sbin, lib, lib64 lie in usr")


def _merge_modes(source: Path, place: Path, old: str, new: str) -> None:
    one, other = (stat.S_IMODE(path.stat().st_mode) for path in (source, place))
    if one not in (other, FOLDER_MODE):
        if other != FOLDER_MODE:
            raise _collision(old, new, f"folders of modes {one:04o} and {other:04o}")
        place.chmod(one)


def _collision(old: str, new: str, detail: str) -> QuardError:
    return QuardError(
        f"two things at one place: {old} and {new}",
        detail=detail,
        reason="file-collision",
        hint="drop one of them in the recipe",
    )
