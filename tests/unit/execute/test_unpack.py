"""quard.execute.unpack, with sound archives and every hostile kind that we can make."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import random
import shutil
import subprocess
import sys
import tarfile
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from quard.base.errors import QuardError
from quard.execute.unpack import unpack
from quard.sources import members as archive_module

SITE = str(Path(archive_module.__file__).parents[2])
TIME = 1_700_000_000
NOISE = random.Random(1).randbytes(300_000)

Entry = tuple[str, bytes | None, dict[str, object]]


def entry(name: str, data: bytes | None = b"x\n", **fields: object) -> Entry:
    return name, data, fields


def folder(name: str) -> Entry:
    return entry(name, None, type=tarfile.DIRTYPE, mode=0o755)


def link(name: str, target: str) -> Entry:
    return entry(name, None, type=tarfile.SYMTYPE, linkname=target)


def hard(name: str, target: str) -> Entry:
    return entry(name, None, type=tarfile.LNKTYPE, linkname=target)


def tar(*entries: Entry, form: int = tarfile.GNU_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as made:
        for name, data, fields in entries:
            info = tarfile.TarInfo(name)
            info.mtime, info.mode, info.size = TIME, 0o644, len(data or b"")
            for field, value in fields.items():
                setattr(info, field, value)
            made.addfile(info, io.BytesIO(data or b""))
    return out.getvalue()


PACK: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
}


class Place:
    """Where archives are unpacked."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.into = path / "work" / "src"

    def unpack(self, data: bytes) -> Path:
        source = self.path / "x.tar"
        source.write_bytes(data)
        unpack(source, self.into)
        self.is_clean()
        return self.into

    def refused(self, data: bytes, reason: str) -> QuardError:
        with pytest.raises(QuardError) as caught:
            self.unpack(data)
        assert caught.value.reason == reason
        assert "x.tar" in caught.value.message
        assert not self.into.exists()
        self.is_clean()
        return caught.value

    def is_clean(self) -> None:
        assert [p.name for p in (self.path / "work").iterdir()] in ([], ["src"])
        assert "unpack x.tar" not in [thread.name for thread in threading.enumerate()]
        assert sorted(p.name for p in self.path.iterdir()) == ["work", "x.tar"]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def tree(root: Path) -> dict[str, str]:
    """Return each path with the kind of what lies there."""
    return {
        str(path.relative_to(root)): (
            "link" if path.is_symlink() else "folder" if path.is_dir() else "file"
        )
        for path in sorted(root.rglob("*"))
    }


@pytest.mark.parametrize("packed", PACK)
def test_the_single_top_level_folder_is_left_out(place: Place, packed: str) -> None:
    data = tar(folder("x-1"), entry("x-1/a", NOISE), folder("x-1/d"), entry("x-1/d/b", b""))
    into = place.unpack(PACK[packed](data))
    assert tree(into) == {"a": "file", "d": "folder", "d/b": "file"}
    assert (into / "a").read_bytes() == NOISE


def test_unpacking_ends_where_it_is_told_to_and_leaves_nothing(place: Place) -> None:
    (place.path / "x.tar").write_bytes(tar(entry("a", NOISE), entry("b", NOISE)))
    asked = []

    def check() -> None:
        asked.append(True)
        if len(asked) == 2:
            raise QuardError("interrupted", reason="interrupted")

    with pytest.raises(QuardError, match="interrupted"):
        unpack(place.path / "x.tar", place.into, check)
    assert not place.into.exists()
    place.is_clean()


def test_several_top_level_entries_stay_as_they_are(place: Place) -> None:
    into = place.unpack(tar(entry("./x/a"), entry("./y")))
    assert tree(into) == {"x": "folder", "x/a": "file", "y": "file"}


def test_a_single_top_level_file_is_no_folder_to_leave_out(place: Place) -> None:
    assert tree(place.unpack(tar(entry("a")))) == {"a": "file"}


