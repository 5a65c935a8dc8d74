"""Builds that wait until the test has seen what it wants to see."""

from __future__ import annotations

from incremental.project import Project

PAUSE = 'Run("sh", "-c", "until [ -e go-on ]; do sleep 0.1; done")'
"""A command of a recipe, which waits in the source folder."""


def go_on(project: Project, *names: str) -> None:
    """Let builds go on that wait: of packages that are named NAME or ROOT/NAME."""
    for name in names:
        (project.folder / "out/tiny/work" / name / "src/go-on").touch()
