"""Cache hits: which results in the stores can be used for a unit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from quard.ledger.basis import acceptable, key
from quard.store.stores import Stores


@dataclass(frozen=True)
class Stored:
    """The record of a result, and what that was made from."""

    made: Mapping[str, Any]
    record: Mapping[str, Any]


def stored(stores: Stores, now: Mapping[str, Any], archives: Sequence[str]) -> Iterator[Stored]:
    """Yield the results that can be used for `now`, the best first.

    archives -- those that the plan accepts
    """
    for made in acceptable(now, archives):
        if found := stores.record(key(made)):
            yield Stored(made, found)
