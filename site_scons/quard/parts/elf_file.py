"""Opening ELF files: mapping them, and one error for every malformed file."""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from quard.base.errors import QuardError
from quard.parts.elf_view import View


@contextmanager
def mapped(path: Path, offset: int = 0, size: int | None = None) -> Iterator[View]:
    """Map a file, or `size` bytes of it; parse errors in the block become `bad-elf`."""
    start = offset - offset % mmap.ALLOCATIONGRANULARITY
    length = 0 if size is None else offset - start + size
    with (
        understood(str(path)),
        path.open("rb") as file,
        mmap.mmap(file.fileno(), length, access=mmap.ACCESS_READ, offset=start) as data,
        memoryview(data) as whole,
        whole[offset - start :][:size] as window,
    ):
        yield View(window)


@contextmanager
def understood(place: str) -> Iterator[None]:
    """Turn parse errors in the block into `bad-elf`."""
    try:
        yield
    except (struct.error, ValueError, LookupError, OverflowError) as error:
        raise QuardError(
            f"malformed ELF file: {place.rpartition('/')[2]}",
            detail=f"{place}: {error}",
            reason="bad-elf",
            hint="the build left a damaged file; look for a full disk or an interrupted linker",
        ) from error
