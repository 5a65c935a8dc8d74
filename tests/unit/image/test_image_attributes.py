"""Capabilities and other extended attributes, from a permission into each format of an image."""

from __future__ import annotations

import json
import struct
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import image_parts as parts
import pytest

from quard.base.errors import QuardError
from quard.image import tarimage
from quard.image.content import Content
from quard.image.ext4 import ext4, size_errors
from quard.image.overlay import scan
from quard.image.rootfs import RootfsJob, assemble, vet
from quard.image.roottar import RootTar
from quard.image.squashfs import squashfs
from quard.image.tree import Node
from quard.model import Permission

SBIN = "/usr/sbin:/sbin:/usr/bin:/bin"
CAPABILITY = "security.capability"
SETUID_AND_RAW = struct.pack("<5I", 0x02000001, 1 << 13 | 1 << 7, 0, 0, 0)
"""cap_setuid,cap_net_raw+ep: one of its bytes is no text."""
VALUES = {
    CAPABILITY: SETUID_AND_RAW,
    "security.other": b"\0\n\xff=",
    "user.empty": b"",
    "user.text": b"some text",
}
ALL = tuple(sorted(VALUES.items()))
LARGE = (("user.large", b"z" * 4036),)
LONG = "d" * 120 + "/\u017e"
HOLES = bytes(3 << 20) + b"end"


def file(attributes: tuple[tuple[str, bytes], ...], data: bytes = b"x") -> Node:
    return Node("file", 0o755, content=Content(len(data), data), attributes=attributes)


@pytest.fixture
def nodes(tmp_path: Path) -> dict[str, Node]:
    """Nodes with attributes: of two names, a long one, with holes, a folder; and one without."""
    (tmp_path / "holes").write_bytes(b"start" + HOLES)
    holes = Content(5 + len(HOLES), path=tmp_path / "holes")
    shared = file(ALL)
    return {
        "a1": shared,
        "a2": shared,
        LONG.partition("/")[0]: Node("directory", 0o755),
        LONG: file(ALL),
        "folder": Node("directory", 0o755, attributes=(("user.text", b"of a folder"),)),
        "holes": Node("file", 0o755, content=holes, attributes=ALL),
        "large": file(LARGE),
        "plain": file(()),
    }


def tool(*argv: str) -> str:
    env = {"PATH": SBIN, "LC_ALL": "C.UTF-8", "TZ": "UTC", "PAGER": "cat"}
    done = subprocess.run(argv, env=env, check=False, capture_output=True)
    assert done.returncode == 0, done
    return done.stdout.decode(errors="surrogateescape")


def attributes(tar: Path) -> dict[str, tuple[tuple[str, bytes], ...]]:
    """Return what Python's tarfile reads, by path."""
    key = "SCHILY.xattr."
    with tarfile.open(tar) as opened:
        return {
            member.name: tuple(
                sorted(
                    (name.removeprefix(key), text.encode("utf-8", "surrogateescape"))
                    for name, text in member.pax_headers.items()
                    if name.startswith(key)
                )
            )
            for member in opened
        }


def test_tar_has_them_at_the_first_path_of_each_file(
    nodes: dict[str, Node], tmp_path: Path
) -> None:
    tarimage.write(nodes, tmp_path / "t.tar")
    found = attributes(tmp_path / "t.tar")
    wanted = {".": (), **{path: node.attributes for path, node in nodes.items()}, "a2": ()}
    assert found == wanted
    back = {path: node.attributes for path, (node, _) in tarimage.read(tmp_path / "t.tar").items()}
    assert back == {path: node.attributes for path, node in nodes.items()}


def test_tar_keeps_names_and_contents_of_files_with_attributes(
    nodes: dict[str, Node], tmp_path: Path
) -> None:
    tarimage.write(nodes, tmp_path / "t.tar")
    (tmp_path / "out").mkdir()
    tool("tar", "-xf", str(tmp_path / "t.tar"), "-C", str(tmp_path / "out"))
    assert (tmp_path / "out/holes").read_bytes() == b"start" + HOLES
    assert (tmp_path / "out" / LONG).read_bytes() == b"x"
    assert (tmp_path / "out/a1").stat().st_nlink == 2
    shown = tool("tar", "--xattrs", "--xattrs-include=*", "-tvvf", str(tmp_path / "t.tar"))
    assert f"x: {len(SETUID_AND_RAW)} {CAPABILITY}" in shown


def test_nodes_without_attributes_have_the_bytes_that_tarfile_gives_them(
    nodes: dict[str, Node], tmp_path: Path
) -> None:
    for node in nodes.values():
        node.attributes = ()
    tarimage.write(nodes, tmp_path / "t.tar")
    with tarfile.open(tmp_path / "t.tar") as opened:
        members = opened.getmembers()
    assert {m.name for m in members if any("xattr" in key for key in m.pax_headers)} == set()
    assert b"SCHILY" not in (tmp_path / "t.tar").read_bytes()


