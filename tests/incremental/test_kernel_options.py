"""Kernel options that packages rely on: what they rebuild, and what stops a build."""

from __future__ import annotations

import json

import pytest

from incremental.menu import menu
from incremental.project import Project, ok
from incremental.test_bad_input import refused

KERNEL = 'provides=["kernel"],'


@pytest.fixture
def tiny(greeting: Project) -> Project:
    """A kernel, and programs that may rely on its options; all of it built."""
    menu(greeting, more=KERNEL)
    greeting.board(["alone", "hello", "libc", "menu"])
    ok(greeting.run())
    return greeting


def rely(project: Project, name: str, options: str) -> None:
    """Let a recipe rely on options, given as source text."""
    project.edit(f"packages/{name}/recipe.py", 'license="MIT"', f'kernel={options}, license="MIT"')


def config(project: Project) -> str:
    return (project.folder / "out/tiny/work/menu/src/.config").read_text()


def test_an_option_that_is_met_rebuilds_nothing_and_another_one_the_kernel_alone(
    tiny: Project,
) -> None:
    rely(tiny, "hello", '["NET"]')
    assert ok(tiny.run()).built == []
    rely(tiny, "alone", '["IPV6", "INET=n"]')
    assert ok(tiny.run()).built == ["menu"]
    assert "# CONFIG_INET is not set" in config(tiny)
    said = ok(tiny.run("info", "menu")).out
    assert "relied_on: IPV6 (by alone) INET=n (by alone) NET (by hello)\n" in said
    tiny.board(["hello", "libc", "menu"])
    again = ok(tiny.run())
    assert (again.built, again.summary["restored"]) == ([], ["menu"])


def test_an_option_that_the_kernel_does_not_have_stops_before_it_is_compiled(
    tiny: Project,
) -> None:
    rely(tiny, "alone", '["TRACE"]')
    refused(tiny.run(), "kconfig-line-vanished", "`kernel` of the board's packages", "CONFIG_TRACE")
    log = (tiny.folder / "out/tiny/logs/menu.log").read_text()
    assert "menu.c" not in log


def test_a_contradiction_is_refused_from_the_texts_with_both_sides(tiny: Project) -> None:
    rely(tiny, "alone", '["INET"]')
    rely(tiny, "hello", '["INET=n"]')
    both = "CONFIG_INET=y or m: alone; CONFIG_INET=n: hello"
    refused(tiny.run(), "kernel-option-conflict", both)
    tiny.edit("packages/hello/recipe.py", '["INET=n"]', '["NET"]')
    (tiny.folder / "configs/lean.fragment").write_text("# CONFIG_INET is not set\n")
    more = '[fragments]\nmenu = ["configs/lean.fragment"]'
    tiny.board(["alone", "hello", "libc", "menu"], more=more)
    refused(tiny.run(), "kernel-option-conflict", "alone; configs/lean.fragment: CONFIG_INET=n")
    tiny.edit("configs/lean.fragment", "# CONFIG_INET is not set", "CONFIG_INET=y")
    assert ok(tiny.run()).built == ["menu"]


def test_packages_of_a_named_root_rely_on_the_kernel_of_the_board(tiny: Project) -> None:
    rely(tiny, "alone", '["INET=n"]')
    root = '[roots.early]\npackages = ["alone", "libc"]'
    (tiny.folder / "rootfs/usr/bin/sh").touch(mode=0o755)
    tiny.board(["hello", "libc", "menu"], more=f'{root}\noverlays = ["rootfs"]')
    ran = tiny.run("menu")
    assert ok(ran).built == ["menu"]
    assert "relied_on: INET=n (by early/alone)" in ok(tiny.run("info", "menu")).out


def test_what_is_no_option_is_refused_with_how_to_write_it(tiny: Project) -> None:
    rely(tiny, "alone", '["CONFIG_NET"]')
    refused(tiny.run(), "bad-kernel-option", "kernel: write 'NET', without CONFIG_")


def test_a_fragment_that_a_product_adds_to_the_kernel_can_satisfy_an_option(tiny: Project) -> None:
    rely(tiny, "alone", '["IPV6"]')
    product = tiny.folder.parent / "product"
    (product / "packages/menu").mkdir(parents=True)
    (product / "quardroot.toml").write_text('name = "acme"\n')
    (product / "packages/menu/more.fragment").write_text("CONFIG_IPV6=y\n")
    trees = f"trees.paths={product}"
    ok(tiny.run(trees))
    with_fragment = ok(tiny.run(trees, "info", "menu", "FORMAT=json")).out
    tiny.edit("packages/alone/recipe.py", 'kernel=["IPV6"], ', "")
    without_option = ok(tiny.run(trees, "info", "menu", "FORMAT=json")).out
    assert json.loads(with_fragment)["plan"] == json.loads(without_option)["plan"]
