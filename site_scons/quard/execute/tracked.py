"""The identity of files of the machine's own tools that packages without an archive install."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from quard.base.errors import QuardError
from quard.base.programs import Programs
from quard.execute.taken import files_at, names, place
from quard.execute.toolchain import Toolchain
from quard.plan.plan import HeadersStep, Plan, RunStep, ToolchainStep
from quard.process.system import shows


def identity(plan: Plan, toolchain: Toolchain, programs: Programs) -> str:
    """Return a SHA-256 over the files that a plan takes from the machine.

    These are what it takes from the toolchain, and what is at or below the paths that its commands
    and its environment name, if sealed builds see them. A path counts, as it decides where the file
    is installed; but not that of the toolchain, which is installed in different folders.
    """
    tops = (*_of_toolchain(plan, toolchain, programs), *_named_paths(plan, toolchain))
    files = [
        (f"{name}{path.removeprefix(str(top))}", path)
        for name, top in tops
        for path in files_at(str(top))
    ]
    subject = " ".join(f"{name}={top}" for name, top in tops)
    version = "\n".join(name for name, _ in files)
    return programs.fingerprint_of_all(subject, version, [path for _, path in files])


def _of_toolchain(
    plan: Plan, toolchain: Toolchain, programs: Programs
) -> tuple[tuple[str, Path], ...]:
    """Return (name, place) of libraries and of folders of headers; the compiler is asked once."""
    steps = [step for step in plan.steps if isinstance(step, ToolchainStep | HeadersStep)]
    if not steps:
        return ()
    wanted = [name for step in steps for name in names(step)]
    subject = " ".join((str(toolchain.commands["gcc"]), "of", *wanted))
    known = programs.recall(subject, toolchain.commands.values())
    if known is None or not all(Path(path).exists() for path in known):
        found = [_place(toolchain, step, name) for step in steps for name in names(step)]
        known = [str(path) for path in found if path is not None]
        if len(known) < len(found):  # it may be installed later, and change no command
            pairs = zip(wanted, found, strict=True)
            return tuple((name, path) for name, path in pairs if path is not None)
        programs.note(subject, toolchain.commands.values(), known)
    return tuple((name, Path(path)) for name, path in zip(wanted, known, strict=True))


def _place(toolchain: Toolchain, step: ToolchainStep | HeadersStep, name: str) -> Path | None:
    try:
        return place(toolchain, step, name)
    except QuardError:  # the build says what is missing, and other packages do not need it
        return None


def _named_paths(plan: Plan, toolchain: Toolchain) -> Iterator[tuple[str, Path]]:
    """Yield (word, path); a link may lead to /dev/null or /tmp, which are the target's own."""
    commands = (step.argv for step in plan.steps if isinstance(step, RunStep))
    words = {*(word for argv in commands for word in argv), *(value for _, value in plan.env)}
    for word in sorted(words):
        path = Path(os.path.normpath(word))
        if shows(path) or (toolchain.folder and path.is_relative_to(toolchain.folder)):
            yield word, path
