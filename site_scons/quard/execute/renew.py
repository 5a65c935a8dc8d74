"""What of a kept build must go when the local source tree that it was made from has changed.

Makefiles are not asked to know: few say which headers an object was made from, and none what to
do when one of their own lines changes. So three cases are told apart:

- only compilation units were edited: make compiles them again;
- headers were edited, or source files came or became others: all is compiled again;
- source files went, or anything else changed (makefiles, configure scripts, templates): the build
  starts from nothing. What was made of a file that is gone may be installed again for good.

Kbuild, which linux and busybox use, does know all of it (its fixdep and if_changed), and is left
to make what it needs.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from quard.execute.copying import Changes, changes, copy, remove
from quard.sources.trees import Entry, Listing

_UNITS = frozenset((".C", ".S", ".c", ".cc", ".cpp", ".cxx", ".l", ".s", ".y"))
_HEADERS = frozenset((".H", ".def", ".h", ".hh", ".hpp", ".hxx", ".inc"))
_INCLUDE = re.compile(rb"^[ \t]*#[ \t]*include[ \t]*[<\"]([^>\"]+)[>\"]", re.MULTILINE)


def renew(src: Path, old: Mapping[str, Entry], new: Listing, *, tracks: bool) -> bool:
    """Bring `src`, in which `old` has been built, to the state `new` of the tree.

    tracks -- the package's own make knows by itself what depends on what
    Returns False where the build must start from nothing; `src` is then as it was.
    """
    found = changes(old, new.entries)
    if not tracks and not _understood(found, old, new.entries):
        return False
    for path in reversed(found.removed):
        remove(src / path)
    copy(new, src, sorted({*found.added, *found.edited, *found.other}))
    for path in found.other:
        _refresh(src, src / path)
    if not tracks and not _only_units(found, new):
        _compile_all(src, new.entries)
    return True


def _understood(found: Changes, old: Mapping[str, Entry], new: Mapping[str, Entry]) -> bool:
    """Tell whether only source code came or changed, and folders that hold it."""
    gone = (*found.removed, *(p for p in found.other if new[p].kind == "folder"))
    if any(old[path].kind != "folder" for path in gone):
        return False
    for path in found.all:
        entry = new.get(path) or old[path]
        if entry.kind != "folder" and PurePosixPath(path).suffix not in _UNITS | _HEADERS:
            return False
    return True


def _only_units(found: Changes, new: Listing) -> bool:
    """Tell whether nothing but the content of files that are compiled on their own changed."""
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
            except OSError:  # a link to nowhere
                continue
            names |= {PurePosixPath(os.fsdecode(n)).name for n in _INCLUDE.findall(content)}
    return names


def _compile_all(src: Path, entries: Mapping[str, Entry]) -> None:
    """Make every compilation unit newer than its object."""
    for path, entry in entries.items():
        if entry.kind in ("file", "program") and PurePosixPath(path).suffix in _UNITS:
            os.utime(src / path)


def _refresh(src: Path, path: Path) -> None:
    """Make what a link leads to new: make looks at its time, not at the link's."""
    if path.is_symlink() and path.exists() and path.resolve().is_relative_to(src.resolve()):
        os.utime(path)
