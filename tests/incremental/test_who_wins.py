"""A path that two packages install: who has it, what a change of that rebuilds, and who says so."""

from __future__ import annotations

import json
from typing import Any

import pytest

from incremental.project import Project, ok
from incremental.test_bad_input import refused

BOX = 'yields_to=["*"],'
NOTHING = "int main(void) { return 0; }\n"


@pytest.fixture
def two(project: Project) -> Project:
    """A program with a link to itself, and a package that has a program at that path."""
    project.program("box", NOTHING, more=BOX)
    link = 'Install("box", "usr/bin/box", mode="0755"), Symlink("usr/bin/less", "box"),'
    project.edit("packages/box/recipe.py", 'Install("box", "usr/bin/box", mode="0755"),', link)
    project.edit("packages/box/recipe.py", "import Install", "import Install, Symlink")
    project.program("less", NOTHING)
    project.board(["box", "libc"])
    return project


def owner(project: Project) -> Any:
    text = (project.folder / "out/tiny/images/manifest.json").read_text()
    return json.loads(text)["/usr/bin/less"]["package"]


def test_a_new_package_takes_its_paths_and_the_one_that_yields_is_not_built_again(
    two: Project,
) -> None:
    ok(two.run())
    assert owner(two) == "box"
    two.board(["box", "less", "libc"])
    assert ok(two.run()).built == ["less"]
    assert owner(two) == "less"
    assert "yielded: /usr/bin/less (to less)" in ok(two.run("info", "box")).out
    assert "won: /usr/bin/less (from box)" in ok(two.run("info", "less")).out
    assert ok(two.run()).built == []
    two.board(["box", "libc"])
    assert ok(two.run()).built == []
    assert owner(two) == "box"


def test_without_the_word_they_collide_and_with_it_the_image_alone_is_made(two: Project) -> None:
    two.edit("packages/box/recipe.py", BOX, "")
    two.board(["box", "less", "libc"])
    refused(two.run(), "file-collision", "/usr/bin/less", "box", "less", "yields_to")
    two.board(["box", "libc"])
    ok(two.run())
    two.edit("packages/box/recipe.py", 'license="MIT"', f'{BOX} license="MIT"')
    why = ok(two.run("why"))
    assert "rootfs.tar  box leaves paths to all others" in why.out, why.text
    assert "box   " not in why.out.partition("the last build")[0], why.text
    two.board(["box", "less", "libc"])
    assert ok(two.run()).built == []
    assert owner(two) == "less"


def test_packages_with_one_role_are_refused_before_anything_is_built(two: Project) -> None:
    for name in ("box", "less"):
        more = 'provides=["pager"], conflicts=["pager"], license="MIT"'
        two.edit(f"packages/{name}/recipe.py", 'license="MIT"', more)
    two.board(["box", "less", "libc"])
    refused(two.run(), "packages-conflict", "box and less: each is the pager of a system")
    assert not (two.folder / "out/tiny/units/box.json").exists()
