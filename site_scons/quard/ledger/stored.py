"""Cache hits: which results in the stores can be used for a unit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from quard.base.errors import QuardError
from quard.base.record import Record, record
from quard.ledger.basis import acceptable, key
from quard.ledger.results import LostResult
from quard.store.stores import Stores


@record
class Stored(Record):
    """The record of a result, its key, and what it was made from."""

    key: str
    made: Mapping[str, Any]
    record: Mapping[str, Any]


_ALWAYS = frozenset(("debug", "dev", "log"))
"""Parts that each package's record has besides those that its plan names."""


def stored(
    stores: Stores, now: Mapping[str, Any], archives: Sequence[str], parts: Iterable[str]
) -> Iterator[Stored]:
    """Yield the results that can be used for `now`, the best first.

    A record without a part that is needed, as a remote cache may have one, is no result.

    archives -- those that the plan accepts
    parts    -- that the result must have
    """
    needed = _ALWAYS.union(parts) - {"interface"}
    for made in acceptable(now, archives):
        name = key(made)
        found = stores.record(name)
        if found and needed <= found["blobs"].keys():
            yield Stored(name, made, found)


def keep(stores: Stores, name: str, found: Stored) -> None:
    """Put the record of a result that was just made into the store that has its blobs.

    name -- of the package
    Raises LostResult if somebody else has removed a blob since it was put there, QuardError.
    """
    try:
        stores.keep(found.key, found.record)
    except QuardError as error:
        if error.reason != "missing-blob":
            raise
        raise LostResult(name, error.message, detail=error.detail, reason=error.reason) from error
