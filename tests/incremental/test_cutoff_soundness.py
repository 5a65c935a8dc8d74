"""The interface cutoff is sound: what it does not rebuild would have come out the same.

Random libraries are changed at random; see `incremental.cutoff`, and run it with more cases by
`python -m incremental.cutoff --cases 500 --seed N`.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from incremental.cutoff import campaign
from incremental.cutoff.build import CaseFolder
from incremental.cutoff.case import draw, judge
from incremental.cutoff.kinds import BODY, KINDS, QUIET
from quard.parts.interface import interface

SEED = 20
CASES = 50
BODIES = 8
MOST = 30
"""Cases within which what an interface lacks must have been found."""
TESTS = Path(__file__).resolve().parents[1]


def test_what_the_cutoff_does_not_rebuild_would_come_out_the_same() -> None:
    verdicts = list(campaign.run(range(CASES), SEED))
    counterexamples = [one.report for one in verdicts if one.report]
    assert not counterexamples, "\n".join(counterexamples)

    quiet = [one for one in verdicts if one.kind in QUIET and not one.archives]
    assert len(quiet) > CASES // 5
    skipped = [one for one in quiet if one.skipped and not one.unchanged]
    assert len(skipped) > len(quiet) // 2, campaign.table(verdicts)
    loud = [one for one in verdicts if one.kind not in QUIET]
    assert any(one.differing for one in loud), campaign.table(verdicts)


def test_a_changed_function_body_never_reaches_dependants_of_a_shared_library() -> None:
    verdicts = list(campaign.run(range(BODIES), SEED, kinds=(BODY,)))
    assert not [one.report for one in verdicts if one.report]
    shared = [one for one in verdicts if not one.archives]
    assert len(shared) > BODIES // 2
    assert all(one.skipped for one in shared)
    assert sum(not one.unchanged for one in shared) > len(shared) // 2


def _weakened(
    root: Path, dev: Sequence[str], change: Callable[[dict[str, Any]], None]
) -> Mapping[str, Any]:
    """Return an interface of which something is left out of every library."""
    found = interface(root, dev)
    for library in found["libraries"].values():
        del library["digest"]
        change(library)
    return found


def _drop_words(library: dict[str, Any], pattern: str) -> None:
    facts = library["exports"]
    library["exports"] = {name: re.sub(pattern, "", text) for name, text in facts.items()}


def without_sizes(root: Path, dev: Sequence[str]) -> Mapping[str, Any]:
    return _weakened(root, dev, lambda library: _drop_words(library, r" size=\d+"))


def without_zero_data(root: Path, dev: Sequence[str]) -> Mapping[str, Any]:
    return _weakened(root, dev, lambda library: _drop_words(library, r" zero section-align=\d+"))


def without_alignment(root: Path, dev: Sequence[str]) -> Mapping[str, Any]:
    return _weakened(root, dev, lambda library: _drop_words(library, r" (section-)?align=\d+"))


def without_constness(root: Path, dev: Sequence[str]) -> Mapping[str, Any]:
    return _weakened(root, dev, lambda library: _drop_words(library, " read-only"))


def without_names(root: Path, dev: Sequence[str]) -> Mapping[str, Any]:
    def change(library: dict[str, Any]) -> None:
        library |= {"exports": {}, "imports": {}, "order": ""}

    return _weakened(root, dev, change)


def without_headers(root: Path, dev: Sequence[str]) -> Mapping[str, Any]:
    return interface(root, [path for path in dev if not path.endswith(".h")])


@pytest.mark.parametrize(
    ("weakened", "kinds"),
    [
        (without_sizes, ("data size",)),
        (without_zero_data, ("zero or not",)),
        (without_alignment, ("data alignment",)),
        (without_constness, ("const",)),
        (without_names, ("new symbol", "removed symbol")),
        (without_headers, ("macro", "struct layout")),
    ],
)
def test_the_check_finds_what_an_interface_leaves_out(
    weakened: Callable[..., Mapping[str, Any]], kinds: tuple[str, ...]
) -> None:
    run = campaign.run(range(MOST), SEED, interface=weakened, kinds=kinds)
    with contextlib.closing(run) as verdicts:
        found = next((one for one in verdicts if one.unsound), None)
    assert found is not None
    assert found.report.startswith(f"seed {SEED}, case {found.number}: {found.kind}\n")
    assert "interfaces equal" in found.report
    assert "--- before/" in found.report
    assert all(name in found.report for name in found.differing)


def test_a_case_is_the_same_whenever_it_is_drawn(tmp_path: Path) -> None:
    for number in range(20):
        first, second = (draw(random.Random(f"{SEED} {number}")) for _ in range(2))
        assert first == second
    (among_others,) = campaign.run([3], SEED, processes=1)
    assert judge(CaseFolder(tmp_path / "alone", interface), SEED, 3) == among_others


def test_every_kind_of_change_is_drawn() -> None:
    drawn = {draw(random.Random(number)).kind for number in range(1500)}
    assert drawn >= set(KINDS)


def test_the_command_prints_a_table_and_json() -> None:
    words = ("--cases", "2", "--seed", str(SEED), "--kind", BODY)
    done = subprocess.run(
        (sys.executable, "-m", "incremental.cutoff", *words),
        env={**os.environ, "PYTHONPATH": f"{TESTS}:{TESTS.parent / 'site_scons'}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert campaign.HEAD in lines
    value = json.loads(lines[-1])
    assert value["kinds"]["all"]["cases"] == 2
    assert value["counterexamples"] == []
