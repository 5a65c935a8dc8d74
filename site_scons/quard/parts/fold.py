"""usr-merge: top-level bin, sbin, lib, lib64 move below usr, and usr/lib64 into usr/lib.

Links are corrected first, while their targets are still in the old place.
"""

from __future__ import annotations

import os
import posixpath
import stat
from collections.abc import Collection, Sequence
from pathlib import Path

from quard.base import links
from quard.base.errors import QuardError
from quard.base.plain import one_line, short
from quard.parts.stage import below, is_folder
from quard.store.member import FOLDER_MODE

_FOLDS = (
    ("bin", "usr/bin"),
    ("sbin", "usr/sbin"),
    ("lib", "usr/lib"),
    ("lib64", "usr/lib"),
    ("usr/lib64", "usr/lib"),
)


def folded(path: str) -> str:
    """Return the path after the top-level folders have moved."""
    for old, new in _FOLDS:
        if below(path, old):
            return new + path[len(old) :]
    return path


def correct_links(
    stage: Path, paths: Collection[str], markers: Sequence[str], own: str = ""
) -> list[QuardError]:
    """Correct links for the move; remove those that would point to themselves.

    An absolute link to something in the same stage becomes relative, so that it is also valid in
    a sysroot. A link that contains the stage's own path means the file installed there.

    paths   -- all paths that will be on the target, links and others
    markers -- texts that no link may contain
    own     -- the stage's path as the build saw it
    Returns an error `stage-link` for each link that points into the build.
    """
    after = {folded(path) for path in paths}
    wrong = []
    for path in paths:
        place = stage / path
        if not place.is_symlink():
            continue
        text = os.readlink(place)
        target = _without_stage(text, (own, str(stage)))
        if any(marker in target for marker in markers):
            wrong.append(_stage_link(path, target))
            continue
        landing = links.landing(path, target)
        new_path, new_landing = folded(path), folded(landing)
        if new_path == new_landing:
            place.unlink()
            continue
        absolute = target.startswith("/")
        escapes = links.leads_out(path, target)
        moved = (new_path, new_landing) != (path, landing)
        if (absolute and new_landing in after) or (not absolute and (escapes or moved)):
            target = posixpath.relpath(f"/{new_landing}", f"/{posixpath.dirname(new_path)}")
        if target != text:
            place.unlink()
            place.symlink_to(target)
    return wrong


def _without_stage(target: str, stages: Sequence[str]) -> str:
    """Return a link's target without the stage's path in front."""
    plain = posixpath.normpath(target)
    for stage in stages:
        if stage and below(plain, stage):
            return plain[len(stage) :] or "/"
    return target


def _stage_link(path: str, target: str) -> QuardError:
    return QuardError(
        f"a link into the build: {short(path)}",
        detail=one_line(f"{short(path)} -> {short(target)}"),
        reason="stage-link",
        hint="make the install step create a relative link, or a link to the path on the target",
    )


def fold(stage: Path) -> list[QuardError]:
    """Move the folders; see the module. Returns a `file-collision` for what cannot move."""
    wrong: list[QuardError] = []
    for old, new in _FOLDS:
        if os.path.lexists(stage / old):
            _move(stage, old, new, wrong)
    return wrong


def _move(stage: Path, old: str, new: str, wrong: list[QuardError]) -> None:
    """Move a path, merging folders; two equal links become one, other collisions are errors."""
    source, place = stage / old, stage / new
    if not os.path.lexists(place):
        place.parent.mkdir(parents=True, exist_ok=True)
        source.rename(place)
    elif is_folder(source) and is_folder(place):
        for inside in sorted(source.iterdir()):
            _move(stage, f"{old}/{inside.name}", f"{new}/{inside.name}", wrong)
        modes = _merge_modes(source, place)
        if modes:
            wrong.append(_collision(old, new, modes))
        if not any(source.iterdir()):
            source.rmdir()
    elif source.is_symlink() and place.is_symlink() and os.readlink(source) == os.readlink(place):
        source.unlink()
    else:
        what = "both are installed, but bin, sbin, lib and lib64 are in usr (usr-merge)"
        wrong.append(_collision(old, new, what))


def _merge_modes(source: Path, place: Path) -> str:
    """Merge the modes of two folders; return what is wrong with them."""
    one, other = (stat.S_IMODE(path.stat().st_mode) for path in (source, place))
    if one not in (other, FOLDER_MODE):
        if other != FOLDER_MODE:
            return f"folders of modes {one:04o} and {other:04o}"
        place.chmod(one)
    return ""


def _collision(old: str, new: str, detail: str) -> QuardError:
    return QuardError(
        f"two files at the same path: {old} and {new}",
        detail=detail,
        reason="file-collision",
        hint="drop one of them in the recipe",
    )
