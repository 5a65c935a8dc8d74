"""Many cases, by two processes at most, and what they add up to."""

from __future__ import annotations

import json
import multiprocessing
import tempfile
from collections import defaultdict
from collections.abc import Generator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from incremental.cutoff.build import CaseFolder, Interface
from incremental.cutoff.case import Verdict, judge
from quard.parts.interface import interface as real_interface

PROCESSES = 2
WITH_ARCHIVE = ", with .a"
"""Marks cases with a static library, which counts by content."""


@dataclass(frozen=True)
class Tally:
    """How the cases of one kind came out; see `Verdict`."""

    cases: int
    unchanged: int
    skipped: int
    coarse: int
    unsound: int

    def row(self, kind: str) -> str:
        rebuilt = self.cases - self.skipped
        skipped, vain = _share(self.skipped, self.cases), _share(self.coarse, rebuilt)
        return (
            f"{kind:44}{self.cases:7}{self.unchanged:11}{self.skipped:9}{skipped:>6}"
            f"{rebuilt:9}{self.coarse:9}{vain:>6}{self.unsound:9}"
        )


HEAD = (
    f"{'kind of change':44}{'cases':>7}{'same bytes':>11}{'skipped':>9}{'':>6}"
    f"{'rebuilt':>9}{'in vain':>9}{'':>6}{'unsound':>9}"
)


def run(
    numbers: Sequence[int],
    seed: int,
    *,
    interface: Interface = real_interface,
    kinds: tuple[str, ...] = (),
    processes: int = PROCESSES,
) -> Generator[Verdict, None, None]:
    """Yield the verdicts of numbered cases, in order; who stops early stops the work.

    interface -- a function at the top of its module: worker processes find it by name
    """
    context = multiprocessing.get_context("fork")
    with (
        tempfile.TemporaryDirectory(prefix="cutoff-") as folder,
        ProcessPoolExecutor(processes, mp_context=context) as pool,
    ):
        todo = [pool.submit(_one, folder, number, seed, interface, kinds) for number in numbers]
        try:
            for one in todo:
                yield one.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _one(
    folder: str, number: int, seed: int, interface: Interface, kinds: tuple[str, ...]
) -> Verdict:
    """Judge a case in a folder of this process' own."""
    name = multiprocessing.current_process().name
    return judge(CaseFolder(Path(folder) / name, interface), seed, number, kinds)


def tallies(verdicts: Sequence[Verdict]) -> dict[str, Tally]:
    """Return the tally of each kind, by name, and that of all cases as `all`."""
    groups: defaultdict[str, list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        groups[verdict.kind + (WITH_ARCHIVE if verdict.archives else "")].append(verdict)
    found = {kind: _tally(groups[kind]) for kind in sorted(groups)}
    return found | {"all": _tally(verdicts)}


def _tally(verdicts: Sequence[Verdict]) -> Tally:
    return Tally(
        cases=len(verdicts),
        unchanged=sum(one.unchanged for one in verdicts),
        skipped=sum(one.skipped for one in verdicts),
        coarse=sum(one.coarse for one in verdicts),
        unsound=sum(one.unsound for one in verdicts),
    )


def table(verdicts: Sequence[Verdict]) -> str:
    """Return a table for people."""
    return "\n".join([HEAD, *(tally.row(kind) for kind, tally in tallies(verdicts).items())])


def as_json(seed: int, verdicts: Sequence[Verdict]) -> str:
    """Return everything that was counted, as one line."""
    value: dict[str, Any] = {
        "seed": seed,
        "kinds": {kind: vars(tally) for kind, tally in tallies(verdicts).items()},
        "links": sum(one.outputs for one in verdicts) * 2,
        "refused": sum(one.failed for one in verdicts),
        "redraws": sum(one.redraws for one in verdicts),
        "counterexamples": [one.number for one in verdicts if one.unsound],
        "bodies_that_count": [one.number for one in verdicts if one.body_counts],
    }
    return json.dumps(value, sort_keys=True)


def _share(part: int, whole: int) -> str:
    return f"{100 * part // whole}%" if whole else "-"
