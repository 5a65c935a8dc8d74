"""A timeline as a file in the Chrome trace event format, which Perfetto and other viewers open.

Times are microseconds since the start of the run. Each group of rows is a process, each row one of
its threads; the steps of a package are nested in it. Arrows connect what is on the critical path.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from quard.face.timeline import DOWNLOADS, JOBS, STORES, WORKERS, Block, Timeline

_GROUPS = {
    JOBS: (1, "jobs", "job"),
    WORKERS: (2, "workers", "worker"),
    STORES: (3, "store and remote cache", "lookup"),
    DOWNLOADS: (4, "downloads", "download"),
}
"""Group -> its number, its name, the name of a row."""
_COLOURS = {
    "built": "thread_state_running",
    "made": "rail_animation",
    "store": "rail_idle",
    "cache": "rail_load",
    "worker": "rail_response",
    "failed": "terrible",
    "interrupted": "bad",
}
"""How a span ended -> a colour of the format's palette."""


def trace(found: Timeline) -> dict[str, Any]:
    """Return the content of a trace file."""
    run = found.run
    return {
        "traceEvents": [*_names(found), *_spans(found), *_arrows(found)],
        "displayTimeUnit": "ms",
        "otherData": {
            "board": run.board,
            "state": run.state,
            "seconds": round(run.seconds, 2),
            "jobs": run.jobs,
            "idle": run.idle,
            "critical_path": [span.name for span in found.critical],
        },
    }


def _names(found: Timeline) -> Iterator[dict[str, Any]]:
    for group, (number, name, row) in _GROUPS.items():
        rows = found.rows(group)
        if not rows:
            continue
        about = {"process_name": {"name": name}, "process_sort_index": {"sort_index": number}}
        for kind, value in about.items():
            yield {"ph": "M", "name": kind, "pid": number, "tid": 0, "args": value}
        for index in range(1, rows + 1):
            names = {"thread_name": {"name": f"{row} {index}"}}
            for kind, value in {**names, "thread_sort_index": {"sort_index": index}}.items():
                yield {"ph": "M", "name": kind, "pid": number, "tid": index, "args": value}


def _spans(found: Timeline) -> Iterator[dict[str, Any]]:
    critical = {id(span) for span in found.critical}
    for block in found.blocks:
        span = block.span
        where = _where(block)
        about: dict[str, Any] = {"how": span.how, "critical": id(span) in critical}
        if span.version:
            about["version"] = span.version
        if span.origin:
            about["origin"] = span.origin
        if why := found.run.why.get(span.name):
            about["why"] = list(why)
        yield {
            **_lasting(span.name, block.begin, block.end),
            **where,
            "cat": "critical," + span.how if about["critical"] else span.how,
            "cname": _COLOURS[span.how],
            "args": about,
        }
        for step in block.steps:
            yield {**_lasting(step.name, step.begin, step.end), **where, "cat": "step"}


def _arrows(found: Timeline) -> Iterator[dict[str, Any]]:
    """Yield arrows from the end of each span on the critical path to the begin of the next."""
    last = {id(block.span): block for block in found.blocks}
    first = {id(block.span): block for block in reversed(found.blocks)}
    for number, (before, after) in enumerate(pairwise(found.critical)):
        for kind, block, at in (
            ("s", last[id(before)], last[id(before)].end),
            ("f", first[id(after)], first[id(after)].begin),
        ):
            yield {
                **{"ph": kind, "id": number, "name": "critical path", "cat": "critical"},
                **({"bp": "e"} if kind == "f" else {}),
                **_where(block),
                "ts": _micro(at),
            }


def _where(block: Block) -> dict[str, int]:
    return {"pid": _GROUPS[block.group][0], "tid": block.row + 1}


def _lasting(name: str, begin: float, end: float) -> dict[str, Any]:
    return {"ph": "X", "name": name, "ts": _micro(begin), "dur": _micro(end) - _micro(begin)}


def _micro(seconds: float) -> int:
    return round(seconds * 1_000_000)
