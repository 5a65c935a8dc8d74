"""Rows and the critical path of a run, from its spans."""

from __future__ import annotations

from itertools import pairwise

import pytest
import timeline_runs as runs
from timeline_runs import STARTED, span

from quard.face.spans import Span, Stretch
from quard.face.timeline import DOWNLOADS, JOBS, STORES, WORKERS, critical_path, timeline

NEEDS = {"curl": ("openssl", "zlib"), "image": ("curl", "linux")}


def names(spans: tuple[Span, ...]) -> list[str]:
    return [span.name for span in spans]


def steps(*steps: tuple[str, float, float]) -> tuple[Stretch, ...]:
    return tuple(Stretch(name, STARTED + begin, STARTED + end) for name, begin, end in steps)


def test_the_critical_path_is_the_chain_that_ends_last() -> None:
    found = (
        span("openssl", 0, 10),
        span("zlib", 0, 3),
        span("linux", 3, 12),
        span("curl", 10, 8),
        span("image", 18, 1),
    )
    assert names(critical_path(found, NEEDS)) == ["openssl", "curl", "image"]


def test_what_was_up_to_date_is_not_on_the_critical_path() -> None:
    assert names(critical_path((span("curl", 1, 2), span("image", 3, 1)), NEEDS)) == [
        "curl",
        "image",
    ]
    assert critical_path((), NEEDS) == ()


def test_of_what_was_made_twice_the_span_before_its_user_counts() -> None:
    first, again = span("curl", 0, 2), span("curl", 9, 4)
    image = span("image", 3, 5)
    assert critical_path((first, image), NEEDS) == (first, image)
    assert critical_path((first, image, again), NEEDS) == (again,)


def test_no_two_blocks_of_a_row_overlap_and_no_row_is_left_out() -> None:
    found = runs.build(60, 4)
    for group in (JOBS, STORES):
        for row in range(found.rows(group)):
            mine = [block for block in found.blocks if (block.group, block.row) == (group, row)]
            assert mine
            for before, after in pairwise(mine):
                assert before.end <= after.begin


def test_the_clock_begins_with_the_run() -> None:
    found = timeline([span("zlib", 1.5, 2)], STARTED, runs.run({}, 4))
    (block,) = found.blocks
    assert (block.begin, block.end) == pytest.approx((1.5, 3.5))
    assert block.steps[0].begin == pytest.approx(1.5)


def test_fetching_is_a_download_and_waiting_is_in_no_row() -> None:
    waits = ("fetch", 0, 2), ("wait", 2, 5)
    times = steps(*waits, ("unpack", 5, 6), ("build", 6, 9), ("keep", 9, 10))
    built = Span("zlib", "1", STARTED, STARTED + 10, "built", times)
    found = timeline([built], STARTED, runs.run({}, 10))
    shown = [(b.group, b.row, b.begin, b.end, [s.name for s in b.steps]) for b in found.blocks]
    assert shown == [(DOWNLOADS, 0, 0, 2, ["fetch"]), (JOBS, 0, 5, 9, ["unpack", "build"])]


def test_what_came_from_a_store_takes_no_job_slot() -> None:
    spans = [span("zlib", 0, 1, "store"), span("curl", 0, 1, "cache")]
    found = timeline(spans, STARTED, runs.run({}, 1))
    assert [(block.group, block.row) for block in found.blocks] == [(STORES, 0), (STORES, 1)]


def test_what_a_worker_built_takes_no_job_slot_either() -> None:
    found = timeline([span("zlib", 0, 1, "worker"), span("curl", 0, 1)], STARTED, runs.run({}, 1))
    assert sorted((b.group, b.row) for b in found.blocks) == [(JOBS, 0), (WORKERS, 0)]


def test_what_failed_before_its_first_step_is_shown() -> None:
    failed = Span("zlib", "1", STARTED, STARTED + 1, "failed")
    (block,) = timeline([failed], STARTED, runs.run({}, 1)).blocks
    assert (block.group, block.begin, block.end) == (STORES, 0, 1)
