"""Running programs and saying what they cost."""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import checkout
from bench import accounting

PROJECT = Path(__file__).resolve().parents[2]
_POLL = 0.2
_LAST = 30.0
"""Seconds that an interrupted command has to end."""


@dataclass(frozen=True)
class Cost:
    """What one run took.

    seconds -- from start to end
    cpu     -- seconds of processor time, of the program and of all that it starts
    peak    -- memory of the program alone in MiB; 0 where it was not watched
    """

    seconds: float
    cpu: float
    peak: float = 0.0


def run(
    command: Sequence[str],
    folder: Path,
    *,
    env: Mapping[str, str] | None = None,
    quiet: bool = True,
    watch: bool = False,
) -> Cost:
    """Run a command to its end. Ends the benchmark if it fails, with what it printed.

    watch -- look at its memory from time to time; a run that is watched is not for measuring time
             below a second
    """
    with tempfile.TemporaryFile() as kept, accounting.opened() as account:
        words = account.command([str(word) for word in command])
        started = time.monotonic()
        process = subprocess.Popen(
            words,
            cwd=folder,
            env={**_environment(), **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=kept if quiet else None,
            stderr=subprocess.STDOUT if quiet else None,
        )
        try:
            peak = _watched(process.pid) if watch else 0
            _, status, used = os.wait4(process.pid, 0)
        except BaseException as error:
            _ended(process, told=isinstance(error, KeyboardInterrupt))
            raise
        seconds = time.monotonic() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            kept.seek(0)
            print(kept.read().decode(errors="replace"))
            raise SystemExit(
                f"bench: {' '.join(map(str, command))} ended with status {process.returncode}"
            )
        cpu = account.close(used.ru_utime + used.ru_stime)
    return Cost(seconds, cpu, peak / 1024)


def _ended(process: subprocess.Popen[bytes], *, told: bool) -> None:
    """Have an interrupted command clean up, and wait for its end.

    told -- it has had Ctrl-C, as this process has
    """
    if not told:
        process.terminate()
    try:
        process.wait(_LAST)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _environment() -> dict[str, str]:
    """Return this process' environment without what was set for it alone."""
    return {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}


def scons(folder: Path, *arguments: str, quiet: bool = True, watch: bool = False) -> Cost:
    """Run SCons as the wrapper does."""
    return run(checkout.scons(*arguments), folder, quiet=quiet, watch=watch)


def shown(costs: Sequence[Cost]) -> dict[str, float]:
    """Return the figures of several equal runs: the least disturbed one, and the middle one."""
    return {
        "seconds": round(min(cost.seconds for cost in costs), 3),
        "median_seconds": round(statistics.median(cost.seconds for cost in costs), 3),
        "cpu_seconds": round(min(cost.cpu for cost in costs), 3),
    }


def _watched(pid: int) -> int:
    """Return the most memory that a process has had, in KiB, when it has ended."""
    peak = 0
    while not os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
        peak = max(peak, _peak(pid))
        time.sleep(_POLL)
    return peak


def _peak(pid: int) -> int:
    """Return a process' peak resident memory in KiB (proc(5), VmHWM)."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return 0
    lines = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(lines[0].split()[1]) if lines else 0
