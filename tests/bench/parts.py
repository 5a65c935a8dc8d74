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
from bench.workers import workers
from quard.boards.board import load
from quard.boards.trees import Trees

_BUILT_BY_WORKERS = ("ncurses", "iperf3", "opensbi", "ethtool")
"""What the part `workers` builds, if the board has it: each takes some ten seconds."""


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
    result  -- the name of its results; "": they have names of their own
    measure -- returns its results
    ready   -- the checkout's images are brought up to date before it
    """

    about: str
    result: str
    measure: Callable[[Asked], Any]
    ready: bool = False

    def run(self, asked: Asked) -> Mapping[str, Any]:
        """Return its results by name."""
        found: Mapping[str, Any] = self.measure(asked)
        return {self.result: found} if self.result else found


def _yardstick(asked: Asked) -> dict[str, Any]:
    found = {"by_hand": yardstick.hand_made(asked.given)}
    return {**found, "python_loop_seconds": yardstick.python_loop()}


def _null(asked: Asked) -> dict[str, Any]:
    return null_builds(PROJECT, asked.given, asked.runs)


def _questions(asked: Asked) -> dict[str, Any]:
    package = load(Trees(PROJECT), asked.board).packages[0]
    return questions(PROJECT, asked.given, package, asked.few)


def _workers(asked: Asked) -> dict[str, Any]:
    on_board = load(Trees(PROJECT), asked.board).packages
    packages = [name for name in _BUILT_BY_WORKERS if name in on_board]
    return workers(asked.subject, packages, min(asked.runs, 2))


def _boots(asked: Asked) -> dict[str, Any]:
    return {
        "boot": boots(asked.images, asked.runs),
        "network": throughput(asked.images, asked.few),
    }


PARTS: Mapping[str, Part] = {
    "yardstick": Part("how fast this machine is just now", "yardstick", _yardstick),
    "null": Part("builds with nothing to do, beside plain SCons", "null_build", _null, ready=True),
    "questions": Part("list, info, depends, rdepends", "questions", _questions, ready=True),
    "sizes": Part("the images' sizes", "image", lambda a: sizes(a.images), ready=True),
    "boots": Part("boots, and the guest's network; the images as they are", "", _boots),
    "instructions": Part(
        "the guest's instructions of a boot; the images as they are",
        "instructions",
        lambda a: instructions(a.images, a.runs),
    ),
    "overlay": Part(
        "an edit of an overlay until all images are made, beside null builds",
        "overlay_edit",
        lambda a: overlay(a.subject, a.runs),
    ),
    "openssl": Part(
        "a change of openssl's code until all images are made",
        "openssl_change",
        lambda a: openssl(a.subject, a.few),
    ),
    "kernel": Part(
        "a line of the kernel's configuration, beside a clean build of the kernel",
        "kernel_line",
        lambda a: kernel(a.subject, a.few),
    ),
    "clones": Part(
        "fresh clones: the bootstrap, the warm local store, nginx, casd",
        "fresh_clone",
        lambda a: clones(a.subject, a.few),
    ),
    "workers": Part(
        "packages built here, by one worker and by two, each with one processor",
        "workers",
        _workers,
    ),
    "clean": Part(
        "a clean build against a sequential shell script, in turn",
        "clean_build",
        lambda a: clean(a.subject, min(a.runs, 2)),
    ),
    "cold": Part(
        "a clean build from the fetched sources with the pinned tools, and its memory",
        "cold_build",
        lambda a: cold_build(a.given),
    ),
    "changes": Part(
        "single changes, whose images are compared with those of a clean build",
        "changes",
        lambda a: changes(a.given),
    ),
    "scale": Part(
        "synthetic boards: built, restored, null, one leaf changed",
        "scale",
        lambda a: scale.scale(a.packages, a.runs),
    ),
}
DEFAULT = ("yardstick", "null", "questions", "sizes", "boots")
"""What is measured if no part is named: a few minutes."""


def make_ready(asked: Asked) -> None:
    """Bring the checkout's images up to date."""
    print(f"bringing {asked.board} up to date", flush=True)
    scons(PROJECT, asked.given, quiet=False)
