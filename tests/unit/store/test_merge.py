"""Blobs that are unpacked over others, and blobs that try to write where they should not."""

import hashlib
import io
import os
import shutil
import stat
import tarfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from blob_parts import blob_of, folder, link, refused, write

from quard.store.blob import extract
from quard.store.merge import Collision


def forged(path: Path, *entries: tarfile.TarInfo | tuple[tarfile.TarInfo, bytes]) -> str:
    """Write a tar archive that `pack` would never write; return its hash."""
    with tarfile.open(path, "w") as tar:
        for entry in entries:
            info, data = entry if isinstance(entry, tuple) else (entry, b"")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return hashlib.sha256(path.read_bytes()).hexdigest()


def entry(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def test_blobs_merge_and_equal_files_may_meet(tmp_path: Path) -> None:
    write(tmp_path / "a/usr/lib/same", b"same")
    write(tmp_path / "a/usr/lib/a", b"a")
    link(tmp_path / "a/usr/lib/link", "same")
    shutil.copytree(tmp_path / "a", tmp_path / "b", symlinks=True)
    (tmp_path / "b/usr/lib/a").rename(tmp_path / "b/usr/lib/b")
    os.link(tmp_path / "b/usr/lib/b", tmp_path / "b/usr/lib/c")
    for name in ("a", "b", "b"):
        out, sha256 = blob_of(tmp_path / name, name)
        extract(out, tmp_path / "into", sha256)
    names = {path.name for path in (tmp_path / "into/usr/lib").iterdir()}
    assert names == {"same", "a", "b", "c", "link"}


@pytest.mark.parametrize("order", ["ab", "ba"])
def test_folder_modes_merge_in_any_order(tmp_path: Path, order: str) -> None:
    folder(tmp_path / "a/tmp", 0o1777)
    folder(tmp_path / "b/tmp", 0o755)
    for name in order:
        out, sha256 = blob_of(tmp_path / name, name)
        extract(out, tmp_path / "into", sha256)
    assert stat.S_IMODE((tmp_path / "into/tmp").stat().st_mode) == 0o1777


@pytest.mark.parametrize(
    ("there", "coming"),
    [
        (lambda root: write(root / "x", b"one"), lambda root: write(root / "x", b"two")),
        (lambda root: write(root / "x", b"one"), lambda root: write(root / "x", b"longer")),
        (lambda root: write(root / "x", b"one"), lambda root: write(root / "x", b"one", 0o755)),
        (lambda root: write(root / "x", b"one"), lambda root: link(root / "x", "one")),
        (lambda root: link(root / "x", "one"), lambda root: link(root / "x", "two")),
        (lambda root: write(root / "x", b"one"), lambda root: folder(root / "x", 0o755)),
        (lambda root: link(root / "x", "y"), lambda root: write(root / "x/inside", b"")),
        (lambda root: write(root / "x/inside", b""), lambda root: link(root / "x", "y")),
        (lambda root: folder(root / "x", 0o700), lambda root: folder(root / "x", 0o1777)),
    ],
)
def test_different_things_at_one_path_are_refused(
    tmp_path: Path, there: Callable[[Path], object], coming: Callable[[Path], object]
) -> None:
    for name, make in (("a", there), ("b", coming)):
        (tmp_path / name).mkdir()
        make(tmp_path / name)
    first, one = blob_of(tmp_path / "a", "a")
    second, two = blob_of(tmp_path / "b", "b")
    extract(first, tmp_path / "into", one)
    assert refused(lambda: extract(second, tmp_path / "into", two)) == "file-collision"


def test_all_that_meets_something_else_is_told_at_once(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(tmp_path / name / "usr/one", name.encode())
        write(tmp_path / name / "usr/same", b"same")
        link(tmp_path / name / "usr/two", name)
        write(tmp_path / name / f"usr/{name}", b"")
    write(tmp_path / "a/usr/three", b"a file")
    write(tmp_path / "b/usr/three/x", b"")
    write(tmp_path / "b/usr/three/y", b"")
    os.link(tmp_path / "b/usr/one", tmp_path / "b/usr/one-again")
    first, one = blob_of(tmp_path / "a", "a")
    second, two = blob_of(tmp_path / "b", "b")
    extract(first, tmp_path / "into", one)
    with pytest.raises(Collision) as caught:
        extract(second, tmp_path / "into", two)
    assert caught.value.reason == "file-collision"
    assert caught.value.message == "different files at 3 paths"
    assert caught.value.detail.splitlines() == [
        "usr/one: files of 1 and 1 bytes",
        "usr/three: found: -rw-r--r--; wanted: a folder",
        "usr/two: links to a and b",
    ]


def test_nothing_is_ever_written_outside(tmp_path: Path) -> None:
    outside = write(tmp_path / "outside/file", b"mine")
    up = "../outside"
    attacks: list[list[tarfile.TarInfo | tuple[tarfile.TarInfo, bytes]]] = [
        [(entry("../outside/file"), b"evil")],
        [(entry("a/../../outside/file"), b"evil")],
        [(entry(str(outside)), b"evil")],
        [entry("x", tarfile.SYMTYPE, up)],
        [entry("d/x", tarfile.SYMTYPE, "../../outside")],
        [entry("x", tarfile.SYMTYPE, str(tmp_path / "outside")), (entry("x/file"), b"evil")],
        [entry("x", tarfile.SYMTYPE, str(outside)), (entry("x"), b"evil")],
        [entry("x", tarfile.LNKTYPE, str(outside)), (entry("x"), b"evil")],
        [entry("x", tarfile.LNKTYPE, "../outside/file"), (entry("x"), b"evil")],
        [entry("s", tarfile.SYMTYPE, str(outside)), entry("x", tarfile.LNKTYPE, "s")],
        [entry("x", tarfile.SYMTYPE, str(tmp_path / "outside")), entry("x", tarfile.DIRTYPE)],
        [entry("x", tarfile.CHRTYPE)],
        [entry("x", tarfile.FIFOTYPE)],
        [entry("x", tarfile.SYMTYPE, "")],
    ]
    for number, attack in enumerate(attacks):
        blob = tmp_path / f"{number}.blob"
        sha256 = forged(blob, *attack)
        reason = refused(partial(extract, blob, tmp_path / f"into{number}", sha256))
        assert reason in ("unsafe-member", "file-collision"), number
        assert sorted(path.name for path in (tmp_path / "outside").iterdir()) == ["file"]
        assert outside.read_bytes() == b"mine"
        assert outside.stat().st_nlink == 1


def test_an_existing_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    link(tmp_path / "into/lib", str(tmp_path / "outside"))
    write(tmp_path / "a/lib/file", b"x")
    out, sha256 = blob_of(tmp_path / "a", "a")
    assert refused(lambda: extract(out, tmp_path / "into", sha256)) == "file-collision"
    assert list((tmp_path / "outside").iterdir()) == []
