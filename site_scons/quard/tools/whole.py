"""Folders that several threads and processes may want to make: one makes it, completely or not.

A folder is renamed when it is complete, but its files may reach the disk later. A mark beside it
says in which boot of this machine it was made, until `settle` has written everything to the disk. A
folder with the mark of an earlier boot may have lost files when the machine went down: it counts
as missing. A listing beside it says what it must hold, see `listing`.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from quard.base.files import remove_tree
from quard.tools import listing

PART = ".part"
_LOCK = ".lock"
_MARK = ".unsynced"
_POLL = 0.05
_BOOT = Path("/proc/sys/kernel/random/boot_id")


def make(
    place: Path,
    fill: Callable[[Path], Mapping[str, str]],
    check: Callable[[], None],
    waiting: Callable[[], None] = lambda: None,
    look: listing.Look = listing.quick,
) -> None:
    """Make a folder unless it is whole and undamaged: `fill` writes into an empty one, which is
    then renamed.

    If another thread or process is making it, this one waits for the result.

    fill    -- returns path -> sha256 of each file that it has written
    check   -- called while waiting; an exception from it ends the waiting
    waiting -- called once when the waiting begins
    look    -- finds damage
    Raises what `fill` and `check` raise, and OSError; then there is no folder.
    """
    with _alone(place, check, waiting):
        if is_whole(place) and not look(place):
            return
        _discard(place)
        part = place.with_name(place.name + PART)
        try:
            part.mkdir()
            listing.write(place, part, fill(part))
            _mark(place).write_text(_boot(), encoding="ascii")
            part.rename(place)
        except BaseException:
            with contextlib.suppress(OSError):  # the first fault is reported
                remove_tree(part)
                listing.beside(place).unlink(missing_ok=True)
            raise


def is_whole(place: Path) -> bool:
    """Return whether a folder has been made and no fault of the machine has damaged it since."""
    if not (place.is_dir() and listing.beside(place).is_file()):
        return False
    try:
        return _mark(place).read_text(encoding="ascii") == _boot()
    except FileNotFoundError:
        return True
    except UnicodeDecodeError:
        return False


def settle(folders: Iterable[Path]) -> None:
    """Write what `make` has made in these folders to the disk. Raises OSError."""
    marks = [mark for folder in folders for mark in sorted(folder.glob(f"*{_MARK}"))]
    # Others may make folders meanwhile: their marks did not exist before.
    ours = [mark for mark in marks if is_whole(mark.with_suffix(""))]
    if ours:
        os.sync()
        for mark in ours:
            mark.unlink(missing_ok=True)


def discard(place: Path) -> None:
    """Remove a folder, unless somebody is making it just now. Raises OSError."""
    with contextlib.suppress(_Busy), _alone(place, _give_up, lambda: None):
        _discard(place)


def _discard(place: Path) -> None:
    """Remove a folder. It is renamed first, so that nobody takes a part of it for the whole."""
    part = place.with_name(place.name + PART)
    _remove(part)
    with contextlib.suppress(FileNotFoundError):
        place.rename(part)
        _remove(part)
    listing.beside(place).unlink(missing_ok=True)
    _mark(place).unlink(missing_ok=True)


def _remove(path: Path) -> None:
    """Remove a folder, or whatever is in its place."""
    if path.is_dir() and not path.is_symlink():
        remove_tree(path)
    else:
        path.unlink(missing_ok=True)


def _mark(place: Path) -> Path:
    return place.with_name(place.name + _MARK)


@functools.cache
def _boot() -> str:
    """Return what identifies this boot of the machine, random(4); "" where that is not known."""
    try:
        return _BOOT.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def sweep(folder: Path) -> None:
    """Remove what killed processes have left in a folder where `make` makes folders.

    Their names have no dot. Files that `fill` writes beside them with `replacing` begin with the
    name and a dot. Raises OSError.
    """
    for part in sorted(folder.glob(f"*{PART}")):
        place = folder / part.name.partition(".")[0]
        with contextlib.suppress(_Busy), _alone(place, _give_up, lambda: None):
            _remove(part)


class _Busy(Exception):
    """Somebody else is making the folder."""


def _give_up() -> None:
    raise _Busy


@contextlib.contextmanager
def _alone(place: Path, check: Callable[[], None], waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the lock of a folder; its file is removed at the end."""
    lock = place.with_name(place.name + _LOCK)
    place.parent.mkdir(parents=True, exist_ok=True)
    told = False
    while True:
        handle = os.open(lock, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_same(handle, lock):
                break
        except BlockingIOError:
            if not told:
                waiting()
                told = True
            check()
            time.sleep(_POLL)
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):  # it does no harm
            lock.unlink()
        os.close(handle)


def _is_same(handle: int, path: Path) -> bool:
    """Return whether an open file is still the one at the path: its last owner removed it."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False
