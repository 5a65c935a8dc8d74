"""Boards for other targets: the same checks as on the default board.

CI's time is spent on the default target. These boards are built and booted on demand:

    BOARD_TESTS="quard-star-aarch64 quard-star-x86-64" \
        ./scons test PYTEST_ARGS=tests/boot/test_other_targets.py
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from boot import checks
from boot.checks import System
from boot.conftest import TOP, build
from boot.guest import Guest, Ssh
from quard.boards import board
from quard.boards.board import Board
from quard.boards.trees import Trees
from quard.target import processor

pytestmark = pytest.mark.boot

_ASKED = "BOARD_TESTS"
"""Names of the boards that are tested, with spaces between them."""
_NONE = pytest.mark.skip(reason=f"{_ASKED} names no board to build")
_BOARDS = [pytest.param(name) for name in os.environ.get(_ASKED, "").split()]
_KERNELS = {"arm": "armv7l"}
"""Processor of a triple -> its name in uname(2), where they differ."""

_CLOCKLESS = frozenset({"s390x"})
"""Processors with a clock that keeps the time, where the machine needs no other one."""

_CALIBRATION = "tsc: (Fast TSC calibration failed|Unable to calibrate against PIT)"
_CHANCES = {
    "aarch64": "cacheinfo: Unable to detect cache hierarchy for CPU 0",
    "i686": rf"({_CALIBRATION}"
    r"|calibrate_delay_direct\(\) failed to get a good estimate for loops_per_jiffy\."
    r"|PM-Timer running at invalid rate: [0-9]+% of normal - aborting\.)",
    "x86_64": _CALIBRATION,
}
"""Processor -> a line that its boot may show: QEMU's device tree describes no caches of Arm. A PC's
oldest timer is read too slowly under emulation; the kernel then measures with another one. On 32
bits it also measures ACPI's timer by the oldest one, and does without the former if they disagree.
"""
_LAST = {"s390x": "Requesting system poweroff"}
"""Processor -> init's last line, where the kernel ends before its console has shown its own."""


@pytest.fixture(scope="module", params=_BOARDS or [pytest.param("", marks=_NONE)])
def chosen(request: pytest.FixtureRequest) -> Board:
    return board.load(Trees(TOP), request.param)


@pytest.fixture(scope="module")
def script(chosen: Board, pytestconfig: pytest.Config) -> Path:
    return build(chosen.name, pytestconfig) / "run.sh"


@pytest.fixture(scope="module")
def settings() -> Mapping[str, str]:
    """The same processors on every machine; run.sh need not say why it does not use its own."""
    return {"ACCEL": "tcg"}


@pytest.fixture(scope="module")
def system(chosen: Board, guest: Guest, ssh: Ssh) -> System:
    """The board, booted; one guest for all tests of it."""
    cpu = processor(chosen.target.triple)
    return System(
        guest,
        ssh,
        server="dropbear" if "dropbear" in chosen.own.packages else "sshd",
        chance=_CHANCES.get(cpu, ""),
        processor=_KERNELS.get(cpu, cpu),
        clock=cpu not in _CLOCKLESS,
    )


@pytest.mark.parametrize("holds", checks.ALL, ids=checks.name)
def test_board_boots_and(system: System, holds: Callable[[System], None]) -> None:
    holds(system)


def test_times_after_2038_are_counted_and_kept(system: System) -> None:
    """A time_t of 32 bits ends on 19 January 2038."""
    system.guest.check("touch -d '2040-01-02 03:04:05' /root/later")
    assert system.guest.check("date -u -r /root/later +%Y").strip() == "2040"


def test_locale_has_the_byte_order_of_the_processor(system: System) -> None:
    """The number at its beginning is glibc's mark of such a file (locale/localeinfo.h, LIMAGIC)."""
    file = "/usr/lib/locale/C.utf8/LC_CTYPE"
    if system.guest.run(f"[ -e {file} ]").status != 0:
        pytest.skip("the board has no locale (package c-utf8)")
    assert system.guest.check(f"od -A n -t x4 -N 4 {file}").split() == ["20090720"]


def test_power_off_ends_qemu(system: System) -> None:
    last = _LAST.get(system.processor, "Power down")
    checks.power_off(system.guest, system.server, last)
