"""Targets, read from `configs/targets/TRIPLE.toml` of this checkout and of the product trees."""

from __future__ import annotations

import os
import re
from pathlib import Path

from quard.base.files import listed
from quard.base.names import NAME, unknown
from quard.base.table import Table, read
from quard.boards.trees import Trees, placed
from quard.target import ElfAbi, Target, processor, with_musl

_OWN = Path(__file__).resolve().parents[3]
_FOLDER = "configs/targets"
_REASON = "bad-target"
_GLIBC = re.compile(r"[a-z][a-z0-9_]*-linux-gnu[a-z0-9_]*")
_ARCH = re.compile(r"[a-z][a-z0-9_]*")
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:+-]*")
_FLAGS = re.compile(r"(-[^\s\"'\\`$;&|<>()]+( |\Z))*")
_LOADER = re.compile(r"/lib(64)?/[A-Za-z0-9._-]+")
_MACHINE = re.compile(r"EM_[A-Z0-9_]+")
_KEY = re.compile(r"[a-z][a-z_]*")
"""Form of a package's word, which placeholders name."""


def target(triple: str, trees: Trees | None = None) -> Target:
    """Return the target with a GNU triple, of glibc or musl.

    trees -- those whose targets count besides the ones of this checkout
    Raises QuardError: unknown-target, bad-target for a file with an unknown key or a wrong value.
    """
    glibc = triple.replace("-linux-musl", "-linux-gnu")
    file = f"{_FOLDER}/{glibc}.toml"
    place = trees.find(file) if trees else file
    path = trees.path(place) if trees else _OWN / file
    if place == file and not os.path.lexists(path):
        path = _OWN / file
    if not _GLIBC.fullmatch(glibc) or not os.path.lexists(path):
        raise unknown("target", triple, known(trees), f"add {_FOLDER}/TRIPLE.toml")
    found, musl_loader = _read(path, place, glibc)
    return found if triple == glibc else with_musl(found, musl_loader)


def known(trees: Trees | None) -> list[str]:
    """Return the triples of all targets, sorted."""
    glibc = {*Trees(_OWN).names(_FOLDER, ".toml"), *(trees or Trees(_OWN)).names(_FOLDER, ".toml")}
    return sorted(glibc | {name.replace("-linux-gnu", "-linux-musl") for name in glibc})


def tools(trees: Trees, tree: str) -> dict[str, tuple[str, ...]]:
    """Return the packages of cross compilers that the targets of one tree name, by their triples.

    tree -- name of a product tree, or "" for Quardroot's own
    Raises QuardError bad-target.
    """
    folder = trees.products[tree] if tree else trees.own
    found = {}
    for name in listed(folder / _FOLDER, ".toml"):
        triple = name.removesuffix(".toml")
        path = f"{_FOLDER}/{name}"
        one, _ = _read(folder / path, placed(tree, path), triple)
        if one.tools:
            found[triple] = one.tools
    return found


def _read(path: Path, shown: str, triple: str) -> tuple[Target, str]:
    """Return a file's target, and the loader of its programs with musl."""
    table = read(path, shown, _REASON)
    table.text("summary")
    glibc = Target(
        triple=triple,
        linux_arch=_text(table, "linux_arch", _ARCH),
        linux_image=_text(table, "linux_image", _WORD),
        gdb=_text(table, "gdb", _WORD),
        flags=_text(table, "flags", _FLAGS, ""),
        loader=_text(table, "loader", _LOADER),
        elf=_elf(table.table("elf")),
        words=_words(table.table("words")),
        file=shown,
        tools=_tools(table),
    )
    musl = _text(table, "musl_loader", _LOADER, f"/lib/ld-musl-{processor(triple)}.so.1")
    table.finish()
    return glibc, musl


def _elf(table: Table) -> ElfAbi:
    bits = table.number("bits")
    if bits not in (32, 64):
        raise table.error("bits", f"must be 32 or 64, not {bits}")
    mask, value = table.number("flags_mask", 0), table.number("flags", 0)
    for key, number in (("flags_mask", mask), ("flags", value)):
        if not 0 <= number < 1 << 32:
            raise table.error(key, f"must be a number of 32 bits, not {number}")
    if value & ~mask:
        raise table.error("flags", f"has bits that flags_mask has not: {value & ~mask:#x}")
    order = table.choice("order", ("little", "big"))
    found = ElfAbi(_text(table, "machine", _MACHINE), bits, order, (mask, value))
    table.finish()
    return found


def _tools(table: Table) -> tuple[str, ...]:
    """Take the names of the packages of the cross compiler."""
    found = table.texts("tools", ())
    for name in found:
        if not NAME.match(name):
            text = f"contains {name!r}, which is not a name that Debian allows"
            raise table.error("tools", text)
        if found.count(name) > 1:
            raise table.error("tools", f"contains {name} twice")
    return tuple(sorted(found))


def _words(table: Table) -> tuple[tuple[str, str], ...]:
    """Take the words for packages: [words] PACKAGE.WORD = "name"."""
    found = []
    for package in table.names():
        inner = table.table(package)
        for key in inner.names():
            if not _KEY.fullmatch(key):
                raise inner.error(key, "must have a name of the letters a to z and _")
            found.append((f"{package}.{key}", _text(inner, key, _WORD)))
    return tuple(found)


def _text(table: Table, key: str, form: re.Pattern[str], default: str | None = None) -> str:
    found = table.text(key, default)
    if not form.fullmatch(found):
        raise table.error(key, f"must be of the form {form.pattern}, not {found!r}")
    return found
