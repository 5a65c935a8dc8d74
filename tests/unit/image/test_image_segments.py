"""Compressed segments that are kept from one image to the next."""

from __future__ import annotations

import gzip
import io
import random
import subprocess
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import image_parts as parts
import pytest

from quard.base.errors import QuardError
from quard.image import segments as module
from quard.image.kept import Kept
from quard.image.segments import Segment, Segments

PARTS = [random.Random(n).choices((b"abc", b"de", b"\n"), k=20_000) for n in range(6)]


class Writer:
    """Writes gzip files, and counts what is compressed for them."""

    def __init__(self, folder: Path, made_by: str = "gzip") -> None:
        self.folder = folder
        self.compressed = 0
        self._scratch = folder.parent / "scratch"
        self.segments = Segments(Kept(folder), made_by, self._gzip, Path("source"))

    def _gzip(self, files: Sequence[Path], made: Path) -> None:
        self.compressed += len(files)
        with made.open("wb") as out:
            for file in files:
                subprocess.run(("gzip", "-n", "-c", "-5", file), stdout=out, check=True)

    def write(self, parts: Sequence[Sequence[bytes]]) -> tuple[bytes, int]:
        """Return the file, and how many segments were compressed."""
        self._scratch.mkdir(parents=True, exist_ok=True)
        before, out = self.compressed, io.BytesIO()
        self.segments.write([Segment(partial(pieces, part)) for part in parts], out, self._scratch)
        assert gzip.decompress(out.getvalue()) == b"".join(map(b"".join, parts))
        return out.getvalue(), self.compressed - before


def pieces(part: Sequence[bytes]) -> Iterator[bytes]:
    return iter(part)


def scratch(folder: Path, parts: Sequence[Sequence[bytes]]) -> bytes:
    return Writer(folder / "scratch-made" / "kept").write(parts)[0]


def test_only_what_changed_is_compressed_again(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "kept")
    assert writer.write(PARTS)[1] == len(PARTS)
    assert writer.write(PARTS)[1] == 0
    other = [*PARTS[:2], [b"other"], *PARTS[3:]]
    made, count = writer.write(other)
    assert count == 1
    assert made == scratch(tmp_path, other)
    made, count = writer.write(PARTS[1:])
    assert count == 1, "what the last image did not have is not kept"
    assert made == scratch(tmp_path, PARTS[1:])


def test_a_segment_that_is_there_twice_is_compressed_once(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "kept")
    assert writer.write([PARTS[0], PARTS[1], PARTS[0]])[1] == 2


def test_another_gzip_compresses_everything_again(tmp_path: Path) -> None:
    Writer(tmp_path / "kept").write(PARTS)
    assert Writer(tmp_path / "kept", "another gzip").write(PARTS)[1] == len(PARTS)


@pytest.mark.parametrize("how", parts.DAMAGE)
def test_a_damaged_segment_is_made_again(tmp_path: Path, how: str) -> None:
    writer = Writer(tmp_path / "kept")
    made, _ = writer.write(PARTS)
    path = sorted(writer.folder.iterdir())[0]
    parts.damage(path, how)
    assert writer.write(PARTS) == (made, 1)


def test_an_interrupted_run_leaves_nothing_that_stays(tmp_path: Path) -> None:
    writer = Writer(tmp_path / "kept")
    made, _ = writer.write(PARTS)
    (writer.folder / "0123.77.part").write_bytes(b"a killed run's")
    assert writer.write(PARTS) == (made, 0)
    assert len(list(writer.folder.iterdir())) == len(PARTS)


def test_batches_give_the_same_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, _ = Writer(tmp_path / "kept").write(PARTS)
    for name, value in (("_BATCH", 50_000), ("_MOST_FILES", 1)):
        with monkeypatch.context() as patched:
            patched.setattr(module, name, value)
            assert Writer(tmp_path / name).write(PARTS) == (whole, len(PARTS))


def test_too_few_gzip_files_are_refused(tmp_path: Path) -> None:
    def one_of_them(files: Sequence[Path], made: Path) -> None:
        with made.open("wb") as out:
            subprocess.run(("gzip", "-n", "-c", files[0]), stdout=out, check=True)

    segments = Segments(Kept(tmp_path / "kept"), "gzip", one_of_them, tmp_path)
    with pytest.raises(QuardError) as caught:
        segments.write([Segment(partial(pieces, part)) for part in PARTS], io.BytesIO(), tmp_path)
    assert caught.value.reason == "image-tool"
