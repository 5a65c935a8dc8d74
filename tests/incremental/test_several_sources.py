"""Packages of several archives: one is the source tree, the others are folders in it."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from incremental.project import Project, ok
from incremental.test_bad_input import refused

CODE = '#include "lib/inner/value.h"\nint main(void) { return VALUE; }\n'


def add(project: Project, value: int, into: str = "lib/inner", name: str = "inner") -> Path:
    """Let `alone` have a second archive, which has a header; return the archive's path."""
    address, sha256 = project.archive(name, "1", {"value.h": f"#define VALUE {value}\n"})
    recipe = project.recipe("alone")
    text = recipe.read_text()
    start, end = text.index("    sources=[") + len("    sources=["), text.index("    license=")
    first = text[start:end].partition(")")[0]
    second = f'Source("{address}", sha256="{sha256}", provenance="the test", into="{into}")'
    recipe.write_text(f"{text[:start]}{first}), {second}],\n{text[end:]}")
    return project.sources / f"{name}-1.tar.xz"


@pytest.fixture
def nested(greeting: Project) -> Project:
    greeting.board(["alone", "libc"])
    greeting.program("alone", CODE)
    add(greeting, 0)
    return greeting


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_further_archive_is_a_folder_of_the_tree_and_is_recorded(nested: Project) -> None:
    ok(nested.run())
    record = json.loads((nested.folder / "out/tiny/units/alone.record.json").read_bytes())
    archive = nested.sources / "inner-1.tar.xz"
    assert record["archive"]["file"] == "alone-1.tar.xz"
    assert record["further"] == {"lib/inner": {"file": archive.name, "sha256": digest(archive)}}
    info = json.loads(ok(nested.run("info", "alone", "FORMAT=json")).out)
    assert info["further_sources"] == [f"lib/inner: {archive.as_uri()} (sha256 {digest(archive)})"]
    again = ok(nested.run())
    assert (again.built, again.summary["images"]) == ([], [])


def test_another_further_archive_rebuilds_the_package_and_says_why(nested: Project) -> None:
    ok(nested.run())
    add(nested, 1)
    assert nested.why("alone") == ["source in lib/inner changed"]
    assert ok(nested.run()).built == ["alone"]
    add(nested, 0)
    assert ok(nested.run()).summary["restored"] == ["alone"]


def test_all_archives_are_fetched_ahead_for_work_offline(nested: Project) -> None:
    assert ok(nested.run("-n", "source")).out == "sources to fetch\n  alone\n"
    ok(nested.run("source"))
    assert ok(nested.run("-n", "source")).out == "all sources are in the cache\n"
    shutil.rmtree(nested.sources)
    assert ok(nested.run("sources.offline=true")).built == ["alone", "libc"]


def test_a_missing_further_archive_is_an_error_that_names_it(nested: Project) -> None:
    ok(nested.run("source"))
    archive = add(nested, 2)
    archive.unlink()
    refused(nested.run("alone"), "no-source", "inner-1.tar.xz", "the source of alone")


def test_every_archive_is_verified(nested: Project) -> None:
    archive = nested.sources / "inner-1.tar.xz"
    archive.write_bytes(archive.read_bytes() + b"more")
    refused(nested.run("alone"), "hash-mismatch", "inner-1.tar.xz")
    assert not list(nested.cache.rglob("inner-1.tar.xz*"))


def test_a_folder_that_the_source_has_already_is_not_replaced(nested: Project) -> None:
    files = {"lib/inner/value.h": "#define VALUE 7\n", "alone.c": CODE}
    nested.source("alone", files)
    add(nested, 0)
    refused(nested.run("alone"), "source-in-the-way", "the source has lib/inner already")


def test_a_link_in_place_of_the_folder_is_not_followed(nested: Project) -> None:
    add(nested, 0, into="COPYING")
    refused(nested.run("alone"), "source-in-the-way", "the source has COPYING already")


def test_a_local_tree_replaces_the_source_tree_alone(nested: Project) -> None:
    tree = nested.folder.parent / "checkout"
    tree.mkdir()
    (tree / "alone.c").write_text(CODE.replace("VALUE; }", "VALUE + 0; }"))
    (tree / "Makefile").write_text("alone: alone.c\n\t$(CC) $(CFLAGS) -o $@ alone.c\n")
    override = f"override.alone={tree}"
    (nested.sources / "alone-1.tar.xz").unlink()
    assert ok(nested.run(override)).built == ["alone", "libc"]
    (tree / "alone.c").write_text(CODE)
    assert ok(nested.run(override)).built == ["alone"]


@pytest.mark.parametrize("into", ["../outside", "/usr", "a/../b", ""])
def test_a_folder_outside_of_the_tree_is_refused(nested: Project, into: str) -> None:
    add(nested, 0, into=into)
    refused(nested.run(), "bad-into", "packages/alone/recipe.py: sources: ")
