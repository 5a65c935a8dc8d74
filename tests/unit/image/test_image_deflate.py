"""Pieces compressed by gzip, joined to one gzip file."""

from __future__ import annotations

import gzip
import random
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

import checkout
from quard.base.errors import QuardError
from quard.image import deflate, inflate

WORDS = (b"abc ", b"hello", b"xyz\n")


def piece(chance: random.Random) -> bytes:
    """Return bytes of some kind: gzip makes stored, fixed and dynamic blocks of them."""
    size = chance.choice((0, 1, 5, 300, 40_000, 150_000))
    kinds = (
        lambda: bytes(size),
        lambda: chance.randbytes(size),
        lambda: b"".join(chance.choices(WORDS, k=size // 4)),
        lambda: chance.randbytes(size // 2) + bytes(size // 2),
    )
    return chance.choice(kinds)()


def zipped(folder: Path, pieces: list[bytes], level: int) -> Path:
    """Return a file with one gzip file for each piece."""
    paths = [folder / str(number) for number in range(len(pieces))]
    for path, content in zip(paths, pieces, strict=True):
        path.write_bytes(content)
    with (folder / "gz").open("wb") as out:
        argv = ("gzip", "--no-name", "--stdout", f"-{level}", *map(str, paths))
        subprocess.run(argv, stdout=out, check=True)
    return folder / "gz"


def joined(gz: Path, whole: bytes) -> bytes:
    with gz.open("rb") as file:
        streams = [bytes(stream) + tail for stream, tail in deflate.open_ended(file)]
    numbers = (zlib.crc32(whole), len(whole))
    return b"".join(
        (deflate.HEADER, *streams, deflate.END, *(n.to_bytes(4, "little") for n in numbers))
    )


@pytest.mark.parametrize("seed", range(40))
def test_joined_pieces_are_one_gzip_file_of_all_of_them(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    pieces = [piece(chance) for _ in range(chance.randrange(1, 5))]
    whole = b"".join(pieces)
    made = joined(zipped(tmp_path, pieces, chance.randrange(1, 10)), whole)
    # Only one member: after it there is nothing left, as the kernel wants it.
    reader = zlib.decompressobj(31)
    assert reader.decompress(made) == whole
    assert reader.eof and not reader.unused_data
    assert gzip.decompress(made) == whole


def test_other_programs_read_it(tmp_path: Path) -> None:
    pieces = [b"one\n" * 9000, random.Random(1).randbytes(70_000), b"", b"three\n"]
    made = joined(zipped(tmp_path, pieces, 5), b"".join(pieces))
    for argv in (("gzip", "-dc"), ("busybox", "gzip", "-dc")):
        assert subprocess.run(argv, input=made, stdout=-1, check=True).stdout == b"".join(pieces)


def broken(folder: Path, whole: bytes, how: str) -> bytes:
    match how:
        case "empty":
            return b""
        case "named":
            (folder / "name").write_bytes(b"text")
            return subprocess.run(("gzip", "-c", folder / "name"), stdout=-1, check=True).stdout
        case "truncated":
            return whole[: len(whole) // 2]
        case "another length":
            return whole[:-1] + b"\1"
        case "followed":
            return whole + b"more"
        case "a header alone":
            return deflate.HEADER
    raise AssertionError(how)


@pytest.mark.parametrize(
    "how", ["empty", "named", "truncated", "another length", "followed", "a header alone"]
)
def test_what_is_not_from_gzip_is_refused(tmp_path: Path, how: str) -> None:
    gz = zipped(tmp_path, [b"".join(random.Random(2).choices(WORDS, k=30_000))], 5)
    gz.write_bytes(broken(tmp_path, gz.read_bytes(), how))
    with gz.open("rb") as file, pytest.raises(QuardError) as caught:
        list(deflate.open_ended(file))
    assert caught.value.reason == "image-tool"


def test_a_missing_zlib_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inflate, "_LIBRARY", "libz-of-nobody.so.1")
    inflate._zlib.cache_clear()
    try:
        with zipped(tmp_path, [b"x"], 5).open("rb") as file, pytest.raises(QuardError) as caught:
            list(deflate.open_ended(file))
    finally:
        inflate._zlib.cache_clear()
    assert caught.value.reason == "tool-missing"
    assert "libz-of-nobody" in caught.value.detail and "zlib1g" in caught.value.hint


WITHOUT_CTYPES = """\
import sys
sys.modules["_ctypes"] = None  # as in a Python that was built without libffi
from quard.base.errors import QuardError
from quard.image import deflate, make
try:
    list(deflate.open_ended(open(sys.argv[1], "rb")))
except QuardError as error:
    print(error.reason, error.detail)
"""


def test_only_this_format_needs_a_python_with_ctypes(tmp_path: Path) -> None:
    argv = (sys.executable, "-c", WITHOUT_CTYPES, zipped(tmp_path, [b"x"], 5))
    env = {"PYTHONPATH": str(checkout.TOP / "site_scons")}
    done = subprocess.run(argv, env=env, stdout=-1, text=True, check=True)
    assert done.stdout.startswith("tool-missing ") and "_ctypes" in done.stdout
