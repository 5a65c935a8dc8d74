"""The folders that a build writes to: their paths, and whether they are writable.

This is checked before anything is built, so that no build is lost because it cannot be stored.
"""

from __future__ import annotations

import os
import pwd
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

from quard.base.errors import QuardError
from quard.base.space import enough_space
from quard.ledger.ledger import IMAGES, RESULTS
from quard.store.local import Store

_REASON = "not-writable"
_MOVE_CACHE = "[cache] dir in local.toml, or cache.dir=FOLDER, sets another one"
_MOVE_OUT = "`out` may be a link to a folder elsewhere"
_SHOWN = 10
"""How many places an error names."""


def home(environ: Mapping[str, str]) -> Path | None:
    """Return the user's home folder: HOME, or that of passwd(5); None if there is neither."""
    folder = environ.get("HOME", "")
    if not folder.startswith("/"):
        try:
            folder = pwd.getpwuid(os.getuid()).pw_dir
        except KeyError:
            return None
    return Path(folder) if folder.startswith("/") else None


def cache(project: Path, environ: Mapping[str, str], at_home: Path | None) -> Path:
    """Return the cache folder: the user's (XDG base directories), or the checkout's own in CI.

    Raises QuardError no-home.
    """
    if environ.get("CI", "") not in ("", "0", "false"):
        return project / ".cache"
    base = environ.get("XDG_CACHE_HOME", "")
    if base.startswith("/"):
        return Path(base) / "quardroot"
    if at_home is None:
        raise QuardError(
            "there is no folder for the cache: this user has no home folder",
            detail=f"HOME is {environ.get('HOME', '')!r}, and passwd(5) has no user {os.getuid()}",
            reason="no-home",
            hint="set a folder for it: [cache] dir in local.toml, or cache.dir=FOLDER",
        )
    return at_home / ".cache" / "quardroot"


def require_out(out: Path, board: str) -> None:
    """Check that the checkout's out folder can be used. Raises QuardError not-writable."""
    if out.is_symlink() and not out.exists():
        raise QuardError(
            f"out is a link to a folder that does not exist: {out.readlink()}",
            reason=_REASON,
            hint="create that folder, or remove the link",
        )
    there = (path for path in (out, out / "lock", out / board) if path.exists())
    _require([*_closed(there if out.exists() else (out.parent,), _MOVE_OUT)])


def require(
    out: Path, board: str, names: Collection[str], stores: Iterable[Store], roots: Iterable[str]
) -> None:
    """Check what building packages requires. Raises QuardError: not-writable, noexec, disk-full.

    names  -- of the packages
    roots  -- names of the board's named roots, which have folders in those of the board
    stores -- for their results: in `out`, or in the cache elsewhere
    """
    own, work = out / board, out / board / "work"
    lines = [*_tried((out, own, work), _MOVE_OUT)]
    if not lines:
        folders = [Path(entry.path) for entry in os.scandir(own) if entry.is_dir()]
        inner = [own / RESULTS / IMAGES]
        kinds = (IMAGES, "logs", "work", RESULTS, f"{RESULTS}/{IMAGES}")
        inner += [own / kind / root for root in roots for kind in kinds]
        folders += [path for path in inner if path.is_dir()]
        left = [work / name for name in names] + [own / "logs" / f"{name}.log" for name in names]
        lines += _closed((*folders, *(path for path in left if path.exists())), _MOVE_OUT)
    for store in stores:
        move = _MOVE_OUT if store.root.is_relative_to(out) else _MOVE_CACHE
        try:
            store.try_out()
        except OSError as error:
            lines.append(_line(error.filename or store.root, error.strerror or str(error), move))
        else:
            lines += _closed(store.folders(), move)
    _require(lines)
    if os.statvfs(work).f_flag & os.ST_NOEXEC:
        raise QuardError(
            "programs cannot run in the folder where they are built",
            detail=f"{work} is on a file system that is mounted with noexec",
            reason="noexec",
            hint=f"mount it without noexec; or move it: {_MOVE_OUT}",
        )


def require_sources(folder: Path, digests: Iterable[str]) -> None:
    """Check what fetching archives with these digests requires. Raises QuardError not-writable."""
    lines = [*_tried((folder,), _MOVE_CACHE)]
    places = (folder / name / file for name in digests for file in ("", ".lock"))
    lines += _closed((path for path in places if path.exists()), _MOVE_CACHE)
    _require(lines)


def _require(lines: list[str]) -> None:
    if lines:
        more = [f"and {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else []
        raise QuardError(
            "the build cannot write to paths that it needs",
            detail="\n".join([*lines[:_SHOWN], *more]),
            reason=_REASON,
            hint="make them writable for this user (chown -R if another user owns them),"
            " or move them",
        )


def _tried(folders: Iterable[Path], move: str) -> Iterator[str]:
    """Make each folder and a temporary file in it; yield a line for each failure."""
    for folder in folders:
        try:
            with enough_space(folder):
                folder.mkdir(parents=True, exist_ok=True)
                with tempfile.NamedTemporaryFile(dir=folder, suffix=".part"):
                    pass
        except OSError as error:
            yield _line(folder, error.strerror or str(error), move)
            return


def _closed(existing: Iterable[Path], move: str) -> Iterator[str]:
    """Yield a line for each existing folder and file that is not writable."""
    for path in existing:
        if not os.access(path, os.W_OK | os.X_OK if path.is_dir() else os.W_OK):
            yield _line(path, _obstacle(path), move)


def _obstacle(path: Path) -> str:
    if os.statvfs(path).f_flag & os.ST_RDONLY:
        return "Read-only file system"
    status = path.stat()
    if status.st_uid == os.geteuid():
        return f"its mode is {status.st_mode & 0o7777:04o}"
    try:
        return f"it belongs to {pwd.getpwuid(status.st_uid).pw_name}"
    except KeyError:
        return f"it belongs to user {status.st_uid}"


def _line(path: Path | str, problem: str, move: str) -> str:
    return f"{path}: {problem}; {move}"
