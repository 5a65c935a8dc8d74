"""Measure the build, the image and the boot: a table, and the same as JSON on the last line.

Parts are named on the command line, as in ./scons bench BENCH_ARGS="overlay clones"; each works
by itself. What is compared is measured in turn in one run, so that a machine that is busy for a
while slows down both; ratios hold better than seconds. An interrupted run leaves nothing behind.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Mapping, Sequence
from types import FrameType
from typing import Any, NoReturn

from bench import scale, table
from bench.facts import facts
from bench.parts import DEFAULT, PARTS, Asked, make_ready
from bench.running import PROJECT

_PAGE = PROJECT / "docs" / "benchmarks.md"
_ALONE = {"boots": ("boots",), "instructions": ("instructions",)}
_BESIDES = ("cold", "changes")


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    signal.signal(signal.SIGTERM, _end)  # as Ctrl-C does: temporary folders are removed
    asked = Asked(options.board, options.runs, options.scale or options.packages)
    parts = _parts(options)
    results: dict[str, Any] = {"machine": facts(), "board": asked.board}
    results["processors"] = results["machine"]["processors"]
    if any(PARTS[name].ready for name in parts):
        make_ready(asked)
    for name in parts:
        print(f"{name}: {PARTS[name].about}", flush=True)
        machine = facts()
        found = PARTS[name].run(asked)
        print(table.text(found), flush=True)
        if options.write:
            table.write(_PAGE, name, table.section(found, machine))
        results |= found
    print(json.dumps(_finished(results), sort_keys=True))
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    rows = "".join(f"  {name:<13} {part.about}\n" for name, part in PARTS.items())
    parser = argparse.ArgumentParser(
        prog="bench",
        description=__doc__,
        epilog=f"parts:\n{rows}\nwithout any: {' '.join(DEFAULT)}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help="what is measured, see below")
    parser.add_argument("--board", default="quard-star")
    parser.add_argument("--runs", type=int, default=5, help="how often (default 5; long ones less)")
    parser.add_argument(
        "--packages", type=scale.counts, default=(10, 100, 1000, 3000), metavar="SIZES",
        help="sizes of the boards of `scale` (default 10,100,1000,3000)",
    )  # fmt: skip
    parser.add_argument(
        "--write", action="store_true", help="put the results into docs/benchmarks.md"
    )
    parser.add_argument("--boots", action="store_true", help="the part boots alone")
    parser.add_argument("--instructions", action="store_true", help="the part instructions alone")
    parser.add_argument("--cold", action="store_true", help="the part cold besides the others")
    parser.add_argument(
        "--changes", action="store_true", help="the part changes besides the others"
    )
    parser.add_argument(
        "--scale", type=scale.counts, metavar="SIZES", help="the part scale alone, of these sizes"
    )
    options = parser.parse_args(arguments)
    unknown = [name for name in options.parts if name not in PARTS]
    if unknown:
        parser.error(f"no such part: {' '.join(unknown)}; there are {' '.join(PARTS)}")
    if options.runs < 1:
        parser.error("--runs is 1 or more")
    return options


def _parts(options: argparse.Namespace) -> tuple[str, ...]:
    """Return the names of the parts that were asked for, in their order."""
    if options.scale:
        return ("scale",)
    alone = [part for flag, names in _ALONE.items() if getattr(options, flag) for part in names]
    if alone and not options.parts:
        return tuple(alone)
    besides = {name for name in _BESIDES if getattr(options, name)}
    wanted = {*(options.parts or DEFAULT), *alone, *besides}
    return tuple(name for name in PARTS if name in wanted)


def _finished(results: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the results with a cold build's share of the yardstick, if both were measured."""
    if "cold_build" not in results or "yardstick" not in results:
        return results
    by_hand = results["yardstick"]["by_hand"]["seconds"]
    share = round(results["cold_build"]["seconds"] / by_hand, 1)
    return {**results, "cold_build": {**results["cold_build"], "of_yardstick": share}}


def _end(number: int, frame: FrameType | None) -> NoReturn:
    del frame
    raise SystemExit(128 + number)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
