"""Numbers of jobs that SCons would refuse in words of its own, before it reads anything else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from quard.base.errors import QuardError

LONG = "--jobs"
_JOBS = "j"
WITH_VALUE = frozenset("CIWYfjlo")
"""Letters of the options of SCons that have a value: the rest of the word, or the next word."""
LONG_WITH_VALUE = frozenset(
    """
    --assume-new --assume-old --cache-debug --config --debug --directory --diskcheck --duplicate
    --experimental --file --hash-chunksize --hash-format --include-dir --jobs --load-average
    --makefile --max-drift --max-load --md5-chunksize --new-file --old-file --override --profile
    --repository --sconstruct --site-dir --srcdir --stack-size --taskmastertrace --tree --warn
    --warning --what-if --write-filenames
    """.split()
)
"""Its long options of which the next word is the value if none is given with `=`."""
_BASES = {"0x": 16, "0b": 2}


def require(words: Iterable[str]) -> None:
    """Raise QuardError if a command line has a number of jobs that is none."""
    for value in values(words):
        if _number(value) < 1:
            raise refusal(value)


def refusal(value: object) -> QuardError:
    """Return the error for what is not a number of jobs."""
    return QuardError(
        f"-j{value} is not a number of jobs",
        reason="bad-jobs",
        hint="give 1 or more, or omit it to use every processor",
    )


def values(words: Iterable[str]) -> Iterator[str]:
    """Yield what follows each -j and --jobs, in the same word or as the next one.

    -j may stand behind other letters, as in -kj2.
    """
    rest = iter(words)
    for word in rest:
        if word == "--":
            return
        if word.startswith("--"):
            name, given, value = word.partition("=")
            if not given and name in LONG_WITH_VALUE:
                value = next(rest, "")
            if name == LONG:
                yield value
        elif word.startswith("-"):
            letter, value = _last(word[1:])
            if letter and not value:
                value = next(rest, "")
            if letter == _JOBS:
                yield value


def _last(letters: str) -> tuple[str, str]:
    """Return the first of some letters that has a value, and the value in the same word."""
    for place, letter in enumerate(letters):
        if letter in WITH_VALUE:
            return letter, letters[place + 1 :]
    return "", ""


def _number(value: str) -> int:
    """Return the number as SCons reads it (optparse); 0 if it reads none."""
    base = _BASES.get(value[:2].lower(), 8 if value.startswith("0") else 10)
    try:
        return int(value, base)
    except ValueError:
        return 0
