"""The timeline of a run: its spans in rows, and the critical path through them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from quard.base.record import Record, record
from quard.face.activity import FETCH, KEEP, PAUSES, WAIT
from quard.face.spans import Span, Stretch

JOBS, WORKERS, STORES, DOWNLOADS = GROUPS = ("job", "worker", "store", "download")
"""Groups of rows: work in job slots, packages that workers elsewhere build, results taken from
stores and caches, archives fetched."""
_TAKEN = ("store", "cache")


@record
class Run(Record):
    """What a timeline shows besides its spans.

    state   -- done, failed or interrupted
    seconds -- of the whole run
    jobs    -- the number of job slots
    idle    -- share of the job slots' time without work; None if none was used
    needs   -- names of packages and image files -> names of those that they are made from
    why     -- names of built packages -> why they were built
    """

    board: str
    state: str
    seconds: float
    jobs: int
    idle: float | None
    needs: Mapping[str, Sequence[str]]
    why: Mapping[str, Sequence[str]]


@record
class Block(Record):
    """A piece of a span in one row: steps without a pause.

    row -- number within its group, from 0
    """

    span: Span
    group: str
    row: int
    steps: tuple[Stretch, ...]
    begin: float
    end: float


@record
class Timeline(Record):
    """The spans of a run on a clock that begins with it.

    spans    -- ordered by begin
    blocks   -- ordered by begin
    critical -- spans on the critical path, first to last
    """

    run: Run
    spans: tuple[Span, ...]
    blocks: tuple[Block, ...]
    critical: tuple[Span, ...]

    def rows(self, group: str) -> int:
        """Return the number of rows of a group."""
        return max((block.row + 1 for block in self.blocks if block.group == group), default=0)


def timeline(spans: Iterable[Span], started: float, run: Run) -> Timeline:
    """Return the timeline of a run that started at this time on the spans' clock."""
    shifted = [_shifted(span, started) for span in spans]
    shifted.sort(key=lambda span: (span.begin, span.name))
    pieces = [piece for span in shifted for piece in _pieces(span)]
    pieces.sort(key=lambda piece: (piece.begin, piece.end))
    path = critical_path(shifted, run.needs)
    return Timeline(run, tuple(shifted), _in_rows(pieces), path)


def critical_path(spans: Sequence[Span], needs: Mapping[str, Sequence[str]]) -> tuple[Span, ...]:
    """Return the chain of spans that ends last.

    Each could only begin when the one before it had ended. A result that was made again in the
    run has several spans; the last one before its user counts.
    """
    by_name: dict[str, list[Span]] = {}
    for span in spans:
        by_name.setdefault(span.name, []).append(span)
    chain: list[Span] = []
    last = max(spans, key=lambda span: (span.end, span.name), default=None)
    while last is not None:
        chain.append(last)
        before = [
            span
            for name in needs.get(last.name, ())
            for span in by_name.get(name, ())
            if span.end <= last.begin
        ]
        last = max(before, key=lambda span: (span.end, span.name), default=None)
    return tuple(reversed(chain))


def _shifted(span: Span, started: float) -> Span:
    steps = tuple(Stretch(s.name, s.begin - started, s.end - started) for s in span.steps)
    return replace(span, begin=span.begin - started, end=span.end - started, steps=steps)


def _pieces(span: Span) -> Iterator[Block]:
    """Yield the pieces of a span: its downloads, and its work between pauses; rows come later."""
    first = span.steps[0].begin if span.steps else span.end
    looked = Stretch("look up", span.begin, first)
    if span.how in _TAKEN:
        yield Block(span, STORES, 0, (looked, *span.steps), span.begin, span.end)
        return
    group = WORKERS if span.how == "worker" else JOBS
    work: list[Stretch] = []
    for step in (*span.steps, None):
        pauses = step is None or step.name in PAUSES
        if pauses and work:
            yield Block(span, group, 0, tuple(work), work[0].begin, work[-1].end)
            work = []
        if step is None or step.name in (WAIT, KEEP):
            continue
        if step.name == FETCH:
            yield Block(span, DOWNLOADS, 0, (step,), step.begin, step.end)
        else:
            work.append(step)
    if not span.steps:  # it failed before its first step
        yield Block(span, STORES, 0, (looked,), span.begin, span.end)


def _in_rows(pieces: Iterable[Block]) -> tuple[Block, ...]:
    """Put each piece into the first row of its group that is free."""
    free: dict[str, list[float]] = {}
    found = []
    for piece in pieces:
        ends = free.setdefault(piece.group, [])
        row = next((row for row, end in enumerate(ends) if end <= piece.begin), len(ends))
        if row == len(ends):
            ends.append(0.0)
        ends[row] = piece.end
        found.append(replace(piece, row=row))
    return tuple(found)
