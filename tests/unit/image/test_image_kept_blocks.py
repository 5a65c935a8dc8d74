"""Compressed blocks of rootfs.squashfs: which are made again, and that none changes the image."""

from __future__ import annotations

import random
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import image_parts as parts
import pytest

from quard.base.errors import QuardError
from quard.image import blocks as module
from quard.image import tarimage, tools
from quard.image.content import Content
from quard.image.kept import Kept
from quard.image.lent import Lent
from quard.image.packing import SIZE
from quard.image.roottar import RootTar
from quard.image.squashfs import squashfs
from quard.image.tree import Node
from quard.image.write import Use

NOISE = random.Random(2).randbytes(SIZE)


def text(name: str, size: int) -> bytes:
    """Return a text that compresses to about a third."""
    words = random.Random(name).choices((b"one ", b"two ", b"three\n"), k=size // 4 + 1)
    return b"".join(words)[:size]


FILES = {f"f{n:02}": text(f"{n}", (n * n * 97) % 60_000 + 1) for n in range(60)}
FILES |= {"large": text("large", 5 * SIZE + 99), "noise": NOISE, "tail": NOISE[: SIZE // 2]}


@dataclass
class Maker:
    """Makes images in one checkout, and counts what is compressed for them."""

    folder: Path
    lent: Path | None = None
    made_by: str = "tar2sqfs"
    starts: int = field(default=0, init=False)

    @property
    def kept(self) -> Path:
        return self.folder / "kept"

    def make(self, files: dict[str, bytes]) -> tuple[bytes, int]:
        """Return the image, and how many of its blocks no image had before."""
        self.folder.mkdir(exist_ok=True)
        before = {path.name: path.stat().st_ino for path in self.kept.glob("*")}
        nodes = {n: Node("file", 0o644, content=Content(len(d), d)) for n, d in files.items()}
        tar, out = self.folder / "t.tar", self.folder / "s"
        tarimage.write(nodes, tar)
        squashfs(
            RootTar(tar),
            out,
            use=Use(self._start),
            kept=Kept(self.kept, Lent(self.lent)),
            made_by=self.made_by,
        )
        after = {path.name: path.stat().st_ino for path in self.kept.glob("*")}
        return out.read_bytes(), len(after.items() - before.items())

    def _start(self, name: str) -> tuple[str, ...]:
        self.starts += 1
        return tools.start(name)


def fresh(folder: Path, files: dict[str, bytes]) -> bytes:
    return Maker(folder / "fresh").make(files)[0]


@pytest.mark.parametrize("name", ["f07", "f30", "f59"])
@pytest.mark.parametrize("how", ["changed", "grown", "shrunk", "emptied", "removed", "renamed"])
def test_an_edit_changes_few_blocks_and_gives_the_image_of_a_first_build(
    tmp_path: Path, name: str, how: str
) -> None:
    maker = Maker(tmp_path / "one")
    first, count = maker.make(FILES)
    assert count > 12
    edited = {key: data for key, data in FILES.items() if key != name}
    match how:
        case "changed":
            edited[name] = FILES[name][::-1]
        case "grown":
            edited[name] = FILES[name] + b"more"
        case "shrunk":
            edited[name] = FILES[name][:-1]
        case "emptied":
            edited[name] = b""
        case "renamed":
            edited["new name"] = FILES[name]
    made, count = maker.make(edited)
    assert made == fresh(tmp_path, edited)
    assert made != first
    assert count <= 3
    assert count or how in ("emptied", "removed", "renamed")
    assert maker.make(FILES)[0] == first


def test_nothing_is_compressed_if_only_owners_change(tmp_path: Path) -> None:
    maker = Maker(tmp_path / "one")
    maker.make(FILES)
    assert maker.starts == 1
    node = Node("file", 0o600, uid=9, content=Content(len(NOISE), NOISE))
    tarimage.write({"noise": node}, tmp_path / "t.tar")
    kept = Kept(maker.kept)
    squashfs(RootTar(tmp_path / "t.tar"), tmp_path / "s", kept=kept, made_by=maker.made_by)
    assert maker.make({"noise": NOISE})[1] == 0
    assert maker.starts == 1


def test_other_tools_make_every_block_again(tmp_path: Path) -> None:
    first, count = Maker(tmp_path / "one").make(FILES)
    assert Maker(tmp_path / "one", made_by="another").make(FILES) == (first, count)


def test_blocks_of_the_last_image_alone_are_kept(tmp_path: Path) -> None:
    maker = Maker(tmp_path / "one")
    _, count = maker.make(FILES)
    maker.make({"noise": NOISE})
    assert len([*maker.kept.iterdir()]) == 1
    assert maker.make(FILES)[1] == count - 1


@pytest.mark.parametrize("how", [*parts.DAMAGE, "intact"])
def test_a_damaged_block_is_made_again(tmp_path: Path, how: str) -> None:
    maker = Maker(tmp_path / "one")
    made, _ = maker.make(FILES)
    path = sorted(maker.kept.iterdir())[0]
    data = path.read_bytes()
    parts.damage(path, how)
    (maker.kept / "0123.77.part").write_bytes(b"a killed run's")
    assert maker.make(FILES)[0] == made
    assert maker.starts == (1 if how == "intact" else 2)
    assert path.read_bytes() == data
    assert not (maker.kept / "0123.77.part").exists()


def test_a_fresh_checkout_compresses_only_what_differs(tmp_path: Path) -> None:
    lent = tmp_path / "cache/segments/board/rootfs.squashfs"
    one, two = Maker(tmp_path / "one", lent), Maker(tmp_path / "two", lent)
    made, _ = one.make(FILES)
    assert two.make(FILES)[0] == made
    assert two.starts == 0
    edited = {**FILES, "f07": b"another"}
    assert two.make(edited)[0] == fresh(tmp_path, edited)
    assert two.starts == 1


def test_batches_give_the_same_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = fresh(tmp_path, FILES)
    for number in (1, 3):
        monkeypatch.setattr(module, "_BATCH", number)
        maker = Maker(tmp_path / f"by {number}")
        assert maker.make(FILES)[0] == whole
        assert maker.starts > 4


def test_a_block_may_look_like_a_compressed_one(tmp_path: Path) -> None:
    """A file of compressed data is stored as it is, and begins as a compressed block does."""
    header = b"\x28\xb5\x2f\xfd\xa0" + SIZE.to_bytes(4, "little")
    files = {"a": NOISE[::-1], "b": header + NOISE[len(header) :], "c": text("c", SIZE)}
    made, _ = Maker(tmp_path / "one").make(files)
    assert made.count(files["b"]) == 1
    for name, data in files.items():
        argv = ["rdsquashfs", "--cat", f"/{name}", str(tmp_path / "one/s")]
        assert subprocess.run(argv, check=True, capture_output=True).stdout == data


STAND_INS = {
    "nothing": "exit 0",
    "no file system": 'head -c 9999 /dev/zero >"$made"',
    "half of one": 'tar2sqfs "$@" && truncate -s 1000 "$made"',
    "another compressor": 'tar2sqfs -q -c gzip -b 131072 "$made"',
    "other blocks": 'tar2sqfs -q -c zstd -b 65536 "$made"',
    "a further file": 'yes | head -c 300000 >x; cat >y; tar -r -f y x && tar2sqfs "$@" <y',
    "no file": 'tar -c -T /dev/null | tar2sqfs "$@"',
}


@pytest.mark.parametrize("what", STAND_INS)
def test_a_tool_that_makes_something_else_is_an_error(tmp_path: Path, what: str) -> None:
    tool = tmp_path / "tool"
    script = ("#!/bin/sh", "for made; do :; done", "cd ${made%/*}", STAND_INS[what], "")
    tool.write_text("\n".join(script))
    tool.chmod(0o755)
    content = Content(SIZE, text("x", SIZE))
    tarimage.write({"f": Node("file", 0o644, content=content)}, tmp_path / "t.tar")
    with pytest.raises(QuardError) as caught:
        squashfs(RootTar(tmp_path / "t.tar"), tmp_path / "s", use=Use(lambda _: (str(tool),)))
    assert caught.value.reason == "image-tool"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["t.tar", "tool"]
