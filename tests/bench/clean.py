"""A clean build against the shell script that a person would write, one after the other in turn."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from bench.running import Cost, run, scons, shown
from bench.sequential import Sequential
from bench.subject import Subject


def clean(subject: Subject, rounds: int) -> dict[str, Any]:
    """Return what both cost. Both use the machine's own compiler and as many jobs as processors.

    The engine makes the images, too, and splits, strips, checks and keeps what it has built; the
    script ends when the last package is installed. It stays in `out/bench` of the project.
    """
    jobs = len(os.sched_getaffinity(0))
    scons(subject.project, "source", f"BOARD={subject.board}", *subject.given, quiet=False)
    engine, shell = [], []
    script = subject.project / "out" / "bench"
    for number in range(rounds):
        print(f"clean build {number + 1} of {rounds}", flush=True)
        with tempfile.TemporaryDirectory(prefix="quardroot-bench-") as folder:
            engine.append(_engine(subject, Path(folder), jobs))
        with tempfile.TemporaryDirectory(prefix="quardroot-bench-") as folder:
            written = Sequential(
                *(subject.project, subject.board, script),
                work=Path(folder),
                sources=subject.sources,
                jobs=jobs,
            )
            shell.append(run(written.command, Path(folder)))
            count = len(written.plans)
    found = {"engine": shown(engine), "shell": shown(shell)}
    return {
        "packages": count,
        **found,
        "of_shell_seconds": _ratio(found["engine"]["seconds"], found["shell"]["seconds"]),
        "of_shell_cpu": _ratio(found["engine"]["cpu_seconds"], found["shell"]["cpu_seconds"]),
        "script": str((script / "sequential.sh").relative_to(subject.project)),
    }


def _engine(subject: Subject, folder: Path, jobs: int) -> Cost:
    copy = folder / "checkout"
    subject.copy(copy)
    availability = Path("out", subject.board, "availability.json")
    if (subject.project / availability).exists():  # what the script was made from
        (copy / availability).parent.mkdir(parents=True)
        shutil.copy(subject.project / availability, copy / availability)
    settings = (f"sources.dir={subject.sources}", "tools.root=machine", f"-j{jobs}")
    return subject.build(copy, *settings, cache=f"{folder}/cache")


def _ratio(one: float, other: float) -> float:
    return round(one / other, 3)
