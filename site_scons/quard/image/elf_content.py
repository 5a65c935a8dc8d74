"""Reading ELF files of an image in place, inside their blobs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from quard.base.files import changed
from quard.image.content import Content
from quard.parts.elf_file import mapped, understood
from quard.parts.elf_view import View


@contextmanager
def opened_elf(content: Content) -> Iterator[View]:
    """Open the tables of an ELF file.

    Raises QuardError: bad-elf for parse errors, also inside the block; changed-while-building for
    a file that was truncated or removed.
    """
    if content.path is None or content.runs is not None:
        with understood("in memory"):
            yield View(content.read())
        return
    try:
        size = content.path.stat().st_size
    except FileNotFoundError:
        raise changed(content.path) from None
    if size < content.offset + content.size:
        raise changed(content.path)
    with mapped(content.path, content.offset, content.size) as view:
        yield view
