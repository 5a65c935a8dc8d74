"""Capabilities of programs: what they change, what tells so, and what stops a build."""

from __future__ import annotations

import json
from typing import Any

import pytest

from incremental.initramfs import bootable
from incremental.menu import KCONFIG, menu
from incremental.project import Project, ok
from incremental.test_bad_input import refused

OPTIONS = "EXT4_FS_SECURITY n\nSQUASHFS_XATTR n\nTMPFS_XATTR n\n"
PROGRAM = "/usr/bin/hello"
ROW = f'[[permission]]\npath = "{PROGRAM}"\nmode = "0755"\n'


@pytest.fixture
def tiny(greeting: Project) -> Project:
    """A kernel without attributes, and a program; all of it built."""
    menu(greeting, more='provides=["kernel"],', kconfig=KCONFIG + OPTIONS)
    greeting.board(["hello", "libc", "menu"], formats='"ext4", "squashfs"')
    ok(greeting.run())
    return greeting


def permit(project: Project, fields: str) -> None:
    """Let the recipe of the program have a permission; `fields` are those besides its path."""
    row = f'permissions=[Permission("{PROGRAM}", {fields})], license="MIT"'
    project.edit("packages/hello/recipe.py", 'license="MIT"', row)
    project.edit("packages/hello/recipe.py", "import Install", "import Permission, Install")


def entry(project: Project) -> dict[str, Any]:
    text = (project.folder / "out/tiny/images/manifest.json").read_text()
    found: dict[str, Any] = json.loads(text)[PROGRAM]
    return found


def config(project: Project) -> list[str]:
    text = (project.folder / "out/tiny/work/menu/src/.config").read_text()
    return [line for line in text.splitlines() if "XATTR" in line or "SECURITY" in line]


def images(project: Project) -> list[str]:
    return [project.image(name) for name in ("rootfs.tar", "rootfs.ext4", "rootfs.squashfs")]


def test_a_permission_with_capabilities_builds_the_kernel_and_the_images_alone(
    tiny: Project,
) -> None:
    before, plain = images(tiny), config(tiny)
    assert plain == [f"# CONFIG_{line.split()[0]} is not set" for line in OPTIONS.splitlines()]
    permit(tiny, 'mode="0755", capabilities="cap_net_raw+ep"')
    assert f"permission for {PROGRAM} of hello added" in ok(tiny.run("why")).out
    assert ok(tiny.run()).built == ["menu"]
    assert entry(tiny)["capabilities"] == "cap_net_raw=ep"
    assert config(tiny) == [f"CONFIG_{line.split()[0]}=y" for line in OPTIONS.splitlines()]
    assert "EXT4_FS_SECURITY (by hello)" in ok(tiny.run("info", "menu")).out
    first = images(tiny)
    assert all(old != new for old, new in zip(before, first, strict=True))
    tiny.edit("packages/hello/recipe.py", "cap_net_raw+ep", "cap_net_raw=ep")
    assert f"permission for {PROGRAM} of hello changed" in ok(tiny.run("why")).out
    ran = ok(tiny.run())
    assert ran.built == [] and images(tiny) == first
    assert "rootfs.ext4" not in ran.summary["images"]
    tiny.edit("packages/hello/recipe.py", "cap_net_raw=ep", "cap_net_raw+p")
    assert ok(tiny.run()).built == [] and images(tiny) != first
    assert entry(tiny)["capabilities"] == "cap_net_raw=p"
    tiny.edit("packages/hello/recipe.py", ', capabilities="cap_net_raw+p"', "")
    assert ok(tiny.run()).built == [] and images(tiny) == before


def test_rows_of_the_systems_table_rely_on_the_kernel_as_well(tiny: Project) -> None:
    table = tiny.folder / "configs/system/base.toml"
    table.write_text(table.read_text() + ROW + 'capabilities = "cap_kill+ep"\n')
    assert "the system's table changed" in ok(tiny.run("why")).out
    assert ok(tiny.run()).built == ["menu"]
    assert entry(tiny)["capabilities"] == "cap_kill=ep"
    said = ok(tiny.run("info", "menu")).out
    assert "EXT4_FS_SECURITY (by configs/system/base.toml)" in said


def test_another_program_in_an_overlay_has_the_capabilities_of_its_path(tiny: Project) -> None:
    permit(tiny, 'mode="0755", capabilities="cap_kill+ep"')
    ok(tiny.run())
    built = tiny.folder / "out/tiny/images/rootfs.tar"
    assert built.exists()
    (tiny.folder / "rootfs" / PROGRAM[1:]).write_bytes(b"another")
    (tiny.folder / "rootfs" / PROGRAM[1:]).chmod(0o755)
    assert ok(tiny.run()).built == []
    assert entry(tiny)["package"] == "rootfs" and entry(tiny)["capabilities"] == "cap_kill=ep"


def test_a_kernel_whose_fragment_forbids_the_attributes_is_refused(tiny: Project) -> None:
    (tiny.folder / "configs/lean.fragment").write_text("# CONFIG_SQUASHFS_XATTR is not set\n")
    fragments = '[fragments]\nmenu = ["configs/lean.fragment"]'
    tiny.board(["hello", "libc", "menu"], more=fragments, formats='"ext4", "squashfs"')
    permit(tiny, 'mode="0755", capabilities="cap_kill+ep"')
    who = "CONFIG_SQUASHFS_XATTR=y or m: hello; configs/lean.fragment: CONFIG_SQUASHFS_XATTR=n"
    refused(tiny.run(), "kernel-option-conflict", who)


def test_an_initramfs_cannot_have_them(tiny: Project) -> None:
    bootable(tiny)
    table = tiny.folder / "configs/system/base.toml"
    tiny.board(["hello", "libc", "menu"], formats='"cpio.gz"')
    ok(tiny.run())
    permit(tiny, 'mode="0755", capabilities="cap_kill+ep"')
    said = f"cpio.gz cannot hold the capabilities and attributes of {PROGRAM}"
    refused(tiny.run(), "image-attributes", said, "image.formats", "[[permission]]")
    table.write_text(table.read_text() + ROW.replace("0755", "4755"))
    ok(tiny.run())
    assert entry(tiny)["mode"] == "4755" and "capabilities" not in entry(tiny)


@pytest.mark.parametrize(
    ("fields", "reason", "said"),
    [
        ('mode="0755", capabilities="cap_kil+ep"', "bad-capabilities", "did you mean 'cap_kill'?"),
        ('mode="0755", capabilities="cap_kill"', "bad-capabilities", "write 'cap_kill+ep'"),
        ('mode="0755", capabilities=["cap_kill"]', "malformed-field", "must be str"),
        ('mode="4755", capabilities="cap_kill+ep"', "bad-capabilities", "is setuid"),
        ('mode="0755", xattrs=[("trusted.x", "1")]', "bad-xattr", "overlayfs"),
        ('mode="0755", xattrs={"user.x": "1"}', "malformed-field", "list[tuple[str, str]]"),
    ],
)
def test_what_no_file_can_have_is_refused_before_anything_is_built(
    greeting: Project, fields: str, reason: str, said: str
) -> None:
    permit(greeting, fields)
    refused(greeting.run(), reason, said)
