"""The parts of the benchmark, each of which can be run by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import scale, yardstick
from bench.boots import boots
from bench.changes import changes
from bench.clean import clean
from bench.clones import clones
from bench.cold import cold_build
from bench.edits import openssl, overlay
from bench.instructions import instructions
from bench.kernel import kernel
from bench.network import throughput
from bench.null import null_builds, questions
from bench.running import PROJECT, scons
from bench.sizes import sizes
from bench.subject import Subject, checkouts
from quard.boards.board import load


@dataclass(frozen=True)
class Asked:
    """What was asked for: a board, how often, and the sizes of synthetic boards."""

    board: str
    runs: int
    packages: tuple[int, ...]

    @property
    def given(self) -> str:
        return f"BOARD={self.board}"

    @property
    def images(self) -> Path:
        return PROJECT / "out" / self.board / "images"

    @property
    def subject(self) -> Subject:
        return checkouts(self.board)

    @property
    def few(self) -> int:
        """How often what takes long is done."""
        return min(self.runs, 3)


@dataclass(frozen=True)
class Part:
    """One part.

    about   -- a line of help
    ready   -- the checkout's images are brought up to date before it
    measure -- returns its results by name
    """

    about: str
    ready: bool
    measure: Callable[[Asked], Mapping[str, Any]]


def _yardstick(asked: Asked) -> dict[str, Any]:
    found = {"by_hand": yardstick.hand_made(asked.given)}
    return {"yardstick": {**found, "python_loop_seconds": yardstick.python_loop()}}


def _null(asked: Asked) -> dict[str, Any]:
    return {"null_build": null_builds(PROJECT, asked.given, asked.runs)}


def _questions(asked: Asked) -> dict[str, Any]:
    package = load(PROJECT / "configs", asked.board).packages[0]
    return {"questions": questions(PROJECT, asked.given, package, asked.few)}


def _boots(asked: Asked) -> dict[str, Any]:
    return {
        "boot": boots(asked.images, asked.runs),
        "network": throughput(asked.images, asked.few),
    }


PARTS: Mapping[str, Part] = {
    "yardstick": Part("how fast this machine is just now", False, _yardstick),
    "null": Part("builds with nothing to do, beside plain SCons", True, _null),
    "questions": Part("list, info, depends, rdepends", True, _questions),
    "sizes": Part("the images' sizes", True, lambda asked: {"image": sizes(asked.images)}),
    "boots": Part("boots, and the guest's network; the images as they are", False, _boots),
    "instructions": Part(
        "the guest's instructions of a boot; the images as they are",
        False,
        lambda asked: {"instructions": instructions(asked.images, asked.runs)},
    ),
    "overlay": Part(
        "an edit of an overlay until all images are made, beside null builds",
        False,
        lambda asked: {"overlay_edit": overlay(asked.subject, asked.runs)},
    ),
    "openssl": Part(
        "a change of openssl's code until all images are made",
        False,
        lambda asked: {"openssl_change": openssl(asked.subject, asked.few)},
    ),
    "kernel": Part(
        "a line of the kernel's configuration, beside a clean build of the kernel",
        False,
        lambda asked: {"kernel_line": kernel(asked.subject, asked.few)},
    ),
    "clones": Part(
        "fresh clones: the bootstrap, the warm local store, nginx, casd",
        False,
        lambda asked: {"fresh_clone": clones(asked.subject, asked.few)},
    ),
    "clean": Part(
        "a clean build against a sequential shell script, in turn",
        False,
        lambda asked: {"clean_build": clean(asked.subject, min(asked.runs, 2))},
    ),
    "cold": Part(
        "a clean build from the fetched sources with the pinned tools, and its memory",
        False,
        lambda asked: {"cold_build": cold_build(asked.given)},
    ),
    "changes": Part(
        "single changes, whose images are compared with those of a clean build",
        False,
        lambda asked: {"changes": changes(asked.given)},
    ),
    "scale": Part(
        "synthetic boards: built, restored, null, one leaf changed",
        False,
        lambda asked: {"scale": scale.scale(asked.packages, asked.runs)},
    ),
}
DEFAULT = ("yardstick", "null", "questions", "sizes", "boots")
"""What is measured if no part is named: a few minutes."""


def make_ready(asked: Asked) -> None:
    """Bring the checkout's images up to date."""
    print(f"bringing {asked.board} up to date", flush=True)
    scons(PROJECT, asked.given, quiet=False)
