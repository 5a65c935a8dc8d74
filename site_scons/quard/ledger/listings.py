"""The listings of the local trees that a package was built from, to name what has changed in them.

They are beside the result and read only for a report. Each is found by the digest of its tree,
which the basis has: the listing of another tree is never taken for it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from quard.base import canonical
from quard.base.plain import short
from quard.ledger.results import Results, put

Listings = Mapping[str, Mapping[str, str]]
"""Digest of a tree -> path in it -> everything that the digest covers at this path."""

_SHOWN = 3
"""How many changes one line names."""


def keep(results: Results, listings: Listings) -> None:
    """Write the listings of the trees that a result is made from; without any, there is no file."""
    if listings:
        put(results.trees, canonical.sealed({"trees": listings}))
    else:
        results.trees.unlink(missing_ok=True)


def kept(results: Results) -> Listings:
    """Return the listings beside a result; empty if there are none or the file is damaged."""
    try:
        found = canonical.unsealed(results.trees.read_bytes())
    except OSError:
        return {}
    trees: Listings = found["trees"] if found else {}
    return trees


def difference(old: Mapping[str, str] | None, new: Mapping[str, str] | None) -> str:
    """Return the end of a line on a changed tree: the first changes and the number of the others.

    Empty if one of the listings is not known.
    """
    if old is None or new is None:
        return ""
    lines = [f"{short(path)} {how}" for path, how in _changes(old, new)]
    more = f", and {len(lines) - _SHOWN} more" if len(lines) > _SHOWN else ""
    return f": {', '.join(lines[:_SHOWN])}{more}"


def _changes(old: Mapping[str, str], new: Mapping[str, str]) -> Sequence[tuple[str, str]]:
    """Return the changed paths, sorted, and what happened to each.

    A folder that came or went with its content is named by the content alone.
    """
    found = dict.fromkeys(old.keys() - new.keys(), "removed")
    found |= dict.fromkeys(new.keys() - old.keys(), "added")
    found |= {path: "changed" for path in old.keys() & new.keys() if old[path] != new[path]}
    above = {folder for path in found for folder in _folders(path)}
    return [(path, found[path]) for path in sorted(found, key=os.fsencode) if path not in above]


def _folders(path: str) -> Sequence[str]:
    """Return the folders that a path is in."""
    parts = path.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]
