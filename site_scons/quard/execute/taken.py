"""Files of the cross toolchain that a package takes into its staging folder."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from quard.execute.toolchain import Toolchain
from quard.plan.plan import HeadersStep, Plan, RunStep, ToolchainStep
from quard.process.system import System

_STAGE = "{stage}/"


def take(stage: Path, toolchain: Toolchain, step: ToolchainStep | HeadersStep) -> None:
    """Copy what a step names into the staging folder. Raises QuardError library-missing."""
    for path, source, mode in _named(toolchain, step):
        place = stage / path
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, place)
        place.chmod(mode)


def files(plan: Plan, stage: Path, toolchain: Toolchain, system: System) -> dict[str, Path]:
    """Return the installed files that a package without an archive has from the tools.

    These are the toolchain's, and those of a command that names a path of the tools: what it copies
    to the same path in the staging folder, or, if that is nothing, all that is at or below the
    paths in the staging folder that it names. These count as made from the first of its files.
    system -- that of the build's commands
    Returns installed path -> the tools' file as the build sees it.
    """
    found: dict[str, Path] = {}
    for step in plan.steps:
        match step:
            case ToolchainStep() | HeadersStep():
                named = (
                    (path, toolchain.shown(place)) for path, place, _ in _named(toolchain, step)
                )
                found.update(named)
            case RunStep(_, argv):
                found.update(_run(argv, stage, system))
    return {path: place for path, place in found.items() if os.path.lexists(stage / path)}


def _run(argv: tuple[str, ...], stage: Path, system: System) -> dict[str, Path]:
    """Return the files that a command has copied, or else those that it has made."""
    inputs = dict(
        file for word in argv if word.startswith("/") for file in _below(system, Path(word))
    )
    copied = {path: file for path, file in inputs.items() if os.path.lexists(stage / path)}
    if copied or not inputs:
        return copied
    first = next(iter(inputs.values()))
    made = (stage / word.removeprefix(_STAGE) for word in argv if word.startswith(_STAGE))
    return {
        os.path.relpath(file, stage): first for top in made for file in files_at(os.fspath(top))
    }


def _below(system: System, path: Path) -> Iterator[tuple[str, Path]]:
    """Yield each file at or below a path of a system, by its path without the leading slash."""
    for file in files_at(os.fspath(system.place(path))):
        shown = system.shown(Path(file))
        yield str(shown.relative_to("/")), shown


def files_at(place: str) -> Iterator[str]:
    """Yield the path of each file at or below a place, sorted; none if there is nothing.

    A link counts as the file that it leads to, but links to folders are not followed.
    """
    if os.path.isfile(place):
        yield place
    elif os.path.isdir(place):
        yield from _files_in(place)


def _files_in(folder: str) -> Iterator[str]:
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from _files_in(entry.path)
        elif entry.is_file():
            yield entry.path


def names(step: ToolchainStep | HeadersStep) -> tuple[str, ...]:
    """Return the names of the libraries, or of the folders of headers, that a step takes."""
    match step:
        case ToolchainStep(_, libraries, loader, optional):
            return (*libraries, Path(loader).name, *optional)
        case HeadersStep(_, folders):
            return folders


def place(toolchain: Toolchain, step: ToolchainStep | HeadersStep, name: str) -> Path | None:
    """Return where the toolchain has one of these; None for an optional one that it lacks.

    Raises QuardError library-missing.
    """
    match step:
        case ToolchainStep():
            is_optional = name in step.optional
            return toolchain.find_library(name) if is_optional else toolchain.library(name)
        case HeadersStep():
            return toolchain.header_folder(name)


def _named(
    toolchain: Toolchain, step: ToolchainStep | HeadersStep
) -> Iterator[tuple[str, Path, int]]:
    """Yield the path of each file below the staging folder, the file to copy, and its mode."""
    for name in names(step):
        found = place(toolchain, step, name)
        if isinstance(step, ToolchainStep):
            if found:
                yield f"usr/lib/{name}", found, 0o755
        elif found:
            for path in sorted(found.rglob("*.h")):
                yield f"usr/include/{name}/{path.relative_to(found)}", path, 0o644
