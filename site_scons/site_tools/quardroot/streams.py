"""Standard output and error that may be lost while a build runs.

A closed terminal (EIO), the end of a pipe's reader (EPIPE) or a full disk under a log (ENOSPC) must
not end a build in the middle: an exception while SCons prints kills the thread that printed, and
all others wait for it without end.
"""

from __future__ import annotations

import errno
import io
import os
import select
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, TextIO

import SCons.Util

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

    from quard.face.screen import Screen

_LOST: dict[int, OSError] = {}
"""Descriptor -> why nothing written to it arrives any more."""
_SCREENS: dict[int, Screen] = {}
"""Descriptor -> what is drawn below the text that is written to it."""


class _Patient(io.FileIO):
    """A descriptor that leads nowhere from the first failed write on."""

    def write(self, data: ReadableBuffer, /) -> int:
        screen = _SCREENS.get(self.fileno())
        return screen.above(data, self._write) if screen else self._write(data)

    def _write(self, data: ReadableBuffer) -> int:
        try:
            while (written := super().write(data)) is None:
                select.select((), (self,), ())  # somebody made it non-blocking, and it is full
            return written
        except OSError as error:
            _LOST[self.fileno()] = error
            _forget(self.fileno())
            return memoryview(data).nbytes


def can_draw(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Tell whether a stream leads to a terminal on which something can be drawn, and is wanted.

    A log of a CI has lines only, even where it gives its jobs a terminal, and so has a run that
    was begun in the background.
    """
    in_ci = environ.get("CI", "") not in ("", "0", "false")
    if in_ci or not stream.isatty() or environ.get("TERM", "") in ("", "dumb"):
        return False
    from quard.process.terminal import belongs_to_others  # noqa: PLC0415 - not for a log

    return not belongs_to_others(stream.fileno())


def has_colours(environ: Mapping[str, str]) -> bool:
    """Tell whether colours are wanted on a terminal (no-color.org, bixense.com/clicolors)."""
    return not environ.get("NO_COLOR") and environ.get("CLICOLOR") != "0"


def share(screen: Screen) -> None:
    """Have all that is printed on the screen's terminal go above what it draws."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and screen.shows(stream.fileno()):
            stream.flush()
            _SCREENS[stream.fileno()] = screen


def require_arrival() -> None:
    """Raise the OSError with which standard output was lost, unless its reader had enough.

    For an answer, which is all that its command is there for.
    """
    error = _LOST.get(sys.__stdout__.fileno() if sys.__stdout__ else -1)
    if error is not None and error.errno != errno.EPIPE:
        raise error


def harden() -> None:
    """Put patient streams in the place of sys.stdout and sys.stderr.

    SCons has put a proxy before each that is no terminal; the new one gets the same.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        proxy = isinstance(stream, SCons.Util.Unbuffered)
        inner = stream.file if proxy else stream
        if isinstance(inner, io.TextIOWrapper):
            patient = _patient(inner)
            setattr(sys, name, SCons.Util.Unbuffered(patient) if proxy else patient)


def _patient(stream: io.TextIOWrapper) -> io.TextIOWrapper:
    try:
        stream.flush()
    except OSError:
        _forget(stream.fileno())
    return io.TextIOWrapper(
        io.BufferedWriter(_Patient(stream.fileno(), "w", closefd=False)),
        encoding=stream.encoding,
        errors=stream.errors,
        # Unbuffered (PYTHONUNBUFFERED) means here that every line goes out: a buffer is below.
        line_buffering=stream.line_buffering or stream.write_through,
    )


def _forget(descriptor: int) -> None:
    """Let a descriptor lead to nothing, for all that write to it, as SCons does at its end."""
    nothing = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
    os.dup2(nothing, descriptor)
    os.close(nothing)
