"""Files of the cross toolchain that a package takes into its staging folder."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from quard.execute.toolchain import Toolchain
from quard.plan.plan import HeadersStep, Plan, RunStep, ToolchainStep
from quard.process.system import System


def take(stage: Path, toolchain: Toolchain, step: ToolchainStep | HeadersStep) -> None:
    """Copy what a step names into the staging folder. Raises QuardError library-missing."""
    for path, source, mode in _named(toolchain, step):
        place = stage / path
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, place)
        place.chmod(mode)


def files(plan: Plan, stage: Path, toolchain: Toolchain, system: System) -> dict[str, Path]:
    """Return the installed files that a package without an archive has from the tools.

    These are the toolchain's, and what a command copies that names a path of the tools, to the same
    path in the staging folder.
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
                for word in (word for word in argv if word.startswith("/")):
                    found.update(_below(system, Path(word)))
    return {path: place for path, place in found.items() if os.path.lexists(stage / path)}


def _below(system: System, path: Path) -> Iterator[tuple[str, Path]]:
    """Yield each file at or below a path of a system, by its path without the leading slash."""
    place = system.place(path)
    for file in place.rglob("*") if place.is_dir() else (place,):
        if file.is_file():
            shown = system.shown(file)
            yield str(shown.relative_to("/")), shown


def _named(
    toolchain: Toolchain, step: ToolchainStep | HeadersStep
) -> Iterator[tuple[str, Path, int]]:
    """Yield the path of each file below the staging folder, the file to copy, and its mode."""
    match step:
        case ToolchainStep(_, libraries, loader, optional):
            for name in (*libraries, Path(loader).name):
                yield f"usr/lib/{name}", toolchain.library(name), 0o755
            for name in optional:
                if path := toolchain.find_library(name):
                    yield f"usr/lib/{name}", path, 0o755
        case HeadersStep(_, folders):
            for name in folders:
                folder = toolchain.header_folder(name)
                for path in sorted(folder.rglob("*.h")):
                    yield f"usr/include/{name}/{path.relative_to(folder)}", path, 0o644
