"""The timeline of real runs: written by each that made something, and left alone by all others."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

from incremental.project import Project
from incremental.test_modes import slow, start, wait_until_building

FILES = ("timeline.html", "timeline.json")


def out(project: Project) -> Path:
    return project.folder / "out/tiny"


def told(project: Project) -> dict[str, dict[str, Any]]:
    """Return the packages and image files of timeline.json with what is said of each."""
    events = json.loads((out(project) / "timeline.json").read_text())["traceEvents"]
    return {e["name"]: e["args"] for e in events if e["ph"] == "X" and e["cat"] != "step"}


def other(project: Project) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out(project) / "timeline.json").read_text())["otherData"]
    return found


def stamps(project: Project) -> list[int]:
    return [(out(project) / name).stat().st_mtime_ns for name in FILES]


def test_a_run_that_made_something_writes_a_timeline_and_a_null_build_leaves_it(
    greeting: Project,
) -> None:
    assert greeting.run().status == 0
    found = told(greeting)
    assert {name for name, about in found.items() if about["how"] == "built"} == {
        "alone", "greet", "hello", "libc",
    }  # fmt: skip
    assert found["rootfs.tar"]["how"] == "made"
    assert other(greeting)["critical_path"][-1] == "rootfs.tar"
    assert other(greeting)["state"] == "done"
    assert '"board":"tiny"' in (out(greeting) / "timeline.html").read_text()
    before = stamps(greeting)
    for words in ((), ("-n",), ("-q",), ("why",), ("list",)):
        greeting.run(*words)
    assert stamps(greeting) == before


def test_what_was_restored_is_in_the_timeline(greeting: Project) -> None:
    greeting.run()
    for result in (out(greeting) / "units").glob("*.json"):
        result.unlink()
    assert greeting.run().status == 0
    assert told(greeting)["hello"] == {
        "how": "store",
        "critical": told(greeting)["hello"]["critical"],
        "version": "1",
        "origin": "the store",
    }


def test_a_failed_run_writes_a_timeline(greeting: Project) -> None:
    greeting.program("alone", "this is no program\n")
    assert greeting.run().status == 2
    assert told(greeting)["alone"]["how"] == "failed"
    assert other(greeting)["state"] == "failed"


def test_an_interrupted_run_writes_a_timeline(greeting: Project) -> None:
    slow(greeting, 30)
    run = start(greeting, "-j1")
    wait_until_building(greeting)
    os.killpg(run.pid, signal.SIGINT)
    text, _ = run.communicate(timeout=60)
    assert run.returncode == 2, text
    assert told(greeting)["slow"]["how"] == "interrupted", text
    assert other(greeting)["state"] == "interrupted"


def test_a_timeline_that_cannot_be_written_is_one_warning(greeting: Project) -> None:
    out(greeting).mkdir(parents=True)
    (out(greeting) / "timeline.html").mkdir()
    ran = greeting.run()
    assert ran.status == 0, ran.text
    assert ran.out.count("warning: timeline.html cannot be written: ") == 1
