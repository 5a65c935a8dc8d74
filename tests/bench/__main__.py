"""Measure the build, the image and the boot; the last line is JSON.

usage: python -m bench [--board NAME] [--cold] [--boots] [--instructions] [--changes]
                       [--scale SIZES] [--runs N]

Without further arguments the checkout is taken as it is: it is brought up to date first, then null
builds, questions, the image's size, the boot and the network are measured. Every answer holds the
seconds of a yardstick, which tells how fast the machine was just then: a loop of Python, and one
small library built by hand.

--boots    the images as they are: only the boot and the network are measured
--instructions  the images as they are: only the instructions of a boot are counted
--cold     a copy of the checkout is also built from nothing but the fetched sources
--changes  single changes of the real board are made in a copy and built
--scale    synthetic boards of so many packages are built and then built again, and nothing else
           is measured; SIZES is a list such as 10,100,1000,3000
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from typing import Any

from bench import scale, yardstick
from bench.boots import boots
from bench.changes import changes
from bench.cold import cold_build
from bench.instructions import instructions
from bench.network import throughput
from bench.null import null_builds, questions
from bench.running import PROJECT, scons
from bench.sizes import sizes
from quard.boards.board import load


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    processors = len(os.sched_getaffinity(0))
    if options.scale:
        found: dict[str, Any] = {"scale": scale.scale(options.scale, options.runs)}
    elif options.instructions:
        images = PROJECT / "out" / options.board / "images"
        found = {"board": options.board, "instructions": instructions(images, options.runs)}
    elif options.boots:
        found = {"board": options.board, **_running(options)}
    else:
        found = _board(options)
    print(json.dumps({"processors": processors, **found}, sort_keys=True))
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__.splitlines()[0])
    parser.add_argument("--board", default="quard-star")
    parser.add_argument("--boots", action="store_true", help="only boots and the network")
    parser.add_argument(
        "--instructions", action="store_true", help="only a boot's guest instructions"
    )
    parser.add_argument("--cold", action="store_true", help="also build everything from nothing")
    parser.add_argument("--changes", action="store_true", help="also build single changes")
    parser.add_argument("--scale", type=scale.counts, help="synthetic boards: 10,100,1000,3000")
    parser.add_argument("--runs", type=int, default=5, help="null builds and boots (default 5)")
    return parser.parse_args(arguments)


def _running(options: argparse.Namespace) -> dict[str, Any]:
    """Measure what the images do."""
    images = PROJECT / "out" / options.board / "images"
    return {
        "boot": boots(images, options.runs),
        "network": throughput(images, min(options.runs, 3)),
    }


def _board(options: argparse.Namespace) -> dict[str, Any]:
    """Measure one board of the checkout."""
    board = f"BOARD={options.board}"
    print(f"bringing {options.board} up to date", flush=True)
    scons(PROJECT, board, quiet=False)
    images = PROJECT / "out" / options.board / "images"
    package = load(PROJECT / "configs", options.board).packages[0]
    by_hand = yardstick.hand_made(board)
    results: dict[str, Any] = {
        "board": options.board,
        "yardstick": {"by_hand": by_hand, "python_loop_seconds": yardstick.python_loop()},
        "null_build": null_builds(PROJECT, board, options.runs),
        "questions": questions(PROJECT, board, package, min(options.runs, 3)),
        "image": sizes(images),
        **_running(options),
    }
    if options.cold:
        cold = cold_build(board)
        after = yardstick.hand_made(board)
        results["yardstick"]["by_hand_after"] = after
        seconds = min(by_hand["seconds"], after["seconds"])
        cold["of_yardstick"] = round(cold["seconds"] / seconds, 1)
        results["cold_build"] = cold
    if options.changes:
        results["changes"] = changes(board)
    return results


if __name__ == "__main__":
    sys.exit(main())
