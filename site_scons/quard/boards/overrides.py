"""Reading what a board says about the builds of packages."""

from __future__ import annotations

import re
from collections.abc import Mapping

from quard.base.files import is_sha256
from quard.base.table import Table
from quard.boards import tables
from quard.boards.override import BLOBS, OWN_TREES, Override, Release, blob, file_name, is_own

_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+~_-]*\Z")
_COMMIT = re.compile(r"([0-9a-f]{40}|[0-9a-f]{64})\Z")
_TARGET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*\Z")
_INSIDE = re.compile(r"([A-Za-z0-9][A-Za-z0-9.,_+-]*/)*[A-Za-z0-9][A-Za-z0-9.,_+-]*\Z")


def overrides(given: Mapping[str, Table], tree: str, file: str) -> dict[str, Override]:
    """Take the tables about builds of packages: package -> what they say of it.

    given      -- the tables, by the board's keys
    tree, file -- of the board's file
    """
    sources, patches, files = given["sources"], given["patches"], given["files"]
    defconfigs, devicetrees = given["defconfigs"], given["devicetrees"]
    found = {}
    for name in sorted({name for table in given.values() for name in table.names()}):
        found[name] = Override(
            file=file,
            release=_release(sources.table(name)) if name in sources.names() else None,
            patches=_paths(patches, name, tree, (".patch",)),
            files=_paths(files, name, tree, ()),
            defconfig=_defconfig(defconfigs, name),
            devicetrees=_devicetrees(devicetrees, name, tree),
        )
    return found


def _release(table: Table) -> Release:
    found = Release(
        version=table.text("version", ""),
        address=table.text("address", ""),
        sha256=table.text("sha256", ""),
        size=table.number("size", 0),
        mirrors=table.texts("mirrors", ()),
        commit=table.text("commit", ""),
        tree=table.text("tree", ""),
        submodules=table.flag("submodules", False),
    )
    table.finish()
    if found.version and not _VERSION.match(found.version):
        raise table.error(
            "version", f"must be letters, digits and . + ~ _ -, not {found.version!r}"
        )
    if found.size < 0:
        raise table.error("size", "must not be negative")
    if found.commit:
        _check_commit(table, found)
    else:
        _check_archive(table, found)
    return found


def _check_commit(table: Table, found: Release) -> None:
    if not _COMMIT.match(found.commit):
        text = "must be the full name of a commit, 40 or 64 hexadecimal digits"
        raise table.error("commit", text, "a branch or tag moves: `git rev-parse` prints the name")
    if not found.address:
        raise table.error("address", "is missing", "give the address of the git repository")
    _check_digest(table, "tree", found.tree)
    for key in ("sha256", "size"):
        if getattr(found, key):
            raise table.error(key, "is for archives, and `commit` names a commit")


def _check_archive(table: Table, found: Release) -> None:
    for key in ("tree", "submodules"):
        if getattr(found, key):
            raise table.error(key, "is for a commit, and there is no `commit`")
    if not found.version and not found.address:
        text = "says nothing else than the recipe: give `version`, `address`, or both"
        raise table.error("sha256", text)
    if found.mirrors and not found.address:
        raise table.error("mirrors", "are those of `address`, which is missing")
    _check_digest(table, "sha256", found.sha256)


def _check_digest(table: Table, key: str, digest: str) -> None:
    hint = "docs/sources.md says how to get it"
    if not digest:
        raise table.error(key, "is missing: another source has another hash", hint)
    if not is_sha256(digest):
        raise table.error(key, f"must be 64 lower-case hexadecimal digits, not {digest!r}", hint)


def _paths(table: Table, name: str, tree: str, endings: tuple[str, ...]) -> tuple[str, ...]:
    found = tables.paths(table, name, tree, ())
    for place in found:
        if endings and not place.endswith(endings):
            raise table.error(name, f"must name files that end in {endings[0]}, not {place!r}")
    if not endings:
        _check_names(table, name, found)
    return found


def _check_names(table: Table, name: str, places: tuple[str, ...]) -> None:
    """Reject two files that have one name in the build."""
    known: Mapping[str, str] = {}
    for place in places:
        if other := known.get(file_name(place)):
            raise table.error(name, f"has two files with one name, {other} and {place}")
        known = {**known, file_name(place): place}


def _defconfig(table: Table, name: str) -> str:
    if name not in table.names():
        return ""
    found = table.text(name)
    if not _TARGET.match(found):
        hint = "docs/kernel-and-boot-loader.md says how to use a file of your own"
        raise table.error(name, f"must be a target of make, not {found!r}", hint)
    return found


def _devicetrees(table: Table, name: str, tree: str) -> tuple[str, ...]:
    found = []
    for entry in table.texts(name, ()):
        if is_own(entry):
            found.append(tables.path(table, name, tree, entry))
        elif entry.endswith(tuple(BLOBS.values())) and _INSIDE.match(entry):
            found.append(entry)
        else:
            hint = "`vendor/board.dtb` is made from the source, `board.dts` is a file of the tree"
            text = (
                f"must name .dtb or .dtbo of the source, or {', '.join(OWN_TREES)}, not {entry!r}"
            )
            raise table.error(name, text, hint)
    _check_names(table, name, tuple(found))
    blobs = [file_name(blob(entry)) for entry in found]
    for entry in found:
        if (one := file_name(blob(entry))) and blobs.count(one) > 1:
            raise table.error(name, f"makes {one} twice: they would be one file beside the images")
    return tuple(found)
