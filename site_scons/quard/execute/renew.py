"""Updating an incremental build directory after changes in its local source tree.

Makefiles are not relied upon: few track the headers of an object, and none handle a change of
their own lines. So there are three cases:

- only compilation units were edited: make recompiles them;
- headers were edited, or source files were added or changed in kind: everything is recompiled;
- source files were removed, or anything else changed (makefiles, configure scripts, templates):
  the build starts from scratch. Otherwise the outputs of a removed file would still be installed.

It also starts from scratch if the last build itself removed what is to be updated, or left a link
in place of a folder: such a link may lead to any folder of the machine.

Kbuild, which linux and busybox use, tracks all of this (its fixdep and if_changed), and decides
itself what to recompile.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

from quard.execute.copying import Changes, changes, copy, is_folder, remove
from quard.sources.trees import Entry, Listing

_UNITS = frozenset((".C", ".S", ".c", ".cc", ".cpp", ".cxx", ".l", ".s", ".y"))
_HEADERS = frozenset((".H", ".def", ".h", ".hh", ".hpp", ".hxx", ".inc"))
_INCLUDE = re.compile(rb"^[ \t]*#[ \t]*include[ \t]*[<\"]([^>\"]+)[>\"]", re.MULTILINE)


def renew(src: Path, old: Mapping[str, Entry], new: Listing, *, tracks: bool) -> bool:
    """Update `src`, in which `old` has been built, to the state `new` of the tree.

    tracks -- the package's own make tracks all dependencies
    Returns False if the build must start from scratch; `src` is then unchanged.
    """
    found = changes(old, new.entries)
    if not tracks and not _understood(found, old, new.entries):
        return False
    touched = () if tracks or _only_units(found, new) else tuple(_units(new.entries))
    if not _reached(src, old, (*found.all, *touched)):
        return False
    if not all(os.path.lexists(src / path) for path in touched if path in old):
        return False
    for path in reversed(found.removed):
        remove(src / path)
    copy(new, src, sorted({*found.added, *found.edited, *found.other}))
    for path in found.other:
        _refresh(src, src / path)
    for path in touched:  # every compilation unit is newer than its object now
        os.utime(src / path, follow_symlinks=False)
    return True


def _reached(src: Path, old: Mapping[str, Entry], paths: Iterable[str]) -> bool:
    """Return whether the folders of `old` that these paths are in are still there.

    A build can remove them, or replace one by a link, which may lead out of `src`.
    """
    folders = {above for path in paths for above in PurePosixPath(path).parents}
    return is_folder(src) and all(
        is_folder(src / each)
        for each in folders
        if (entry := old.get(f"{each}")) and entry.kind == "folder"
    )


def _understood(found: Changes, old: Mapping[str, Entry], new: Mapping[str, Entry]) -> bool:
    """Return whether only source code, and folders of it, was added or changed."""
    gone = (*found.removed, *(p for p in found.other if new[p].kind == "folder"))
    if any(old[path].kind != "folder" for path in gone):
        return False
    for path in found.all:
        entry = new.get(path) or old[path]
        if entry.kind != "folder" and PurePosixPath(path).suffix not in _UNITS | _HEADERS:
            return False
    return True


def _only_units(found: Changes, new: Listing) -> bool:
    """Return whether only the content of files that are compiled on their own changed."""
    if found.added or found.removed or found.other:
        return False
    if any(PurePosixPath(path).suffix not in _UNITS for path in found.edited):
        return False
    names = {PurePosixPath(path).name for path in found.edited}
    return not names & _included(new)


def _included(listing: Listing) -> set[str]:
    """Return the names of all files that a source file of the tree includes."""
    names = set()
    for path, entry in listing.entries.items():
        if entry.kind != "folder" and PurePosixPath(path).suffix in _UNITS | _HEADERS:
            try:
                content = (listing.folder / path).read_bytes()
            except OSError:  # a dangling link
                continue
            names |= {PurePosixPath(os.fsdecode(n)).name for n in _INCLUDE.findall(content)}
    return names


def _units(entries: Mapping[str, Entry]) -> Iterator[str]:
    for path, entry in entries.items():
        if entry.kind in ("file", "program") and PurePosixPath(path).suffix in _UNITS:
            yield path


def _refresh(src: Path, path: Path) -> None:
    """Touch the target of a link: make compares its time, not the link's."""
    if path.is_symlink() and path.exists() and path.resolve().is_relative_to(src.resolve()):
        os.utime(path)
