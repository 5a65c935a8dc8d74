"""Files of the cross toolchain that a package takes into its staging folder."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from quard.execute.toolchain import Toolchain
from quard.plan.plan import HeadersStep, ToolchainStep


def take(stage: Path, toolchain: Toolchain, step: ToolchainStep | HeadersStep) -> None:
    """Copy what a step names into the staging folder. Raises QuardError library-missing."""
    for path, source, mode in _named(toolchain, step):
        place = stage / path
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, place)
        place.chmod(mode)


def _named(
    toolchain: Toolchain, step: ToolchainStep | HeadersStep
) -> Iterator[tuple[str, Path, int]]:
    """Yield the path of each file below the staging folder, the file to copy, and its mode."""
    match step:
        case ToolchainStep(_, libraries, loader):
            for name in (*libraries, Path(loader).name):
                yield f"usr/lib/{name}", toolchain.library(name), 0o755
        case HeadersStep(_, folders):
            for name in folders:
                folder = toolchain.header_folder(name)
                for path in sorted(folder.rglob("*.h")):
                    yield f"usr/include/{name}/{path.relative_to(folder)}", path, 0o644
