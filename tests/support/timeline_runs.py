"""Runs for the tests of the timeline: scheduled as a build would, with invented durations."""

from __future__ import annotations

import heapq

from quard.face.spans import How, Span, Stretch
from quard.face.timeline import Run, Timeline, timeline

STARTED = 5000.0
"""When the runs begin, on the clock of their spans."""
_SHARES = {"unpack": 0.06, "configure": 0.3, "build": 0.54, "install": 0.07, "split": 0.03}
_KERNEL = {"unpack": 0.05, "configure": 0.01, "build": 0.9, "install": 0.02, "split": 0.02}


def stretches(begin: float, seconds: float, shares: dict[str, float]) -> tuple[Stretch, ...]:
    """Return steps without pauses that take these shares of the time."""
    found = []
    for name, share in shares.items():
        found.append(Stretch(name, begin, begin + seconds * share))
        begin = found[-1].end
    return tuple(found)


def span(name: str, begin: float, seconds: float, how: How = "built", version: str = "1") -> Span:
    """Return a span with the steps of a package that was built, or with none."""
    begin += STARTED
    shares = _KERNEL if name == "linux" else _SHARES
    if how in ("store", "cache"):
        shares = {}
    elif how == "made":
        shares = {"make": 1.0}
    return Span(name, version, begin, begin + seconds, how, stretches(begin, seconds, shares))


def run(
    needs: dict[str, tuple[str, ...]], seconds: float, *, jobs: int = 2, state: str = "done"
) -> Run:
    return Run(
        "quard-star", state, seconds, jobs, 0.031, needs, {"openssl": ("its plan: version",)}
    )


def build(count: int, jobs: int) -> Timeline:
    """Return a run in which this many packages are built, some taken from a cache."""
    names = ["linux", "openssl", "ncurses", *(f"package-{n}" for n in range(count - 3))]
    needs: dict[str, tuple[str, ...]] = {}
    spans: list[Span] = []
    slots = [(0.4, slot) for slot in range(jobs)]
    heapq.heapify(slots)
    ends: dict[str, float] = {}
    for number, name in enumerate(names):
        needs[name] = tuple(names[(number * 7) % number] for _ in range(1)) if number > 2 else ()
        if number % 5 == 4:
            how: How = "cache" if number % 10 == 4 else "store"
            begin = 0.1 + number * 0.01
            found = span(name, begin, 0.05, how)
            ends[name] = begin + 0.05
            found.origin = "the cache at cache.example.org" if how == "cache" else "the store"
        else:
            free, slot = heapq.heappop(slots)
            begin = max(free, *(ends[need] for need in needs[name]), 0.0)
            seconds = 240.0 if name == "linux" else 4 + (number * 37) % 50
            found = span(name, begin, seconds, version=f"{number}.{number % 7}")
            ends[name] = begin + seconds
            heapq.heappush(slots, (ends[name], slot))
        spans.append(found)
    last = max(ends.values())
    for image in ("rootfs.tar", "rootfs.ext4", "rootfs.squashfs"):
        needs[image] = tuple(names) if image == "rootfs.tar" else ("rootfs.tar",)
        begin = last if image == "rootfs.tar" else last + 1.2
        spans.append(span(image, begin, 1.2 if image == "rootfs.tar" else 3.0, "made", ""))
    return timeline(spans, STARTED, run(needs, last + 4.3, jobs=jobs))
