"""Numbers of jobs that SCons would refuse in words of its own, before it reads anything else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from quard.base.errors import QuardError

SHORT, LONG = "-j", "--jobs"
_BASES = {"0x": 16, "0b": 2}


def require(words: Iterable[str]) -> None:
    """Raise QuardError if a command line has a number of jobs that is none."""
    for value in _values(words):
        if _number(value) < 1:
            raise refusal(value)


def refusal(value: object) -> QuardError:
    """Return the error for what is not a number of jobs."""
    return QuardError(
        f"-j{value} is not a number of jobs",
        reason="bad-jobs",
        hint="give 1 or more, or omit it to use every processor",
    )


def _values(words: Iterable[str]) -> Iterator[str]:
    """Yield what follows each -j and --jobs, in the same word or as the next one."""
    rest = iter(words)
    for word in rest:
        if word in (SHORT, LONG):
            yield next(rest, "")
        elif word.startswith(f"{LONG}="):
            yield word.removeprefix(f"{LONG}=")
        elif word.startswith(SHORT):
            yield word.removeprefix(SHORT)


def _number(value: str) -> int:
    """Return the number as SCons reads it (optparse); 0 if it reads none."""
    base = _BASES.get(value[:2].lower(), 8 if value.startswith("0") else 10)
    try:
        return int(value, base)
    except ValueError:
        return 0
