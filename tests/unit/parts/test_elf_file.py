"""Mapped ELF files, also within other files, and one error for malformed ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from elf_parts import shared_library

from quard.base.errors import QuardError
from quard.parts import elf
from quard.parts.elf_file import mapped, understood
from quard.parts.elf_view import View


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shared_library(tmp_path_factory.mktemp("library"))


@pytest.mark.parametrize("offset", [0, 1, 512, 4096, 70_001])
def test_a_file_within_another_is_read_in_its_place(
    tmp_path: Path, library: Path, offset: int
) -> None:
    data = library.read_bytes()
    whole = tmp_path / "whole"
    whole.write_bytes(b"x" * offset + data + b"y" * 5000)
    with mapped(whole, offset, len(data)) as view:
        inside = elf.frame(view)
    assert inside == elf.frame(View(data)) == elf.read(library)
    for size in (len(data) // 2, 0):
        with pytest.raises(QuardError) as caught, mapped(whole, offset, size) as view:
            elf.frame(view)
        assert caught.value.reason == "bad-elf"


def test_a_file_in_memory_that_is_malformed_is_the_same_error() -> None:
    for data in (b"", b"\x7fELF", b"\x7fELF" + bytes(200)):
        with pytest.raises(QuardError) as caught, understood("in memory"):
            elf.frame(View(data))
        assert caught.value.reason == "bad-elf"
