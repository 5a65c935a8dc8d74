"""What a source's Kconfig files say of a symbol that is not in the resulting configuration.

Only read after a line has vanished: linux has some two thousand of these files.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from quard.base.names import nearest

_FILES = re.compile(r"(Kconfig|Config\.(in|src))([._-].*)?\Z")
"""Names of the files in linux, u-boot and barebox, and in busybox."""
_CONFIG = re.compile(r"\s*(?:menu)?config\s+([A-Za-z0-9_]+)\s*(?:#.*)?$")
_DEPENDS = re.compile(r"\s+depends\s+on\s+([^#\s][^#]*)")
_CONTINUED = re.compile(r"\\\n\s*")
_BLANKS = re.compile(r"\s+")
_PREFIX = "CONFIG_"
_ALIKE = 0.8
_LARGEST = 1 << 20


def explain(src: Path, symbols: Iterable[str], arch: str = "") -> Mapping[str, str]:
    """Return for each of these symbols, CONFIG_X, why it may not be in a configuration.

    src  -- the source folder
    arch -- the only folder in `arch` that is read, if the source has it
    """
    wanted = {symbol.removeprefix(_PREFIX): symbol for symbol in symbols}
    known: dict[str, list[str]] = {}
    for path in sorted(_files(src, arch)):
        for name, depends in _definitions(path):
            known.setdefault(name, [])
            if name in wanted:
                known[name] += [each for each in depends if each not in known[name]]
    return {symbol: _said(name, known) for name, symbol in wanted.items()}


def _said(name: str, known: Mapping[str, list[str]]) -> str:
    if name not in known:
        near = nearest(name, known, alike=_ALIKE)
        return "no such option in this source" + (f"; like it: {_PREFIX}{near[0]}" if near else "")
    depends = " and ".join(f"({each})" for each in known[name])
    return (
        f"no such line: it depends on {depends}"
        if depends
        else "no such line: its menu is off, or only other options set it"
    )


def _files(src: Path, arch: str) -> Iterator[Path]:
    for place, folders, names in os.walk(src):
        folders[:] = [name for name in folders if not name.startswith(".")]
        if Path(place) == src / "arch" and arch in folders:
            folders[:] = [arch]
        yield from (Path(place, name) for name in names if _FILES.match(name))


def _definitions(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield each symbol that a file defines, with the conditions below it."""
    if path.is_symlink() or not path.is_file() or path.stat().st_size > _LARGEST:
        return
    name, depends = "", list[str]()
    text = path.read_text(encoding="utf-8", errors="replace")
    for line in _CONTINUED.sub(" ", text).splitlines():
        if match := _CONFIG.match(line):
            if name:
                yield name, depends
            name, depends = match[1], []
        elif match := _DEPENDS.match(line):
            depends.append(_BLANKS.sub(" ", match[1]).strip())
    if name:
        yield name, depends
