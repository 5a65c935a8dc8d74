"""What a package's pkg-config files name: folders with headers and with shared data, and modules.

A module is what pkg-config finds by a name: the file NAME.pc, or one with NAME in `Provides`.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from quard.base.record import Record, record

_VARIABLE = re.compile(r"([\w.]+)[ \t]*=[ \t]*(.*)")
_CFLAGS = re.compile(r"C[Ff]lags(?:\.private)?[ \t]*:(.*)")
_REQUIRES = re.compile(r"Requires(?:\.private)?[ \t]*:(.*)", re.IGNORECASE)
_PROVIDES = re.compile(r"Provides[ \t]*:(.*)", re.IGNORECASE)
_MODULE = re.compile(r"([^\s,]+)(?:\s+(?:[<>!]=|[<>=])\s*[^\s,]+)?")
"""A module in a list, with the condition on its version that may follow it. Without a space before
the condition, pkg-config takes all of it for the name.
"""
_BUILT_IN = frozenset(("pkg-config", "pkgconf"))
"""The modules that pkg-config has without a file."""
_SEARCHED = re.compile(r"usr/(?:lib|share)/pkgconfig/([^/]+)\.pc\Z")
"""The files that builds find, see quard.execute.sysroot."""
_REFERENCE = re.compile(r"\$\{([\w.]+)\}")
_INCLUDE = re.compile(r"(?:-I|-isystem[ \t]+)[ \t]*(\"[^\"]*\"|'[^']*'|\S+)")
_HERE = "pcfiledir"
"""The variable that every file has: its own folder."""
_NESTED = 20
"""Limit for variables within variables, because of those that refer to themselves."""
_SHARED = "usr/share/"
_COMMON = frozenset(("", "usr", "usr/bin", "usr/lib", "usr/libexec", "usr/sbin", "usr/share"))
"""Folders that all packages share: a search in them says nothing about the other files there."""


@record
class Folders(Record):
    """Paths below the staging folder, without a leading slash.

    headers -- folders that a dependant's compiler searches
    data    -- folders below usr/share that a variable names, such as wayland-protocols' pkgdatadir
    """

    headers: frozenset[str]
    data: frozenset[str]


def folders(stage: Path, files: Iterable[str]) -> Folders:
    """Return the folders in a package's pkg-config files; links and non-text files are ignored."""
    headers: set[str] = set()
    data: set[str] = set()
    for path in files:
        text = _text(stage / path)
        variables = _variables(text, path)
        for flags in _CFLAGS.findall(text):
            headers |= set(_paths(_INCLUDE.findall(_expanded(flags, variables))))
        values = (text for name, text in variables.items() if name != _HERE)
        named = _paths(_expanded(value, variables) for value in values)
        data |= {value for value in named if value.startswith(_SHARED)}
    return Folders(frozenset(headers) - _COMMON, frozenset(data))


def modules(root: Path, files: Iterable[str]) -> frozenset[str]:
    """Return the modules that pkg-config finds in these files below a folder."""
    found: set[str] = set()
    for path in files:
        if match := _SEARCHED.match(path):
            found |= {match[1], *_listed(_PROVIDES, root / path, path)}
    return frozenset(found)


def required(root: Path, files: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
    """Return the modules without which pkg-config refuses each of these files: path -> names.

    Those in `Requires.private` count: pkg-config reads their files for the compiler's flags.
    """
    found = {}
    for path in files:
        if _SEARCHED.match(path):
            found[path] = tuple(sorted({*_listed(_REQUIRES, root / path, path)} - _BUILT_IN))
    return found


def _listed(field: re.Pattern[str], place: Path, path: str) -> Iterator[str]:
    """Yield the modules that a field of a file lists."""
    text = _text(place)
    variables = _variables(text, path)
    for line in text.splitlines():
        if match := field.match(line.partition("#")[0].strip()):
            names = _REFERENCE.sub("", _expanded(match[1], variables))
            yield from _MODULE.findall(names)


def _text(place: Path) -> str:
    """Return the text of a file, with continued lines joined; a link and other types have none."""
    if place.is_symlink() or not place.is_file():
        return ""
    return place.read_text(encoding="utf-8", errors="replace").replace("\\\n", " ")


def _variables(text: str, path: str) -> Mapping[str, str]:
    found = {_HERE: f"/{posixpath.dirname(path)}"}
    for line in text.splitlines():
        if match := _VARIABLE.match(line.strip()):
            found[match[1]] = match[2].strip()
    return found


def _expanded(text: str, variables: Mapping[str, str]) -> str:
    for _ in range(_NESTED):
        new = _REFERENCE.sub(lambda match: variables.get(match[1], match[0]), text)
        if new == text:
            return text
        text = new
    return text


def _paths(values: Iterable[str]) -> Iterator[str]:
    """Yield the absolute paths among values."""
    for value in values:
        plain = value.strip("\"'")
        if plain.startswith("/") and "$" not in plain:
            yield posixpath.normpath(plain).lstrip("/")
