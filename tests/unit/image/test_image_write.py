from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from quard.base.errors import QuardError
from quard.image import tarimage, write
from quard.image.content import Content
from quard.image.ext4 import ext4
from quard.image.roottar import RootTar
from quard.image.squashfs import squashfs
from quard.image.tree import Node
from quard.image.write import Use

SCONS = Path(__file__).resolve().parents[3] / "site_scons"
FILL = """
import os, sys
from pathlib import Path
from quard.base.errors import QuardError
from quard.image import cpio, ext4, squashfs, tarimage
from quard.image.roottar import RootTar
tar, small = Path(sys.argv[1]), Path(sys.argv[2])
makers = {
    "ext4": lambda out: ext4.ext4(RootTar(tar), out, size_mib=None, label="x"),
    "squashfs": lambda out: squashfs.squashfs(RootTar(tar), out),
    "cpio.gz": lambda out: cpio.cpio_gz(RootTar(tar), out),
    "tar": lambda out: tarimage.write({p: n for p, (n, _) in tarimage.read(tar).items()}, out),
}
for name, make in makers.items():
    (small / name).write_bytes(b"old")
    try:
        make(small / name)
    except QuardError as error:
        print(name, error.reason, (small / name).read_bytes() == b"old", len(os.listdir(small)))
    (small / name).unlink()
"""


def test_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"
    with write.whole_file(out) as file:
        file.write(b"new")
        file.flush()
        assert not out.exists()
    assert out.read_bytes() == b"new"
    with pytest.raises(ValueError), write.whole_file(out) as file:
        file.write(b"half")
        raise ValueError
    assert out.read_bytes() == b"new"
    assert [path.name for path in out.parent.iterdir()] == ["out"]


def test_what_a_killed_run_left_is_cleared(tmp_path: Path) -> None:
    (tmp_path / ".out.new" / "contents").mkdir(parents=True)
    (tmp_path / ".out.new" / "out").write_bytes(b"half a file, longer than the whole")
    with write.whole_file(tmp_path / "out") as file:
        file.write(b"whole")
    assert (tmp_path / "out").read_bytes() == b"whole"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def has_sandbox() -> bool:
    probe = ["bwrap", "--dev-bind", "/", "/", "--size", "65536", "--tmpfs", "/mnt", "true"]
    return bool(shutil.which("bwrap")) and subprocess.run(probe, check=False).returncode == 0


def test_full_disk_is_said_and_leaves_the_old_image(tmp_path: Path) -> None:
    if not has_sandbox():
        pytest.skip("bubblewrap cannot mount a small file system here")
    noise = random.Random(1).randbytes(300_000)
    content = Content(len(noise), noise)
    tarimage.write(
        {
            "init": Node("file", 0o755, content=content),
            "dev": Node("directory", 0o755),
            "dev/console": Node("char", 0o600, device=(5, 1)),
        },
        tmp_path / "t.tar",
    )
    (tmp_path / "small").mkdir()
    argv = ["bwrap", "--dev-bind", "/", "/", "--size", "20480", "--tmpfs", str(tmp_path / "small")]
    argv += ["--setenv", "PYTHONPATH", str(SCONS), sys.executable, "-c", FILL]
    argv += [str(tmp_path / "t.tar"), str(tmp_path / "small")]
    done = subprocess.run(argv, check=True, capture_output=True, text=True)
    assert done.stdout.splitlines() == [
        f"{name} disk-full True 1" for name in ("ext4", "squashfs", "cpio.gz", "tar")
    ], done.stderr


@pytest.mark.parametrize("said", ["No space left on device", "Disk quota exceeded"])
def test_a_tool_that_says_the_disk_is_full_is_that_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    """A stand-in for the tool: no quota can be set up without a file system of its own."""
    tool = tmp_path / "mke2fs"
    tool.write_text(f"#!/bin/sh\necho 'mke2fs: {said} while writing' >&2\nexit 1\n")
    tool.chmod(0o755)
    monkeypatch.setattr("quard.image.tools.SEARCH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(QuardError) as caught:
        write.run(("mke2fs",), tmp_path / "rootfs.ext4")
    assert caught.value.reason == "disk-full"
    assert caught.value.message == "no space left on the disk while making rootfs.ext4"
    assert said in caught.value.detail


@pytest.mark.parametrize("name", ["ext4", "squashfs"])
def test_missing_tool_names_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    tarimage.write({"a": Node("file", 0o755, content=Content(1, b"a"))}, tmp_path / "t.tar")
    monkeypatch.setattr("quard.image.tools.SEARCH", str(tmp_path))
    with pytest.raises(QuardError) as caught:
        if name == "ext4":
            ext4(RootTar(tmp_path / "t.tar"), tmp_path / "rootfs.ext4", size_mib=None, label="x")
        else:
            squashfs(RootTar(tmp_path / "t.tar"), tmp_path / "rootfs.squashfs")
    assert caught.value.reason == "tool-missing"
    assert caught.value.hint in (
        "apt-get install e2fsprogs",
        "apt-get install squashfs-tools-ng",
    )
    assert [path.name for path in tmp_path.iterdir()] == ["t.tar"]


def test_tool_that_fails_is_quoted(tmp_path: Path) -> None:
    tarimage.write({"a": Node("file", 0o755, content=Content(1, b"a"))}, tmp_path / "t.tar")
    failing = Use(lambda _: ("/bin/sh", "-c", "echo it says why >&2; exit 3"))
    with pytest.raises(QuardError) as caught:
        squashfs(RootTar(tmp_path / "t.tar"), tmp_path / "rootfs.squashfs", use=failing)
    assert caught.value.reason == "image-tool"
    assert "tar2sqfs" in caught.value.message
    assert caught.value.detail == "it says why"
    assert [path.name for path in tmp_path.iterdir()] == ["t.tar"]


def test_a_file_that_is_no_tar_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "t.tar").write_bytes(b"no tar at all" * 1000)
    with pytest.raises(QuardError) as caught:
        squashfs(RootTar(tmp_path / "t.tar"), tmp_path / "rootfs.squashfs")
    assert caught.value.reason == "bad-tar"
    assert [path.name for path in tmp_path.iterdir()] == ["t.tar"]


@pytest.mark.parametrize("most", [1, 700, 10_000])
def test_parts_are_written_whole_however_little_a_call_writes(
    most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda file, data, at: real(file, data[:most], at))
    monkeypatch.setattr(
        os, "pwritev", lambda file, parts, at: real(file, b"".join(parts)[:most], at)
    )
    parts = [bytes([number % 251]) * (number % 4) for number in range(2500)]
    file = os.open(tmp_path / "out", os.O_RDWR | os.O_CREAT)
    write.write_at(file, 5, parts)
    os.close(file)
    assert (tmp_path / "out").read_bytes() == bytes(5) + b"".join(parts)


def test_parts_may_be_more_than_a_call_takes(tmp_path: Path) -> None:
    parts = [b"ab", b"c"] * 2000
    with (tmp_path / "out").open("wb") as out:
        write.write_at(out.fileno(), 0, parts)
    assert (tmp_path / "out").read_bytes() == b"abc" * 2000
