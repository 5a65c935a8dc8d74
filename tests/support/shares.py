"""Which tests of a full run take part, where some need minutes to build a board of their own.

A commit has one share of them, which follows from its id, so that a few commits run all. Everything
else is in every run.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

ALL = "all"
SHARES = ("modules", "musl", "python")
"""Each is a board that is built for these tests alone: its kernel, C library or packages."""


def of_commit(commit: str) -> str:
    """Return the share of a commit, whose id is at least eight hexadecimal digits."""
    return SHARES[int(commit[:8], 16) % len(SHARES)]


def head(project: Path) -> str:
    """Return the id of the checkout's commit; "" outside of a repository."""
    words = ("git", "rev-parse", "--verify", "--quiet", "HEAD")
    done = subprocess.run(words, cwd=project, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def chosen(asked: str, project: Path, *, whole: bool) -> str:
    """Return the share that a run has, or ALL.

    asked -- a share, ALL, or "" for the commit's
    whole -- nobody has named tests: who names some gets them
    Raises ValueError for an unknown share.
    """
    if asked and asked not in (*SHARES, ALL):
        raise ValueError(f"unknown share {asked!r}; there are {', '.join(SHARES)} and {ALL}")
    if asked or not whole:
        return asked or ALL
    commit = head(project)
    return of_commit(commit) if commit else ALL


def takes_part(marked: str, share: str) -> bool:
    """Return whether a test is in a run. Raises ValueError for an unknown mark.

    marked -- the share that the test is marked with; "" for none
    """
    if marked and marked not in SHARES:
        raise ValueError(f"a test is marked with an unknown share: {marked!r}")
    return not marked or share in (marked, ALL)