def test_times_and_executable_bits_are_kept_and_nothing_else(place: Place) -> None:
    into = place.unpack(
        tar(
            folder("x"),
            entry("x/run", mode=0o6775),
            entry("x/text", mode=0o666, mtime=TIME + 5),
            entry("x/secret", mode=0o400, uid=1234, gid=1234, uname="ghost"),
            entry("x/implied/deep/file"),
            link("x/link", "text"),
            entry("x/d", None, type=tarfile.DIRTYPE, mode=0o1500, mtime=TIME + 9),
            entry("x/d/late"),
        )
    )
    modes = {p.name: p.lstat().st_mode & 0o7777 for p in into.rglob("*") if not p.is_symlink()}
    assert modes == {
        "run": 0o755,
        "text": 0o644,
        "secret": 0o644,
        "implied": 0o755,
        "deep": 0o755,
        "file": 0o644,
        "d": 0o755,
        "late": 0o644,
    }
    times = {p.name: p.lstat().st_mtime for p in into.rglob("*")}
    assert times == dict.fromkeys(times, TIME) | {"text": TIME + 5, "d": TIME + 9}
    assert into.stat().st_mtime == TIME
    assert (into / "secret").stat().st_uid == os.getuid()


def test_the_umask_does_not_matter(place: Place) -> None:
    before = os.umask(0o077)
    try:
        into = place.unpack(tar(entry("x/d/a")))
    finally:
        os.umask(before)
    assert (into / "d").stat().st_mode & 0o777 == 0o755
    assert (into / "d/a").stat().st_mode & 0o777 == 0o644


def test_strange_times_are_bounded(place: Place) -> None:
    into = place.unpack(tar(entry("a", mtime=-5), entry("b", mtime=2**40), form=tarfile.GNU_FORMAT))
    assert (into / "a").stat().st_mtime == 0
    assert (into / "b").stat().st_mtime == 2**33 - 1


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_and_foreign_names_are_kept(place: Place, form: int) -> None:
    name = "/".join(["x", *["d" * 90] * 3, "é\udcff name"])
    into = place.unpack(tar(entry(name), form=form))
    assert [p.name for p in into.rglob("*") if p.is_file()] == ["é\udcff name"]


def test_links_inside_of_the_tree_are_made(place: Place) -> None:
    into = place.unpack(
        tar(
            folder("x"),
            entry("x/d/file", b"data"),
            link("x/up", "d/../d/file"),
            link("x/d/back", ".."),
            link("x/dangling", "not/there"),
            link("x/round", "round"),
            hard("x/same", "x/d/file"),
            hard("x/samelink", "x/up"),
        )
    )
    assert (into / "up").read_bytes() == b"data"
    assert (into / "d/back").readlink() == Path("..")
    assert (into / "same").stat().st_ino == (into / "d/file").stat().st_ino
    assert (into / "samelink").readlink() == Path("d/../d/file")


def test_the_last_member_of_a_name_counts_and_does_not_write_through_a_link(place: Place) -> None:
    into = place.unpack(
        tar(
            entry("x/a", b"1"),
            entry("x/a", b"2"),
            hard("x/h", "x/a"),
            hard("x/h", "x/h"),
            link("x/l", "a"),
            entry("x/l", b"3"),
            link("x/h", "../out"),
            entry("x/h", b"4"),
        )
    )
    assert {p.name: p.read_bytes() for p in into.iterdir()} == {"a": b"2", "l": b"3", "h": b"4"}
    assert not (into / "l").is_symlink()


UNSAFE = {
    "parent": [entry("../evil")],
    "parent inside": [entry("x/../../evil")],
    "parent that stays inside": [entry("x/../y")],
    "absolute": [entry("/tmp/evil")],
    "absolute link": [link("x/l", "/etc/passwd")],
    "link out": [link("x/l", "../../etc"), entry("y")],
    "link out of what is left": [link("x/l", "../y"), entry("x/a")],
    "link out by another": [folder("x"), link("x/d/s", ".."), link("x/l", "d/s/../.."), entry("y")],
    "link out by a later one": [
        link("x/l", "p/q/../../../y"),
        folder("x/p"),
        link("x/p/q", ".."),
    ],
    "link out by a hard link": [
        folder("x/d/e"),
        link("x/d/e/l", "../../ok"),
        hard("x/l", "x/d/e/l"),
    ],
    "file behind a link": [link("x/l", "d"), folder("x/d"), entry("x/l/evil")],
    "folder over a link": [link("x/l", ".."), folder("x/l"), entry("x/l/evil")],
    "hard link out": [hard("x/h", "../../etc/passwd")],
    "absolute hard link": [hard("x/h", "/etc/passwd")],
    "hard link behind a link": [link("x/l", "d"), entry("x/d/f"), hard("x/h", "x/l/../../../e")],
    "character device": [entry("x/null", None, type=tarfile.CHRTYPE, devmajor=1, devminor=3)],
    "block device": [entry("x/sda", None, type=tarfile.BLKTYPE, devmajor=8)],
    "pipe": [entry("x/pipe", None, type=tarfile.FIFOTYPE)],
    "unknown kind": [entry("x/odd", b"", type=b"Z")],
}


