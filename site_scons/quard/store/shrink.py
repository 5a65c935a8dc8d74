"""Making a store smaller: the results that were used least recently go first.

A result was last used when its record was found, or when one of its blobs was looked for or read;
a store notes that in the modification times of its files, once a day at most. Other builds may use
the store meanwhile: what was used within the last hour stays, and a blob that goes while somebody
needs it is built again by that build.
"""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from quard.base.record import Record, record
from quard.store import taken
from quard.store.local import IN_USE, Store
from quard.store.record import decode_record

UNFINISHED = 24 * 3600
"""Seconds for which a blob stays that no record names: the build that made it may go on."""
_NOTED = 90 * 24 * 3600
"""Seconds for which a note on a result stays that keeps no blob."""


@record
class Shrunk(Record):
    """What was removed from a store; sizes are bytes.

    results -- number of results
    freed   -- size of what was removed
    left    -- size of what stays
    """

    results: int
    freed: int
    left: int


@record
class _Stored(Record):
    """A record's file; `blobs` is None for one that is damaged."""

    path: Path
    size: int
    used: float
    blobs: frozenset[str] | None


def shrink(store: Store, limit: int | None, now: float, *, dry: bool = False) -> Shrunk:
    """Remove leftovers, and results until the rest has at most `limit` bytes; None: leftovers only.

    Leftovers are records that cannot be read, and blobs that no record names any more. A note on a
    result that was taken from a remote cache counts as the record of those blobs that are here.

    now -- seconds since the epoch
    dry -- remove nothing, and tell what would be removed
    """
    blobs = {path.name: status for path, status in _files(store.root / "cas")}
    found = (*_records(store, blobs), *_taken(store, blobs, now))
    records = sorted(found, key=lambda one: (one.used, one.path.name))
    removed = [one for one in records if one.blobs is None]
    named = Counter(sha256 for one in records for sha256 in one.blobs or ())
    gone = {n for n, s in blobs.items() if not named[n] and s.st_mtime < now - UNFINISHED}
    sizes = {name: status.st_size for name, status in blobs.items()}
    total = sum(one.size for one in records) + sum(sizes.values())
    left = total - sum(sizes[name] for name in gone) - sum(one.size for one in removed)
    results = 0
    for one in records:
        if limit is None or left <= limit or one.used > now - IN_USE:
            break
        if one.blobs is None:
            continue
        results += 1
        removed.append(one)
        named.subtract(one.blobs)
        alone = {name for name in one.blobs & sizes.keys() if not named[name]}
        gone |= alone
        left -= one.size + sum(sizes[name] for name in alone)
    if not dry:
        # Records first: one whose blobs are gone would look like damage.
        for one in removed:
            one.path.unlink(missing_ok=True)
        for name in sorted(gone):
            store.discard(store.path(name), blobs[name])
    return Shrunk(results, total - left, left)


def _records(store: Store, blobs: dict[str, os.stat_result]) -> Iterator[_Stored]:
    for path, status in _files(store.root / "ac"):
        try:
            data = path.read_bytes()
        except OSError:
            continue  # somebody else shrinks the store, too
        record = decode_record(path.stem, data)
        names = frozenset(record["blobs"].values()) if record else None
        times = [blobs[name].st_mtime for name in names or () if name in blobs]
        yield _Stored(path, status.st_size, max([status.st_mtime, *times]), names)


def _taken(store: Store, blobs: dict[str, os.stat_result], now: float) -> Iterator[_Stored]:
    for path, names in taken.results(store.root):
        try:
            status = path.stat()
        except OSError:
            continue  # somebody else shrinks the store, too
        here = [blobs[name].st_mtime for name in names or () if name in blobs]
        if not here and names and status.st_mtime > now - _NOTED:
            continue  # its blobs may still be fetched
        used = max([status.st_mtime, *here])
        yield _Stored(path, status.st_size, used, names if here else None)


def _files(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Yield the files of one of a store's folders, sorted; others may remove some meanwhile."""
    for path in sorted(folder.glob("*/*")) if folder.is_dir() else ():
        with suppress(FileNotFoundError):
            status = path.stat()
            if stat.S_ISREG(status.st_mode):
                yield path, status
