"""The input of an action as plain data."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from deb_parts import deb, file, link
from root_parts import Here

from quard.dispatch.folder import File, Folder, Link, named, of_system, text

EMPTY = hashlib.sha256(b"").hexdigest()


def test_folders_on_the_way_are_made() -> None:
    top = Folder()
    top.put("a/b/c", Link("d"))
    top.put("a/b/e", text(b""))
    inner = top.entries["a"]
    assert isinstance(inner, Folder) and list(inner.entries) == ["b"]
    assert list(top.files()) == [("a/b/e", File(EMPTY, 0, False, b""))]


def test_nothing_is_replaced() -> None:
    top = Folder()
    top.put("a", text(b""))
    with pytest.raises(ValueError, match="two entries a"):
        top.put("a", Folder())
    with pytest.raises(ValueError, match="a is no folder"):
        top.put("a/b", Folder())


def test_a_file_of_this_machine_has_its_hash(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"")
    assert named(path, executable=True) == File(EMPTY, 0, True, path)
    assert named(path, "ab").sha256 == "ab"


def test_a_system_is_what_its_listing_says(tmp_path: Path) -> None:
    here = Here(tmp_path)
    tools = here.mirror.add(
        "tools",
        deb(
            file("./usr/bin/tool", b"tool", 0o755),
            file("./usr/lib/data", b"data"),
            file("./usr/lib/more/data", b"data"),
            link("./usr/bin/other", "tool"),
        ),
    )
    system = here.roots.provide((tools,), {})
    found = of_system(system, ("usr/lib/more",))
    tool = system.folder / "usr/bin/tool"
    data = system.folder / "usr/lib/data"
    assert dict(found.files()) == {
        "usr/bin/tool": File(hashlib.sha256(b"tool").hexdigest(), 4, True, tool),
        "usr/lib/data": File(hashlib.sha256(b"data").hexdigest(), 4, False, data),
    }
    usr = found.entries["usr"]
    assert isinstance(usr, Folder)
    programs = usr.entries["bin"]
    assert isinstance(programs, Folder) and programs.entries["other"] == Link("tool")
