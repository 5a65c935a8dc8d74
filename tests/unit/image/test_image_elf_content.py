"""ELF files of an image, wherever their bytes lie."""

from __future__ import annotations

from pathlib import Path

import image_parts as parts
import pytest

from quard.base.errors import QuardError
from quard.image.content import Content
from quard.image.elf_content import opened_elf
from quard.parts import elf


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return parts.compile_c(tmp_path_factory.mktemp("elf"), "x", "int x = 1;", "-c")


def frame(content: Content) -> elf.Elf:
    with opened_elf(content) as view:
        return elf.frame(view)


def test_the_same_bytes_are_the_same_file_in_memory_in_a_blob_and_with_holes(
    tmp_path: Path, program: bytes
) -> None:
    blob = tmp_path / "blob"
    blob.write_bytes(b"x" * 512 + program + b"y" * 512)
    size = len(program)
    in_memory = frame(Content(size, program))
    assert in_memory.machine == "EM_RISCV"
    assert frame(Content(size, path=blob, offset=512)) == in_memory
    assert frame(Content(size, path=blob, offset=512, runs=((0, size),))) == in_memory


@pytest.mark.parametrize("offset", [0, 4096])
def test_an_empty_file_is_not_read_on_into_what_lies_behind_it(
    tmp_path: Path, program: bytes, offset: int
) -> None:
    blob = tmp_path / "blob"
    blob.write_bytes(b"x" * offset + program)
    with pytest.raises(QuardError) as caught:
        frame(Content(0, path=blob, offset=offset))
    assert caught.value.reason == "bad-elf"


def test_a_blob_that_is_cut_short_or_gone_is_no_damaged_program(
    tmp_path: Path, program: bytes
) -> None:
    blob = tmp_path / "blob"
    for data in (program[:-1], None):
        blob.unlink(missing_ok=True)
        if data is not None:
            blob.write_bytes(data)
        with pytest.raises(QuardError) as caught:
            frame(Content(len(program), path=blob))
        assert caught.value.reason == "changed-while-building"
