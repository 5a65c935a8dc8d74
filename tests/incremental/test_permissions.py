"""Permissions for paths that do not exist are found before the images are made."""

from __future__ import annotations

import shutil

import pytest

from incremental.menu import menu
from incremental.project import Project, Ran, ok

RECIPE = "packages/hello/recipe.py"


@pytest.fixture
def tiny(greeting: Project) -> Project:
    """A program with a permission, and a kernel."""
    menu(greeting, more='provides=["kernel"],')
    greeting.board(["hello", "libc", "menu"])
    row = 'permissions=[Permission("/usr/bin/hello", "0700")], license="MIT"'
    greeting.edit(RECIPE, 'license="MIT"', row)
    greeting.edit(RECIPE, "import Install", "import Permission, Install")
    return greeting


def permit(project: Project, old: str, new: str) -> None:
    project.edit(RECIPE, f'Permission("{old}"', f'Permission("{new}"')


def assert_refused(ran: Ran, path: str, hint: str) -> None:
    assert ran.status == 2, ran.text
    text = f"error: {RECIPE}: a permission of package hello is for {path}, which is not in "
    assert f"{text}the image\n" in ran.err and f"hint: {hint}" in ran.err
    assert ran.err.count("reason: ") == ran.err.count("reason: permission-unused\n") == 1


def test_a_missing_path_is_found_when_its_package_is_built(tiny: Project) -> None:
    permit(tiny, "/usr/bin/hello", "/usr/sbin/helo")
    hint = "did you mean '/usr/bin/hello'?"
    ran = tiny.run()
    assert_refused(ran, "/usr/sbin/helo", hint)
    assert "hello" in ran.built and "rootfs.tar" not in ran.summary["images"]
    again = tiny.run()
    assert_refused(again, "/usr/sbin/helo", hint)
    assert "hello" not in again.out
    permit(tiny, "/usr/sbin/helo", "/usr/bin/hello")
    assert "hello" not in ok(tiny.run()).built


def test_a_missing_path_is_found_when_its_package_is_restored(tiny: Project) -> None:
    ok(tiny.run())
    shutil.rmtree(tiny.folder / "out")
    permit(tiny, "/usr/bin/hello", "/usr/sbin/helo")
    ran = tiny.run()
    assert_refused(ran, "/usr/sbin/helo", "did you mean '/usr/bin/hello'?")
    assert ran.summary["restored"].count("hello") == ran.out.count("hello 1: ") == 1
    assert "rootfs.tar" not in ran.summary["images"]


def test_of_a_package_that_is_there_a_missing_path_is_found_before_anything_is_built(
    tiny: Project,
) -> None:
    ok(tiny.run())
    tiny.edit("packages/menu/recipe.py", 'summary="', 'env=(("OTHER", "1"),), summary="')
    permit(tiny, "/usr/bin/hello", "/usr/lib/*.odd")
    for _ in range(2):
        hint = "correct the path or remove the permission"
        assert_refused(tiny.run(), "/usr/lib/*.odd", hint)
    permit(tiny, "/usr/lib/*.odd", "/bin/hell[o]")
    assert ok(tiny.run()).built == ["menu"]


def test_paths_of_overlays_and_of_the_system_are_there(tiny: Project) -> None:
    folder = tiny.folder / "rootfs/srv/site"
    folder.mkdir(parents=True)
    (folder / "page").write_text("x\n")
    permit(tiny, "/usr/bin/hello", "/srv/site")
    ok(tiny.run())
    permit(tiny, "/srv/site", "/etc/passwd")
    ok(tiny.run())
