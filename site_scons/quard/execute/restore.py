"""A package's result files: restored from the stores, or written after its build."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from quard.base import canonical
from quard.base.files import replacing
from quard.base.record import Record, record
from quard.execute.place import ResultPlace
from quard.ledger import listings
from quard.ledger.basis import as_before
from quard.ledger.results import (
    Results,
    interface_digest,
    made_from,
    put,
    read_record,
    write_result,
)
from quard.ledger.stored import Stored, stored
from quard.plan.plan import Plan
from quard.store.stores import Stores


@record
class Outcome(Record):
    """How a package was obtained: built here or restored from the store.

    before -- what its last result here was made from; None if there was none
    now    -- what it is made from now, but with that result's archive if it is still accepted.
              Both have the listings of their local trees
    key    -- of the result
    worker -- name of the worker that has built it; "" if it was built here or restored
    """

    how: Literal["built", "restored"]
    before: Mapping[str, Any] | None
    now: Mapping[str, Any]
    key: str
    worker: str = ""


def lookup(stores: Stores, plan: Plan, now: Mapping[str, Any]) -> Iterator[Stored]:
    """Yield the results that the stores have for a package.

    now -- what the result would be made from, with the first archive (ledger.basis)
    """
    parts = (*plan.target_parts, *(("deploy",) if plan.deploys else ()))
    return stored(stores, now, plan.archives, parts)


def restore(
    stores: Stores,
    plan: Plan,
    now: Mapping[str, Any],
    place: ResultPlace,
    results: Iterable[Stored],
) -> Outcome | None:
    """Write the results of a package from the stores; return None on a cache miss.

    now     -- see `lookup`
    results -- what it has found
    """
    for found in results:
        log = found.record["blobs"]["log"]
        if stores.is_away(log):
            _say_where(place.log, stores.origin(found.key), log)
        elif not stores.copy(log, place.log):
            stores.tell(stores.lost(found.key, place.results.name, "log", log))
            continue
        stores.share(found.key, found.record)
        return finish(plan, now, place, found, "restored")
    return None


def _say_where(place: Path, origin: str, sha256: str) -> None:
    """Write a line in place of a log that nobody has asked for, so that it is not fetched."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with replacing(place) as part:
        part.write_text(f"built elsewhere; {origin} has the log as cas/{sha256}\n")


def finish(
    plan: Plan,
    now: Mapping[str, Any],
    place: ResultPlace,
    found: Stored,
    how: Literal["built", "restored"],
) -> Outcome:
    """Write the result files, the result itself last."""
    results, blobs, interface = place.results, found.record["blobs"], found.record["interface"]
    before, trees = made_from(results), place.listings()
    if before and how == "built":
        before = {**before, "listings": listings.kept(results)}
    _keep_earlier(results, interface)
    put(results.record, canonical.lines(found.record))
    parts = {part: blobs[part] for part in plan.result_parts}
    parts["interface"] = canonical.digest(interface)
    listings.keep(results, trees)
    write_result(results, found.key, found.made, parts)
    worker = found.record.get("worker", "") if how == "built" else ""
    now = {**as_before(now, before, plan.archives), "listings": trees}
    return Outcome(how, before, now, found.key, worker)


def _keep_earlier(results: Results, found: Mapping[str, Any]) -> None:
    """Keep the interface that is about to be replaced, so that dependants can report changes.

    SCons removes the result files before it makes them; the last record stays.
    """
    record = read_record(results)
    digest = interface_digest(record)
    if digest and record["interface"] != found:
        old = {"digest": digest, "interface": record["interface"]}
        put(results.earlier, canonical.lines(old))
