"""Removing dynamic entries from an ELF file in place."""

from __future__ import annotations

import stat
from pathlib import Path

from quard.parts.elf import DF_TEXTREL, DT_FLAGS, DT_RPATH, DT_RUNPATH, DT_TEXTREL
from quard.parts.elf_file import mapped


def remove_rpath(path: Path) -> None:
    """Remove DT_RPATH and DT_RUNPATH from a file in place; the strings stay in its .dynstr.

    Raises QuardError `bad-elf`.
    """
    _rewrite(path, (DT_RPATH, DT_RUNPATH), 0)


def remove_textrel(path: Path) -> None:
    """Remove the flag for relocations in read-only memory from a file in place.

    Raises QuardError `bad-elf`.
    """
    _rewrite(path, (DT_TEXTREL,), DF_TEXTREL)


def _rewrite(path: Path, tags: tuple[int, ...], flags: int) -> None:
    """Remove dynamic entries from a file and bits from its DT_FLAGS.

    Later entries move up and the table is filled with DT_NULL, as chrpath(1) does.
    The mode is restored: writing as an ordinary user clears setuid.
    """
    mode = stat.S_IMODE(path.stat().st_mode)
    with mapped(path) as view:
        offset, size = view.dynamic_table()
        kept = [
            view.pack_dynamic(tag, value & ~flags if tag == DT_FLAGS else value)
            for tag, value in view.dynamic()
            if tag not in tags
        ]
    table = b"".join(kept)
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(table.ljust(size, b"\0"))
    path.chmod(mode)
