"""Blobs: equal trees give equal bytes, and damage is noticed."""

import hashlib
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from blob_parts import LONG, blob_of, link, refused, tree, write

from quard.base.errors import QuardError
from quard.store.blob import extract, members, pack, walk
from quard.store.member import EPOCH, Member


def test_all_that_cannot_be_packed_is_told_at_once(tmp_path: Path) -> None:
    root = tmp_path / "root"
    write(root / "good", b"x")
    link(root / "out", "../outside")
    os.mkfifo(root / "pipe")
    os.mkfifo(root / "queue")
    with pytest.raises(QuardError) as caught:
        pack(root, walk(root), tmp_path / "out")
    assert caught.value.message == "3 errors in the files of the package"
    assert caught.value.reason == "unsafe-link"
    for name in ("out", "pipe", "queue"):
        assert f": {name}\n" in caught.value.detail
    assert not (tmp_path / "out").exists()


def test_order_time_and_umask_leave_no_trace(tmp_path: Path) -> None:
    first, one = blob_of(tree(tmp_path / "a"), "a")
    previous = os.umask(0o002)
    try:
        other = tree(tmp_path / "b", backwards=True)
        for path in other.rglob("*"):
            os.utime(path, (7e8, 7e8), follow_symlinks=False)
    finally:
        os.umask(previous)
    second, two = blob_of(other, "b")
    assert one == two
    assert first.read_bytes() == second.read_bytes()


def test_returned_hash_is_that_of_the_file(tmp_path: Path) -> None:
    out, sha256 = blob_of(tree(tmp_path / "a"), "a")
    assert hashlib.sha256(out.read_bytes()).hexdigest() == sha256


def test_format_is_the_same_with_every_python(tmp_path: Path) -> None:
    """Every cache would lose its contents with another format: a change must be meant."""
    _out, sha256 = blob_of(tree(tmp_path / "a"), "a")
    assert sha256 == "08f2a007bfe8a6964e97cf9a454b2b1815069ed768ebcb5e78ddc1f230db4507"


def test_content_mode_name_and_link_all_count(tmp_path: Path) -> None:
    seen = {blob_of(tree(tmp_path / "same"), "same")[1]}
    changes: list[Callable[[Path], object]] = [
        lambda root: write(root / "usr/bin/su", b"Setuid", 0o4755),
        lambda root: (root / "usr/bin/su").chmod(0o755),
        lambda root: (root / "usr/bin/su").rename(root / "usr/bin/sv"),
        lambda root: (root / "tmp").chmod(0o755),
        lambda root: (root / "var/empty").rmdir(),
        relink,
    ]
    for number, change in enumerate(changes):
        root = tree(tmp_path / str(number))
        change(root)
        seen.add(blob_of(root, str(number))[1])
    assert len(seen) == len(changes) + 1


def test_extracting_gives_the_tree_back(tmp_path: Path) -> None:
    root = tree(tmp_path / "a")
    out, sha256 = blob_of(root, "a")
    into = tmp_path / "into"
    previous = os.umask(0o077)
    try:
        extract(out, into, sha256)
    finally:
        os.umask(previous)
    assert walk(into) == walk(root)
    for path in walk(root):
        old, new = (root / path).lstat(), (into / path).lstat()
        assert old.st_mode == new.st_mode, path
        if stat.S_ISREG(old.st_mode):
            assert (root / path).read_bytes() == (into / path).read_bytes()
            assert new.st_mtime == EPOCH
    assert (into / "usr/lib/libx.so").readlink() == Path("libx.so.1")
    assert (into / "etc/resolv.conf").readlink() == Path("/run/resolv.conf")
    assert stat.S_IMODE((into / "usr").stat().st_mode) == 0o755
    assert (into / "usr/bin/tool").stat().st_nlink == 3


def test_packing_what_was_extracted_gives_the_same_blob(tmp_path: Path) -> None:
    out, sha256 = blob_of(tree(tmp_path / "a"), "a")
    extract(out, tmp_path / "b", sha256)
    assert blob_of(tmp_path / "b", "b")[1] == sha256


def test_members_tell_what_is_in_a_blob(tmp_path: Path) -> None:
    found = {member.path: member for member in members(blob_of(tree(tmp_path / "a"), "a")[0])}
    assert list(found) == sorted(found, key=os.fsencode)
    assert found["usr/bin/again"] == Member("usr/bin/again", "file", 0o755, 9, "")
    assert found["usr/bin/tool"] == Member("usr/bin/tool", "hardlink", 0o755, 0, "usr/bin/again")
    assert found["usr/bin/su"].mode == 0o4755
    assert found["usr/lib/libx.so"] == Member("usr/lib/libx.so", "link", 0o777, 0, "libx.so.1")
    assert found["tmp"] == Member("tmp", "dir", 0o1777, 0, "")
    assert found[LONG].size == 4
    assert "usr" not in found


def relink(root: Path) -> None:
    (root / "usr/lib/libx.so").unlink()
    link(root / "usr/lib/libx.so", "y")


