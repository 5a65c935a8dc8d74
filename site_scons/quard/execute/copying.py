"""Copying a local source tree to a build's source folder: all of it, or only the changes."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from quard.base.files import changed
from quard.base.record import Record, record
from quard.sources.trees import Entry, Listing


@record
class Changes(Record):
    """The paths that differ between two states of a tree.

    edited -- files where only the content differs
    other  -- files whose executable bit differs, links with another target, paths of another type
    """

    added: tuple[str, ...]
    removed: tuple[str, ...]
    edited: tuple[str, ...]
    other: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        return tuple(sorted((*self.added, *self.removed, *self.edited, *self.other)))


def changes(old: Mapping[str, Entry], new: Mapping[str, Entry]) -> Changes:
    """Return the differences of `new` from `old`."""
    both = sorted(path for path in old.keys() & new.keys() if old[path] != new[path])
    edited = tuple(p for p in both if old[p].kind == new[p].kind != "link")
    return Changes(
        added=tuple(sorted(new.keys() - old.keys())),
        removed=tuple(sorted(old.keys() - new.keys())),
        edited=edited,
        other=tuple(path for path in both if path not in edited),
    )


def copy(listing: Listing, into: Path, paths: Iterable[str] | None = None) -> None:
    """Copy a tree, or only `paths` of it, into a folder; paths in the way are removed.

    Files get mode 0644, or 0755 if their owner may execute them, and the current time: they are
    newer than the outputs that a build made from an older copy. All get the same time, so that make
    does not take a file that a release has generated for older than what it was generated from.
    Raises QuardError changed-while-building if a file no longer matches the listing.
    """
    written: int | None = None
    for path in listing.entries if paths is None else paths:
        entry, source, target = listing.entries[path], listing.folder / path, into / path
        if entry.kind == "folder":
            if not is_folder(target):
                remove(target)
                target.mkdir()
            continue
        remove(target)
        try:
            if entry.kind == "link":
                if os.readlink(source) != entry.content:
                    raise changed(listing.folder)
                target.symlink_to(entry.content)
            else:
                written = _copy_file(source, target, entry, written)
        except FileNotFoundError:
            raise changed(listing.folder) from None


def is_folder(path: Path) -> bool:
    """Return whether there is a folder at a path, and not a link to one."""
    return path.is_dir() and not path.is_symlink()


def remove(path: Path) -> None:
    """Remove a file, a link or a whole folder, if it exists."""
    if is_folder(path):
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _copy_file(source: Path, target: Path, entry: Entry, written: int | None) -> int:
    """Copy a file; return the time that it has, `written` if that is given."""
    content = source.read_bytes()
    if hashlib.sha256(content).hexdigest() != entry.content:
        raise changed(source)
    target.write_bytes(content)
    target.chmod(0o755 if entry.kind == "program" else 0o644)
    if written is None:
        # The clock of the file system: that of the process may be ahead of it.
        return target.stat().st_mtime_ns
    os.utime(target, ns=(written, written))
    return written
