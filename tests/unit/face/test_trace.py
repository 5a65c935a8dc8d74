"""The timeline in the Chrome trace event format."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import timeline_runs as runs

from quard.face.trace import trace

FOUND = runs.build(20, 3)
EVENTS: list[dict[str, Any]] = trace(FOUND)["traceEvents"]


def of(kind: str) -> list[dict[str, Any]]:
    return [event for event in EVENTS if event["ph"] == kind]


def test_every_event_has_the_fields_of_its_kind() -> None:
    """As "Trace Event Format" requires; what it does not know, viewers ignore or refuse."""
    fields = {
        "M": {"name", "pid", "tid", "args"},
        "X": {"name", "cat", "pid", "tid", "ts", "dur"},
        "s": {"name", "cat", "id", "pid", "tid", "ts"},
        "f": {"name", "cat", "id", "pid", "tid", "ts", "bp"},
    }
    for event in EVENTS:
        assert fields[event["ph"]] <= event.keys()
        assert all(isinstance(event[name], int) for name in ("ts", "dur") if name in event)
    assert json.loads(json.dumps(trace(FOUND))) == trace(FOUND)


def test_steps_lie_inside_their_package() -> None:
    outer: dict[tuple[int, int], dict[str, Any]] = {}
    for event in of("X"):
        row = event["pid"], event["tid"]
        if event["cat"] != "step":
            outer[row] = event
            continue
        around = outer[row]
        assert around["ts"] <= event["ts"]
        assert event["ts"] + event["dur"] <= around["ts"] + around["dur"]


def test_every_row_has_a_name_and_blocks() -> None:
    named = {(e["pid"], e["tid"]) for e in of("M") if e["name"] == "thread_name"}
    assert named == {(event["pid"], event["tid"]) for event in of("X")}


def test_the_critical_path_is_marked_and_connected_by_arrows() -> None:
    path = trace(FOUND)["otherData"]["critical_path"]
    assert len(path) > 2
    marked = {e["name"] for e in of("X") if e["cat"].startswith("critical,")}
    assert marked == set(path)
    assert Counter(event["id"] for event in (*of("s"), *of("f"))) == dict.fromkeys(
        range(len(path) - 1), 2
    )


def test_a_package_says_how_it_was_obtained_and_why() -> None:
    about = {event["name"]: event.get("args", {}) for event in of("X") if event["cat"] != "step"}
    assert about["openssl"]["why"] == ["its plan: version"]
    assert about["package-1"] == {
        "how": "cache",
        "critical": False,
        "version": "1",
        "origin": "the cache at cache.example.org",
    }