@pytest.mark.parametrize("kind", UNSAFE)
def test_an_unsafe_member_is_refused(place: Place, kind: str) -> None:
    place.refused(tar(folder("x"), *UNSAFE[kind]), "unsafe-archive")


def test_a_loop_of_links_does_not_hang(place: Place) -> None:
    into = place.unpack(tar(link("x/a", "b/c"), link("x/b", "a/d"), entry("x/f")))
    assert (into / "a").is_symlink()


BAD = {
    "empty": tar(),
    "only the folder itself": tar(folder("./")),
    "no tar": b"<html>not found</html>" * 100,
    "no tar, packed": gzip.compress(b"hello" * 1000),
    "file and folder": tar(entry("x/a"), entry("x/a/b")),
    "folder and file": tar(folder("x/a"), entry("x/a")),
    "folder and link": tar(folder("x/a"), link("x/a", "b")),
    "hard link to nothing": tar(hard("x/h", "x/missing"), entry("x/missing")),
    "nameless": tar(entry("./")),
    "deep": tar(entry("d/" * 1500 + "a")),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_makes_no_tree_is_refused(place: Place, kind: str) -> None:
    place.refused(BAD[kind], "bad-archive")


@pytest.mark.parametrize("packed", PACK)
@pytest.mark.parametrize("keep", [0.001, 0.3, 0.9, 0.999])
def test_a_truncated_archive_is_told(place: Place, packed: str, keep: float) -> None:
    data = tar(folder("x"), entry("x/a", NOISE), entry("x/b", NOISE[:1000]))
    # The end of a plain archive is padding, of which nobody would miss a part.
    packing = PACK[packed](data[: -9 * 1024] if packed == "plain" else data)
    place.refused(packing[: int(len(packing) * keep)], "truncated-archive")


def test_an_archive_cut_between_two_members_is_told(place: Place) -> None:
    place.refused(tar(entry("x/a"), entry("x/b"))[:2048], "truncated-archive")
    place.refused(gzip.compress(tar(entry("x/a"), entry("x/b"))[:2048]), "truncated-archive")


def test_an_empty_file_is_told(place: Place) -> None:
    place.refused(b"", "truncated-archive")


@pytest.mark.parametrize("packed", ["gz", "bz2", "xz"])
@pytest.mark.parametrize("where", [0.5, 0.9999])
def test_a_damaged_stream_is_told(place: Place, packed: str, where: float) -> None:
    packing = bytearray(PACK[packed](tar(entry("x/a", NOISE))))
    at = int(len(packing) * where) - (6 if where > 0.9 else 0)
    packing[at] ^= 0x55
    place.refused(bytes(packing), "truncated-archive")


def test_a_checksum_far_behind_the_end_mark_is_compared(place: Place) -> None:
    packing = bytearray(gzip.compress(tar(entry("x/a")) + bytes(5 << 20)))
    packing[-6] ^= 0x55
    assert "CRC" in place.refused(bytes(packing), "truncated-archive").detail


def test_a_damaged_header_in_the_middle_is_told(place: Place) -> None:
    data = bytearray(tar(entry("x/a"), entry("x/b")))
    data[1024 + 150] ^= 0x55
    place.refused(bytes(data), "truncated-archive")


@pytest.mark.parametrize(
    "headers",
    [{"mtime": "nan"}, {"path": "a\0b"}, {"GNU.sparse.map": "x", "GNU.sparse.major": "0"}],
)
def test_a_header_that_means_nothing_is_told(place: Place, headers: dict[str, str]) -> None:
    place.refused(
        tar(entry("a", pax_headers=headers), form=tarfile.PAX_FORMAT), "truncated-archive"
    )


def test_a_bomb_is_refused(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_module, "FLOOR", 1 << 20)
    data = tar(entry("x/zeros", bytes(20 << 20)))
    assert "100 times" in place.refused(lzma.compress(data), "unsafe-archive").detail


@pytest.mark.parametrize("kind", [*b"KLXgx"], ids=chr)
def test_an_endless_header_is_refused(place: Place, kind: int) -> None:
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = bytes([kind]), 64 << 20
    for present in (1 << 20, info.size):
        data = info.tobuf(tarfile.GNU_FORMAT) + bytes(present)
        assert "a header of more than" in place.refused(data, "unsafe-archive").detail


def test_many_long_headers_are_not_an_endless_one(place: Place) -> None:
    folder = "/".join(["x", *["y" * 200] * 5])
    names = [f"{folder}/{number}" for number in range(1100)]
    data = tar(*(entry(name, b"") for name in names))
    assert len(data) > 2 << 20, "more than one header may have"
    assert len([each for each in place.unpack(data).rglob("*") if each.is_file()]) == len(names)


def test_a_folder_in_use_is_not_replaced(place: Place) -> None:
    place.into.mkdir(parents=True)
    (place.into / "mine").write_text("x")
    (place.path / "x.tar").write_bytes(tar(entry("x/a")))
    with pytest.raises(QuardError) as caught:
        unpack(place.path / "x.tar", place.into)
    assert caught.value.reason == "cannot-unpack"
    assert tree(place.into) == {"mine": "file"}
    place.is_clean()


def test_what_a_killed_build_left_is_removed(place: Place) -> None:
    rest = place.into.with_name(".src.unpacking")
    rest.mkdir(parents=True)
    (rest / "half").write_text("x")
    assert tree(place.unpack(tar(entry("x/a")))) == {"a": "file"}


def test_a_missing_archive_is_told(place: Place) -> None:
    with pytest.raises(QuardError) as caught:
        unpack(place.path / "missing.tar", place.into)
    assert caught.value.reason == "cannot-unpack"
    assert "missing.tar" in caught.value.detail


def test_a_full_disk_is_told_and_cleaned_up(place: Place) -> None:
    disk = place.path / "disk"
    disk.mkdir()
    source = place.path / "x.tar"
    source.write_bytes(tar(*[entry(f"x/{number}", NOISE) for number in range(10)]))
    small = ["bwrap", "--bind", "/", "/", "--size", "1000000", "--tmpfs", str(disk), "--"]
    if not shutil.which("bwrap") or subprocess.run([*small, "true"], check=False).returncode:
        pytest.skip("bwrap cannot mount a small tmpfs here")
    code = (
        "import sys; from pathlib import Path; from quard.base.errors import QuardError\n"
        "from quard.execute.unpack import unpack\n"
        "try: unpack(Path(sys.argv[1]), Path(sys.argv[2]) / 'src')\n"
        "except QuardError as e: print(e.reason, list(Path(sys.argv[2]).iterdir()))"
    )
    result = subprocess.run(
        [*small, sys.executable, "-c", code, str(source), str(disk)],
        env={"PYTHONPATH": SITE, "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    assert result.stdout.split() == ["disk-full", "[]"]


@pytest.mark.parametrize("form", ["gnu", "ustar", "pax", "v7"])
def test_the_result_is_that_of_gnu_tar(place: Place, tmp_path: Path, form: str) -> None:
    made = tmp_path / "work" / "made" / "x-1"
    (made / "sub" / "empty").mkdir(parents=True)
    (made / "sub" / "noise").write_bytes(NOISE)
    (made / "sub" / "run").write_text("#!/bin/sh\n")
    (made / "sub" / "run").chmod(0o755)
    (made / "link").symlink_to("sub/noise")
    os.link(made / "sub" / "run", made / "hard")
    source = tmp_path / "x.tar"
    subprocess.run(
        ["tar", f"--format={form}", "--sort=name", "-cJf", source, "-C", made.parent, "x-1"],
        check=True,
    )
    expected = {
        str(p.relative_to(made)): (p.lstat().st_mode, int(p.lstat().st_mtime))
        for p in made.rglob("*")
    }
    shutil.rmtree(made.parent)
    unpack(source, place.into)
    assert {
        str(p.relative_to(place.into)): (p.lstat().st_mode, int(p.lstat().st_mtime))
        for p in place.into.rglob("*")
    } == expected
    assert (place.into / "sub/noise").read_bytes() == NOISE
    assert (place.into / "hard").stat().st_nlink == 2
