"""Standard output and error that may be lost while a build runs.

A closed terminal (EIO), the end of a pipe's reader (EPIPE) or a full disk under a log (ENOSPC) must
not break a build: an exception while SCons prints kills the thread that printed, and all others
wait for it forever.
"""

from __future__ import annotations

import errno
import io
import os
import select
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

    from quard.face.screen import Screen

_LOST: dict[int, OSError] = {}
"""Descriptor -> why it discards everything."""
_SCREENS: dict[int, Screen] = {}
"""Descriptor -> the screen below the text that is written to it."""


class _Patient(io.FileIO):
    """A descriptor that discards everything after the first failed write."""

    def write(self, data: ReadableBuffer, /) -> int:
        screen = _SCREENS.get(self.fileno())
        return screen.above(data, self._write) if screen else self._write(data)

    def _write(self, data: ReadableBuffer) -> int:
        try:
            while (written := super().write(data)) is None:
                select.select((), (self,), ())  # made non-blocking elsewhere, and full
            return written
        except OSError as error:
            _LOST[self.fileno()] = error
            _forget(self.fileno())
            return memoryview(data).nbytes


def can_draw(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Return whether a stream is a terminal on which a live view can be drawn, and is wanted.

    A CI log has only lines, even if the CI gives its jobs a terminal; so does a run that was
    started in the background.
    """
    in_ci = environ.get("CI", "") not in ("", "0", "false")
    if in_ci or not stream.isatty() or environ.get("TERM", "") in ("", "dumb"):
        return False
    from quard.process.terminal import belongs_to_others  # noqa: PLC0415 - not for a log

    return not belongs_to_others(stream.fileno())


def has_colours(environ: Mapping[str, str]) -> bool:
    """Return whether colours are wanted on a terminal (no-color.org, bixense.com/clicolors)."""
    return not environ.get("NO_COLOR") and environ.get("CLICOLOR") != "0"


def share(screen: Screen) -> None:
    """Print everything for the screen's terminal above the screen's rows."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and screen.shows(stream.fileno()):
            stream.flush()
            _SCREENS[stream.fileno()] = screen


def require_arrival() -> None:
    """Raise the OSError by which standard output was lost, unless its reader closed it.

    For an answer, which is the only purpose of its command.
    """
    error = _LOST.get(sys.__stdout__.fileno() if sys.__stdout__ else -1)
    if error is not None and error.errno != errno.EPIPE:
        raise error


def harden() -> None:
    """Replace sys.stdout and sys.stderr with patient streams that are written line by line.

    SCons puts a proxy before each stream that is not a terminal; the new one gets the same.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        proxy = _proxy(stream)
        inner = stream.file if proxy else stream
        if isinstance(inner, io.TextIOWrapper):
            patient = _patient(inner)
            setattr(sys, name, proxy(patient) if proxy else patient)


def _proxy(stream: object) -> Callable[[TextIO], object] | None:
    """Return the class of SCons' proxy if a stream is one; there is none before SCons is loaded."""
    if "SCons.Util" not in sys.modules:
        return None
    from SCons.Util import Unbuffered  # noqa: PLC0415

    return Unbuffered if isinstance(stream, Unbuffered) else None


def _patient(stream: io.TextIOWrapper) -> io.TextIOWrapper:
    try:
        stream.flush()
    except OSError:
        _forget(stream.fileno())
    return io.TextIOWrapper(
        io.BufferedWriter(_Patient(stream.fileno(), "w", closefd=False)),
        encoding=stream.encoding,
        errors=stream.errors,
        # Also in a file or a pipe: both streams may lead there, and a reader may be waiting.
        line_buffering=True,
    )


def _forget(descriptor: int) -> None:
    """Redirect a descriptor to nothing for all its writers, as SCons writes at its end too."""
    nothing = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
    os.dup2(nothing, descriptor)
    os.close(nothing)