@pytest.mark.parametrize("size", range(80, 104))
def test_length_of_a_record_counts_its_own_digits(size: int, tmp_path: Path) -> None:
    value = b"v" * size
    tarimage.write({"a": file((("user.x", value),))}, tmp_path / "t.tar")
    assert attributes(tmp_path / "t.tar")["a"] == (("user.x", value),)


def test_ext4_has_them_and_the_checker_finds_nothing(
    nodes: dict[str, Node], tmp_path: Path
) -> None:
    tarimage.write(nodes, tmp_path / "t.tar")
    image = tmp_path / "i.ext4"
    ext4(RootTar(tmp_path / "t.tar"), image, size_mib=None, label="rootfs")
    assert "Pass 5" in tool("e2fsck", "-f", "-n", str(image))
    for path, node in nodes.items():
        listed = tool("debugfs", "-R", f'ea_list "/{path}"', str(image))
        assert listed.count(" (") == len(node.attributes), (path, listed)
        for name, value in node.attributes:
            out = tmp_path / "value"
            tool("debugfs", "-R", f'ea_get -f {out} "/{path}" {name}', str(image))
            assert out.read_bytes() == value, (path, name)


def test_ext4_has_room_for_blocks_of_attributes(tmp_path: Path) -> None:
    many = {f"f{number:03}": file(LARGE) for number in range(1500)}
    assert [error.reason for error in size_errors(many, 11)] == ["image-too-small"]
    assert list(size_errors(many, 12)) == []
    few = {path: file(ALL[:1]) for path in many}
    assert list(size_errors(few, 8)) == []
    tarimage.write(many, tmp_path / "t.tar")
    ext4(RootTar(tmp_path / "t.tar"), tmp_path / "i.ext4", size_mib=None, label="rootfs")
    assert "Pass 5" in tool("e2fsck", "-f", "-n", str(tmp_path / "i.ext4"))


def test_squashfs_has_them(nodes: dict[str, Node], tmp_path: Path) -> None:
    tarimage.write(nodes, tmp_path / "t.tar")
    squashfs(RootTar(tmp_path / "t.tar"), tmp_path / "s")
    with (tmp_path / "back.tar").open("wb") as back:
        subprocess.run(["sqfs2tar", str(tmp_path / "s")], stdout=back, check=True)
    found = attributes(tmp_path / "back.tar")
    assert found["large"] == LARGE and found["plain"] == ()
    for path in (LONG, "folder", "holes"):
        assert found[path] == nodes[path].attributes, path
    assert {found["a1"], found["a2"]} == {(), ALL}


def test_same_nodes_give_the_same_bytes_elsewhere(nodes: dict[str, Node], tmp_path: Path) -> None:
    made = []
    for folder in (tmp_path / "one", tmp_path / "deep/two"):
        folder.mkdir(parents=True)
        tarimage.write(nodes, folder / "t.tar")
        ext4(RootTar(folder / "t.tar"), folder / "e", size_mib=None, label="rootfs")
        squashfs(RootTar(folder / "t.tar"), folder / "s")
        made.append([(folder / name).read_bytes() for name in ("t.tar", "e", "s")])
    assert made[0] == made[1]


ROW = '[[permission]]\npath = "/usr/bin/tool"\nmode = "0755"\n'
CAPABLE = ROW + 'capabilities = "cap_net_raw+ep"\nxattrs = { "user.origin" = "here" }\n'
TOOL: Mapping[str, Any] = {
    "usr/bin/tool": (b"\x7fELX", 0o755),
    "usr/bin/script": (b"#!/bin/sh\n", 0o755),
}


def spec(folder: Path, table: str = "", **changes: Any) -> RootfsJob:
    return parts.spec(
        folder, {"one": TOOL}, system=parts.system(folder, parts.BASE + table), **changes
    )


def refused(wanted: RootfsJob, folder: Path) -> QuardError:
    with pytest.raises(QuardError) as caught:
        assemble(wanted, folder / "tar", folder / "json")
    assert not (folder / "tar").exists() and not (folder / "json").exists()
    return caught.value


def row(path: str, given: str) -> tuple[tuple[str, Permission], ...]:
    return (("one", Permission(path, "0755", capabilities=given)),)


def entry(wanted: RootfsJob, folder: Path, path: str = "/usr/bin/tool") -> dict[str, Any]:
    assemble(wanted, folder / "tar", folder / "json")
    found: dict[str, Any] = json.loads((folder / "json").read_text())[path]
    return found


