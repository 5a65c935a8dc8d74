"""Detecting steps that succeed but install nothing, as when a tool uses another folder."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from quard.base.errors import QuardError
from quard.plan.plan import Plan, RunStep

_STAGE = "{stage}"
_LOOKING = frozenset(("[", "cmp", "grep", "test"))
"""Commands that only read the staging folder."""


@contextmanager
def expected(plan: Plan, step: RunStep, stage: Path, shown: str) -> Iterator[None]:
    """Context in which a step runs; a step that installs must change the staging folder.

    shown -- the log's path for messages
    Raises QuardError step-without-effect.
    """
    if not _installs(step):
        yield
        return
    before = _state(stage)
    yield
    if _state(stage) == before:
        raise QuardError(
            f"{plan.name} {plan.version}: a step succeeded but installed nothing",
            detail=f"command: {subprocess.list2cmdline(step.argv)}\nlog: {shown}",
            reason="step-without-effect",
            hint=f"read {shown}: the step installed to another place or found nothing to install",
        )


def _installs(step: RunStep) -> bool:
    given = any(_STAGE in word for word in step.argv)
    return given and step.phase == "install" and step.argv[0] not in _LOOKING


def _state(stage: Path) -> frozenset[tuple[str, int, int, int, int]]:
    """Return the state of a folder; any change below it gives another value."""
    found = set()
    pending = [str(stage)]
    while pending:
        with os.scandir(pending.pop()) as entries:
            for entry in entries:
                status = entry.stat(follow_symlinks=False)
                times = status.st_mtime_ns, status.st_ctime_ns
                found.add((entry.path, status.st_ino, status.st_size, *times))
                if entry.is_dir(follow_symlinks=False):
                    pending.append(entry.path)
    return frozenset(found)
