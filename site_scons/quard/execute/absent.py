"""Names of a board that a source lacks: of default configurations and of device trees.

The messages are those of Kbuild, which u-boot, busybox and barebox have as well, and of make.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from quard.base.names import nearest

_NO_RULE = re.compile(rb"No rule to make target '([^'\0\n]+)'")
_NO_CONFIG = re.compile(rb"Can't find default configuration \"([^\"\0\n]+)\"")
_CONFIG = "config"
_SOURCES = {".dtb": ".dts", ".dtbo": ".dtso"}
_SHOWN = 5


def absent(argv: Sequence[str], log: bytes, src: Path) -> tuple[str, str, str] | None:
    """Return the reason, what is missing, and a hint, if make lacks what the board names.

    argv -- the command that failed
    log  -- its output
    src  -- the source folder
    """
    paths = [found.decode(errors="replace") for found in _NO_RULE.findall(log)]
    for word in argv[1:]:
        ending = word[word.rfind(".") :]
        for path in paths if ending in _SOURCES else ():
            if path == word or path.endswith(f"/{word}"):
                folder = path.removesuffix(word)
                return _tree(word, folder, _trees(src, folder, ending))
    configs = [found.decode(errors="replace") for found in _NO_CONFIG.findall(log)]
    last = argv[-1]
    if last.endswith(_CONFIG) and (last in paths or configs):
        found = _inside(src, os.path.dirname(configs[0]) if configs else "configs")
        known = sorted(path.name for path in found.glob("*")) if found else ()
        return _said(
            "unknown-defconfig", f"the source has no default configuration {last}", last, known
        )
    return None


def _tree(word: str, folder: str, known: Iterable[str]) -> tuple[str, str, str]:
    return _said("unknown-device-tree", f"the source has no {word} in {folder}", word, known)


def _trees(src: Path, folder: str, ending: str) -> list[str]:
    """Return the device trees in a folder, by the names that make has for their blobs."""
    place = _inside(src, folder)
    if place is None:
        return []
    found = place.rglob(f"*{_SOURCES[ending]}")
    return sorted(str(path.relative_to(place).with_suffix(ending)) for path in found)


def _inside(src: Path, folder: str) -> Path | None:
    """Return a folder of the source that a log names; None if it is elsewhere or not there."""
    place = src / folder
    real = Path(os.path.realpath(place))
    return place if real.is_dir() and real.is_relative_to(os.path.realpath(src)) else None


def _said(reason: str, text: str, word: str, known: Iterable[str]) -> tuple[str, str, str]:
    near = nearest(word, known, count=_SHOWN)
    if not near:
        return reason, text, "correct the name in the board's file"
    return reason, f"{text}\nit has: {', '.join(near)}", f"did you mean {near[0]!r}?"
