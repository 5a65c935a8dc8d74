"""What succeeds and installs nothing is an error, in a real build."""

from __future__ import annotations

import pytest

from incremental.project import Project

INSTALL = 'finish=(Install("hello", "usr/bin/hello", mode="0755"),)'
RECIPE = "packages/hello/recipe.py"


def program(project: Project, finish: str) -> None:
    """Put a program on the board whose recipe ends with these steps."""
    project.program("hello", "int main(void) { return 0; }\n")
    project.edit(RECIPE, INSTALL, f"finish=({finish},)")
    project.edit(RECIPE, "import Install", "import Install, Run")
    project.board(["hello", "libc"])


@pytest.mark.parametrize(
    ("finish", "reason", "told"),
    [
        ('Run("true")', "nothing-installed", "hello 1: nothing is installed"),
        (
            'Run("install", "-D", "hello", "{stage}/usr/share/doc/hello")',
            "nothing-installed",
            "hello 1: nothing is installed",
        ),
        (
            'Run("sh", "-c", "mkdir -p $HOME/lib # not {stage}/usr/lib")',
            "step-without-effect",
            "hello 1: a step succeeded but installed nothing",
        ),
    ],
    ids=["empty", "documentation alone", "another place"],
)
def test_a_build_that_installs_nothing_is_refused(
    project: Project, finish: str, reason: str, told: str
) -> None:
    program(project, finish)
    first = project.run()
    assert first.status == 2, first.text
    assert f"error: {told}\n" in first.err and f"\nreason: {reason}\n" in first.err, first.text
    assert not (project.folder / "out/tiny/units/hello.json").exists()
    again = project.run()
    assert f"\nreason: {reason}\n" in again.err, again.text
    project.edit(RECIPE, finish, 'Install("hello", "usr/bin/hello", mode="0755")')
    mended = project.run()
    assert mended.status == 0 and "hello" in mended.built, mended.text
