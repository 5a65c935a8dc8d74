"""The identity of files of the machine's own tools that packages without an archive install."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from quard.base.errors import QuardError
from quard.base.programs import Programs
from quard.execute.taken import names, place
from quard.execute.toolchain import Toolchain
from quard.plan.plan import HeadersStep, Plan, RunStep, ToolchainStep


def identity(plan: Plan, toolchain: Toolchain, programs: Programs) -> str:
    """Return a SHA-256 over the files that a plan takes from the machine.

    These are what it takes from the toolchain, and what is at or below the paths that its commands
    and its environment name. A path counts, as it decides where the file is installed; but not that
    of the toolchain, which is installed in different folders.
    """
    files = [
        (name, file)
        for name, path in (*_of_toolchain(plan, toolchain, programs), *_named_paths(plan))
        for name, file in _below(name, path)
    ]
    names = "\n".join(name for name, _ in files)
    return programs.fingerprint(names, (file for _, file in files))


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


def _named_paths(plan: Plan) -> Iterator[tuple[str, Path]]:
    commands = (step.argv for step in plan.steps if isinstance(step, RunStep))
    words = {*(word for argv in commands for word in argv), *(value for _, value in plan.env)}
    for word in sorted(words):
        if word.startswith("/"):
            yield word, Path(word)


def _below(name: str, top: Path) -> Iterator[tuple[str, Path]]:
    """Yield (name, path) of each file at or below a place."""
    if not top.is_dir():
        if top.exists():
            yield name, top
        return
    for path in sorted(top.rglob("*")):
        if path.is_file():
            yield f"{name}/{path.relative_to(top)}", path
