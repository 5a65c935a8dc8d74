"""End builds of a small board at random moments; the last line is JSON.

usage: python -m incremental.kills [--kills N] [--damages N] [--seed N] [--folder PATH]
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from .campaign import Campaign, Round
from .states import Damage, totals
from .strikes import STRIKES


def main() -> int:
    parser = argparse.ArgumentParser(prog="kills", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--damages", type=int, default=0, help="rounds with damaged state files")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="where to build (default: a temporary folder)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder, prefix="kills-") as folder:
        campaign = Campaign(Path(folder), options.seed)
        rounds = run(campaign, options.kills)
        damages = harm(campaign, options.damages)
    _say(table(rounds))
    report = {
        "kills": len(rounds),
        "seed": options.seed,
        "kinds": figures(rounds),
        "damages": {"count": len(damages), "faults": sum(bool(d.faults) for d in damages)},
        "damaged": totals(damages),
    }
    _say(json.dumps(report, sort_keys=True))
    faults = [fault for found in rounds for fault in found.faults]
    faults += [fault for damage in damages for fault in damage.faults]
    return 1 if faults else 0


def run(campaign: Campaign, kills: int) -> list[Round]:
    """End so many builds, each kind in turn; what goes wrong is printed at once."""
    rounds: list[Round] = []
    kinds = list(STRIKES)
    while len(rounds) < kills:
        found = campaign.round(kinds[len(rounds) % len(kinds)])
        if found is None:
            continue
        rounds.append(found)
        line = (
            f"{len(rounds):4}  {found.kind}: {found.hit}, {found.start}, {found.phase},"
            f" after {found.after:.1f} s; next run {found.recovery:.1f} s,"
            f" {found.rebuilt} built" + (f"; journal {found.damaged}" if found.damaged else "")
        )
        _say(line, *(f"      FAULT {fault}" for fault in found.faults))
        if found.faults:
            _say(*(f"      | {said}" for said in found.said.splitlines()[-30:]))
    return rounds


def harm(campaign: Campaign, count: int) -> list[Damage]:
    """Damage state files so many times; what goes wrong is printed at once."""
    found = []
    for number in range(count):
        one = campaign.damage()
        found.append(one)
        line = f"{number + 1:4}  {one.what} {one.how}, {one.state}"
        line = f"{line}; next run {one.recovery:.1f} s, {one.rebuilt} built"
        _say(line, *(f"      FAULT {fault}" for fault in one.faults))
    return found


def figures(rounds: list[Round]) -> dict[str, Any]:
    """Return for each kind: how many, the phases hit, seconds of the next run, faults."""
    kinds = {}
    for kind in STRIKES:
        of_kind = [found for found in rounds if found.kind == kind]
        if not of_kind:
            continue
        phases = sorted({found.phase for found in of_kind})
        seconds = [found.recovery for found in of_kind]
        kinds[kind] = {
            "count": len(of_kind),
            "phases": {phase: sum(f.phase == phase for f in of_kind) for phase in phases},
            "recovery": {
                "median": round(statistics.median(seconds), 1),
                "most": round(max(seconds), 1),
            },
            "faults": sum(bool(found.faults) for found in of_kind),
        }
    return kinds


def table(rounds: list[Round]) -> str:
    """Return the same for people."""
    lines = [f"{'kind':22}{'count':>6}{'faults':>8}{'next run':>14}  phases hit"]
    for kind, found in figures(rounds).items():
        seconds = f"{found['recovery']['median']} / {found['recovery']['most']} s"
        phases = ", ".join(f"{phase} {count}" for phase, count in found["phases"].items())
        lines.append(f"{kind:22}{found['count']:6}{found['faults']:8}{seconds:>14}  {phases}")
    return "\n".join(lines)


def _say(*lines: str) -> None:
    print(*lines, sep="\n", flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
