"""Hold the interface cutoff against random libraries; the last line is JSON.

usage: python -m incremental.cutoff [--cases N] [--seed N] [--case NUMBER] [--kind NAME]

Ends with status 1 if there is a counterexample, which is printed with its seed and its number;
--case runs that one again.
"""

from __future__ import annotations

import argparse
import sys
import time

from incremental.cutoff import campaign
from incremental.cutoff.kinds import KINDS

_STEP = 50
"""Cases between two lines of progress."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="incremental.cutoff", description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--case", type=int, help="only the one with this number")
    parser.add_argument("--kind", action="append", choices=KINDS, default=[])
    parser.add_argument("--processes", type=int, default=campaign.PROCESSES, choices=(1, 2))
    options = parser.parse_args()
    numbers = range(options.cases) if options.case is None else [options.case]
    started = time.monotonic()
    verdicts = []
    kinds = tuple(options.kind)
    for verdict in campaign.run(numbers, options.seed, kinds=kinds, processes=options.processes):
        verdicts.append(verdict)
        if len(verdicts) % _STEP == 0:
            sys.stderr.write(f"{len(verdicts)} of {len(numbers)}\n")
        sys.stdout.write(verdict.report)
        sys.stdout.flush()
        if options.case is not None:
            sys.stdout.write(f"{verdict}\n")
    sys.stdout.write(f"{campaign.table(verdicts)}\n")
    sys.stdout.write(f"{time.monotonic() - started:.0f} s\n")
    sys.stdout.write(f"{campaign.as_json(options.seed, verdicts)}\n")
    return 1 if any(one.report for one in verdicts) else 0


if __name__ == "__main__":
    sys.exit(main())
