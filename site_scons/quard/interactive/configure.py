"""Editing a package's Kconfig configuration and saving the edit as the board's own fragment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from quard.base.errors import QuardError
from quard.interactive import buildfolder
from quard.interactive.buildfolder import BuildFolder
from quard.interactive.editor import ConfigEditor
from quard.interactive.fragment import Change, changes
from quard.plan.kconfig import kconfig_step
from quard.plan.unit import parted, qualified
from quard.project.build import BoardBuild


def require(build: BoardBuild, name: str) -> None:
    """Raise QuardError not-kconfig for a package without a Kconfig configuration."""
    if kconfig_step(build.plan(name)) is None:
        root, _ = parted(name)
        plans = build.roots[root].plans
        others = [qualified(root, other) for other, plan in plans.items() if kconfig_step(plan)]
        raise QuardError(
            f"{name} is not configured by Kconfig",
            detail="on this board: " + (", ".join(sorted(others)) or "none is"),
            reason="not-kconfig",
            hint=f"./scons info {name} shows its features; the board's file chooses among them",
        )


def menuconfig(build: BoardBuild, name: str) -> None:
    """Run upstream's editor for the configuration; save the changes as a fragment."""
    with _editor(build, name) as editor:
        editor.edit()


def savedefconfig(build: BoardBuild, name: str) -> None:
    """Rewrite the board's fragment from the folder's `.config`."""
    with _editor(build, name) as editor:
        editor.save(editor.before, editor.before if editor.pending is None else editor.pending)


def diffconfig(build: BoardBuild, name: str) -> tuple[Change, ...]:
    """Return what the board's fragment and an edited `.config` change; save nothing."""
    with _editor(build, name) as editor:
        return changes(editor.without, editor.now)


def as_text(found: tuple[Change, ...]) -> str:
    return "".join(f"{change}\n" for change in found)


def as_json(name: str, found: tuple[Change, ...]) -> dict[str, Any]:
    return {"name": name, "changes": [vars(change) for change in found]}


@contextmanager
def _editor(build: BoardBuild, name: str) -> Iterator[ConfigEditor]:
    """Open the folder for editing a package's configuration. Raises QuardError."""
    workspace, needs = build.workspace, build.needs(name)
    missing = sorted(e.name for e in needs if not build.ledger.results(e).result.exists())
    if missing:
        raise QuardError(
            f"the dependencies of {name} have not been built",
            detail=", ".join(missing),
            reason="not-built",
            hint=f"./scons {' '.join(missing)}",
        )
    job, place = build.job(name), build.place(name, buildfolder.CONFIGURE)
    place.log.parent.mkdir(parents=True, exist_ok=True)
    with workspace.host.token(), place.log.open("w+b") as log:
        editor = ConfigEditor(build, name)
        editor.open(BuildFolder(workspace.host.packager, job, place, log, editor.progress))
        try:
            yield editor
        finally:
            editor.leave()
