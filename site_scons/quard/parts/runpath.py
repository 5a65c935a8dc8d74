"""Making the run path of a program relative to the program itself."""

from __future__ import annotations

import posixpath
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from quard.base.errors import QuardError
from quard.parts.elf import DT_RPATH, DT_RUNPATH
from quard.parts.elf_file import mapped
from quard.parts.elf_view import MAGIC, View
from quard.parts.stage import separate


def relative_rpath(place: Path, path: str, roots: Sequence[str]) -> bool:
    """Replace the folders below `roots` in a file's run paths; return whether there were any.

    path -- of the file below the staging folder, whose usr is that of each root
    The new text takes the place of the old one, from its start: the linker may use the end of the
    old one as another string, which therefore stays (ld merges strings that end alike).
    Raises QuardError: rpath if the new text is longer, bad-elf.
    """
    changes: list[tuple[int, bytes]] = []
    with mapped(place) as view:
        for offset, old in _run_paths(view):
            new = _relative(old, posixpath.dirname(path), roots)
            if len(new) > len(old):
                raise QuardError(
                    f"there is no room for a relative run path: {path}",
                    detail=f"{old}\n{new}",
                    reason="rpath",
                    hint="link it with the compiler of the build, or without -rpath",
                )
            if new != old:
                changes.append((offset, new.encode() + b"\0" * (len(new) < len(old))))
    mode = stat.S_IMODE(place.stat().st_mode)
    with place.open("r+b") as file:
        for offset, text in changes:
            file.seek(offset)
            file.write(text)
    place.chmod(mode)  # writing clears setuid
    return bool(changes)


def separate_folders(stage: Path, paths: Sequence[str], roots: Sequence[str]) -> None:
    """Give each folder its own copy of a file with run paths below `roots`.

    The way from there differs from folder to folder. Names in one folder stay links to one file.
    """

    def folder(path: str) -> str:
        return posixpath.dirname(path) if _has_run_path_below(stage / path, roots) else ""

    separate(stage, paths, folder)


def _has_run_path_below(place: Path, roots: Sequence[str]) -> bool:
    """Return whether an ELF file has a run path below `roots`."""
    with place.open("rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            return False
    try:
        with mapped(place) as view:
            return any(_relative(text, ".", roots) != text for _, text in _run_paths(view))
    except QuardError:
        return False  # damaged: reported when it is stripped


def _run_paths(view: View) -> Iterator[tuple[int, str]]:
    """Yield the offset and the text of each run path in a file."""
    entries = list(view.dynamic())
    start, end = view.dynamic_strings(entries)
    for tag, value in entries:
        if tag in (DT_RPATH, DT_RUNPATH):
            text = bytes(view.span(start + value, end - start - value)).partition(b"\0")[0]
            yield start + value, text.decode(errors="surrogateescape")


def _relative(text: str, folder: str, roots: Sequence[str]) -> str:
    """Return a run path with the folders below `roots` relative to the file's folder."""
    found: dict[str, None] = {}
    for each in text.split(":"):
        plain = posixpath.normpath(each) if each else each
        root = next((root for root in roots if plain.startswith(f"{root}/")), None)
        if root is None:
            found[each] = None
            continue
        way = posixpath.relpath(plain[len(root) + 1 :], folder)
        found["$ORIGIN" if way == "." else f"$ORIGIN/{way}"] = None
    return ":".join(found)