def test_only_listed_paths_are_packed(tmp_path: Path) -> None:
    root = tree(tmp_path / "a")
    pack(root, ["usr/lib", "usr/bin/tool", "usr/bin/tool"], tmp_path / "out")
    assert [member.path for member in members(tmp_path / "out")] == ["usr/bin/tool", "usr/lib"]


@pytest.mark.parametrize("path", ["/etc/passwd", "../a", "a/../b", "", ".", "a/", "a//b"])
def test_paths_that_are_not_plain_are_our_own_bug(tmp_path: Path, path: str) -> None:
    with pytest.raises(ValueError, match="relative path"):
        pack(tmp_path, [path], tmp_path / "out")


def test_a_failed_pack_leaves_neither_a_file_nor_a_change(tmp_path: Path) -> None:
    root = tree(tmp_path / "a")
    os.mkfifo(root / "pipe")
    (tmp_path / "out").write_text("before")
    before = sorted(tmp_path.iterdir())
    assert refused(lambda: pack(root, walk(root), tmp_path / "out")) == "special-file"
    with pytest.raises(FileNotFoundError):
        pack(root, ["missing"], tmp_path / "out")
    assert (tmp_path / "out").read_text() == "before"
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("target", ["..", "../x", "b/../../x"])
def test_what_could_not_be_extracted_is_not_packed(tmp_path: Path, target: str) -> None:
    link(tmp_path / "a/link", target)
    assert refused(partial(blob_of, tmp_path / "a", "a")) == "unsafe-link"


@pytest.mark.parametrize("target", ["././x", "x/", "y//x", "/run//x/.", "./y/../x"])
def test_targets_of_links_are_kept_as_they_are(tmp_path: Path, target: str) -> None:
    link(tmp_path / "a/link", target)
    (tmp_path / "a/y").mkdir()
    blob, sha256 = blob_of(tmp_path / "a", "a")
    extract(blob, tmp_path / "b", sha256)
    extract(blob, tmp_path / "b", sha256)
    assert os.readlink(tmp_path / "b/link") == target


def test_names_that_are_not_utf8_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    Path(os.fsdecode(os.fsencode(tmp_path / "a") + b"/\xff")).write_text("x")
    assert refused(lambda: blob_of(tmp_path / "a", "a")) == "file-name"


def test_every_damage_is_noticed(tmp_path: Path) -> None:
    out, sha256 = blob_of(tree(tmp_path / "a"), "a")
    data = out.read_bytes()
    damaged = [data[:-1], data + b"\0", b"", b"garbage", data[: len(data) // 2]]
    damaged += [flipped(data, at) for at in range(0, len(data), 701)]
    for number, content in enumerate(damaged):
        out.write_bytes(content)
        assert refused(partial(extract, out, tmp_path / f"into{number}", sha256)) == "corrupt-blob"


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 0x21]) + data[at + 1 :]


def test_right_hash_of_what_is_no_tar_is_still_refused(tmp_path: Path) -> None:
    out = write(tmp_path / "blob", b"no tar at all" * 100)
    sha256 = hashlib.sha256(out.read_bytes()).hexdigest()
    assert refused(lambda: extract(out, tmp_path / "into", sha256)) == "corrupt-blob"
    assert refused(lambda: members(out)) == "corrupt-blob"


def test_a_missing_blob_is_told_from_a_damaged_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        members(tmp_path / "x")
    with pytest.raises(FileNotFoundError):
        extract(tmp_path / "x", tmp_path / "into", "ab" * 32)
    assert not (tmp_path / "into").exists()


FULL_DISK = """
import sys
sys.path[:0] = sys.argv[1:2]
from pathlib import Path
from quard.base.errors import QuardError
from quard.store.blob import extract, pack
from quard.store.local import Store
small, data = Path(sys.argv[2]) / "small", Path(sys.argv[2])
reasons = []
for call in (
    lambda: pack(data, ["big"], small / "out"),
    lambda: extract(data / "blob", small / "into", sys.argv[3]),
    lambda: Store(small / "store").add(data / "copy"),
):
    try:
        call()
        reasons.append("no error")
    except QuardError as error:
        reasons.append(error.reason)
    print([path.name for path in small.iterdir() if path.name.startswith(".pack")], end=" ")
print(*reasons)
"""


def test_a_full_disk_is_named_as_such(tmp_path: Path) -> None:
    """A real one: a file system of 64 KiB in memory, which bubblewrap mounts without root."""
    bwrap = shutil.which("bwrap")
    base = [bwrap or "bwrap", "--bind", "/", "/", "--dev", "/dev"]
    if not bwrap or subprocess.run([*base, "true"], capture_output=True, check=False).returncode:
        pytest.skip("bubblewrap cannot make namespaces here, so there is no small file system")
    write(tmp_path / "big", os.urandom(1 << 20))
    write(tmp_path / "copy", os.urandom(1 << 20))
    sha256 = pack(tmp_path, ["big"], tmp_path / "blob")
    (tmp_path / "small").mkdir()
    code = Path(sys.modules["quard"].__path__[0]).parent
    done = subprocess.run(
        [*base, "--size", "65536", "--tmpfs", str(tmp_path / "small"),
         sys.executable, "-c", FULL_DISK, str(code), str(tmp_path), sha256],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() == ["[]"] * 3 + ["disk-full"] * 3
