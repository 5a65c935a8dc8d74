"""A run of ./scons before SCons is loaded, which is the end of most runs.

Loading SCons takes longer than all the rest of a run that has nothing to make. So ./scons first
calls `begin`: it answers a question, or finds that everything is up to date, and ends the process.
A run that makes something continues with SCons, which then takes over what was found out.

Only a command line that is fully understood here is begun: SCons reads all others.
"""

from __future__ import annotations

import hashlib
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from quard.base.record import Record, record
from quard.base.spare import load_all

from .faults import as_quard_error
from .flags import Options
from .prepared import Prepared
from .start import OWN, start

_SCONSTRUCT = "49b196d357cabe2546bcae587620fbdfb135a1d2fb9a808442be4ed694946c1a"
"""SHA-256 of the SConstruct that this module stands for: one with changes needs SCons."""
_SITES = ("/usr/share/scons/site_scons", "~/.scons/site_scons")
"""Folders of the machine and of its user with code that SCons loads, see its manual."""
_FLAGS = "SCONSFLAGS"
"""The variable whose words SCons reads before those of the command line."""
_JOBS = "-j"
_DIGITS = 9
"""How many digits a number of jobs may have here: SCons refuses one of thousands."""

_begun: list[Prepared] = []
"""The run that SCons continues."""


@record
class Asked(Record):
    """A command line: its words NAME=VALUE, its targets, and its options."""

    arguments: dict[str, str]
    targets: tuple[str, ...]
    options: Options


def begin() -> None:
    """Do the run and end the process, or return if SCons is needed."""
    asked = None if _is_changed() else understood(sys.argv[1:])
    try:
        if asked is None:
            _require_jobs([*os.environ.get(_FLAGS, "").split(), *sys.argv[1:]])
            return
        options = asked.options
        run = Prepared(*start(asked.arguments, asked.targets, options), options)
        if run.is_done:
            run.close()
        else:
            _hand_over(run)
            return
    except KeyboardInterrupt:
        print("scons: Build interrupted.")  # noqa: T201 - in SCons' words
        sys.exit(2)
    except Exception as error:
        print(as_quard_error(error).block(), file=sys.stderr, flush=True)  # noqa: T201
        sys.exit(2)
    sys.exit(0)


def taken() -> Prepared | None:
    """Return the run that `begin` has begun, if any, once SCons is loaded."""
    if not _begun:
        return None
    signal.signal(signal.SIGINT, signal.default_int_handler)
    return _begun.pop()


def understood(words: Sequence[str]) -> Asked | None:
    """Return what a command line of ./scons asks for; None if SCons has to read it."""
    if os.environ.get(_FLAGS):
        return None
    product = [f"--file={OWN}/SConstruct", f"--site-dir={OWN}/site_scons"]
    given = list(words)
    if given[:2] == product:
        del given[:2]
    elif any(os.path.exists(os.path.expanduser(path)) for path in _SITES):
        return None
    if given[:1] != ["-Q"]:
        return None
    del given[0]
    jobs, silent = len(os.sched_getaffinity(0)), False
    arguments: dict[str, str] = {}
    targets = []
    for word in given:
        if word == "-s":
            silent = True
        elif number := _jobs(word):
            jobs = number
        elif word.startswith("-") or word in ("", '""', "''"):
            return None
        elif "=" in word:
            name, _, arguments[name] = word.partition("=")
        else:
            targets.append(word)
    return Asked(arguments, tuple(targets), Options(jobs, silent=silent))


def _jobs(word: str) -> int:
    """Return the number of a word -jN; 0 for another word, and where SCons has to read the number.

    SCons reads one that begins with 0 in another base, see optparse.
    """
    number = word.removeprefix(_JOBS)
    plain = number.isascii() and number.isdigit() and len(number) <= _DIGITS
    return int(number) if word.startswith(_JOBS) and plain and number[0] != "0" else 0


def _require_jobs(words: Sequence[str]) -> None:
    """Raise QuardError for a number of jobs that SCons would refuse with its own message."""
    if any(word.startswith("-") and "j" in word for word in words):
        from . import jobs  # noqa: PLC0415 - few name a number that is not read here

        jobs.require(words)


def _is_changed() -> bool:
    """Return whether SCons would do something else than this module: the user has changed it."""
    if os.path.exists(OWN / "site_scons" / "site_init.py"):
        return True
    try:
        text = Path(OWN, "SConstruct").read_bytes()
    except OSError:
        return True
    return hashlib.sha256(text).hexdigest() != _SCONSTRUCT


def _hand_over(run: Prepared) -> None:
    """Keep a run for SCons; Ctrl-C ends the process while SCons is loaded."""

    def end(number: int, frame: FrameType | None) -> None:
        del frame
        run.guard.release()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, end)
    load_all()
    _begun.append(run)