def test_rows_of_a_table_reach_tar_and_manifest(tmp_path: Path) -> None:
    found = entry(spec(tmp_path, CAPABLE), tmp_path)
    assert found["capabilities"] == "cap_net_raw=ep"
    assert found["xattrs"] == {"user.origin": "here"}
    of_tool = dict(attributes(tmp_path / "tar")["usr/bin/tool"])
    assert of_tool == {
        CAPABILITY: struct.pack("<5I", 0x02000001, 1 << 13, 0, 0, 0),
        "user.origin": b"here",
    }


def test_paths_without_attributes_have_no_such_key_in_the_manifest(tmp_path: Path) -> None:
    found = entry(spec(tmp_path, CAPABLE), tmp_path, "/usr/bin/script")
    assert {"capabilities", "xattrs"} & found.keys() == set()


def test_permissions_of_recipes_reach_the_file_that_an_overlay_has_in_its_place(
    tmp_path: Path,
) -> None:
    (tmp_path / "over/usr/bin").mkdir(parents=True)
    (tmp_path / "over/usr/bin/tool").write_bytes(b"another")
    overlay = scan("over", tmp_path / "over")
    wanted = spec(tmp_path, permissions=row("/usr/bin/tool", "cap_kill+ep"), overlays=(overlay,))
    found = entry(wanted, tmp_path)
    assert found["package"] == "over" and found["capabilities"] == "cap_kill=ep"


def test_last_row_for_a_path_decides_all_of_it(tmp_path: Path) -> None:
    wanted = spec(tmp_path, ROW, permissions=row("/usr/bin/tool", "cap_kill+ep"))
    assert "capabilities" not in entry(wanted, tmp_path)


def test_a_program_with_capabilities_is_kept_with_its_folder_alone(tmp_path: Path) -> None:
    kept = spec(tmp_path, CAPABLE, persistent=("/usr/bin",))
    assert entry(kept, tmp_path)["capabilities"] == "cap_net_raw=ep"
    (tmp_path / "tar").unlink()
    (tmp_path / "json").unlink()
    error = refused(spec(tmp_path, CAPABLE, persistent=("/usr/bin/tool",)), tmp_path)
    assert error.reason == "bad-persistent"
    assert "names /usr/bin/tool, which has capabilities or other attributes" in error.message


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/usr/bin", "gives capabilities to /usr/bin, which is a folder, not a program"),
        ("/dev/console", "which is a device, not a program"),
        ("/usr/bin/script", "is a script: the kernel ignores capabilities of scripts"),
        ("/usr/bin/*", "gives capabilities to /usr/bin/script"),
    ],
)
def test_capabilities_of_anything_but_programs_are_refused(
    path: str, text: str, tmp_path: Path
) -> None:
    error = refused(spec(tmp_path, permissions=row(path, "cap_kill+ep")), tmp_path)
    assert error.reason == "unfit-file"
    assert "a permission of package one" in error.message and text in error.message


def test_attributes_of_devices_are_refused(tmp_path: Path) -> None:
    named = (("one", Permission("/dev/console", "0600", xattrs=(("user.x", "1"),))),)
    error = refused(spec(tmp_path, permissions=named), tmp_path)
    assert error.reason == "unfit-file"
    assert "gives attributes to /dev/console, which is neither a file nor a folder" in error.message


def test_permission_for_a_link_names_what_it_leads_to(tmp_path: Path) -> None:
    links = {"usr/bin/ping": "busybox", "usr/bin/busybox": (b"x", 0o755)}
    wanted = parts.spec(tmp_path, {"one": links}, permissions=row("/bin/ping", "cap_net_raw+ep"))
    error = refused(wanted, tmp_path)
    assert error.reason == "permission-unused"
    assert "is for /bin/ping, which is a link to busybox" in error.message


def test_format_without_attributes_is_refused_with_the_paths(tmp_path: Path) -> None:
    wanted = spec(tmp_path, CAPABLE, formats=("ext4", "cpio.gz"))
    error = refused(wanted, tmp_path)
    assert "no-init" in error.block() or "/init" in error.block()
    assert "cpio.gz cannot hold the capabilities and attributes of /usr/bin/tool" in error.block()
    assert entry(spec(tmp_path, CAPABLE, formats=("ext4", "squashfs")), tmp_path)


def test_format_without_attributes_is_refused_before_anything_is_built(tmp_path: Path) -> None:
    (tmp_path / "over/usr/bin").mkdir(parents=True)
    (tmp_path / "over/usr/bin/tool").write_bytes(b"program")
    (tmp_path / "over/usr/bin/tool").chmod(0o755)
    overlays = (scan("over", tmp_path / "over"),)
    with pytest.raises(QuardError) as caught:
        vet(spec(tmp_path, CAPABLE, formats=("cpio.gz",), overlays=overlays))
    assert caught.value.reason == "image-attributes"
    assert "image.formats" in caught.value.hint and "[[permission]]" in caught.value.hint
    assert vet(spec(tmp_path, CAPABLE, formats=("squashfs",), overlays=overlays)) == ()
