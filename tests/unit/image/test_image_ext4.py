from __future__ import annotations

import os
import re
import shutil
import subprocess
import tarfile
import tempfile
import time
import traceback
from pathlib import Path

import pytest

from quard.base.errors import QuardError
from quard.image import tarimage
from quard.image.content import Content
from quard.image.ext4 import empty, ext4
from quard.image.roottar import RootTar
from quard.image.tree import Node

SBIN = "/usr/sbin:/sbin:/usr/bin:/bin"
SHARED = Node("file", 0o4755, 3, 70000, Content(5, b"hello"))
BIG = b"".join(bytes([count]) * 4096 for count in range(200)) + bytes(50_000) + b"end"
MANY = {
    f"usr/many/{number:04}-{'n' * 50}": Node("link", 0o777, target="x") for number in range(400)
}
NODES = {
    "dev": Node("directory", 0o750, 5, 6),
    "dev/console": Node("char", 0o600, device=(5, 1)),
    "dev/vda": Node("block", 0o660, gid=6, device=(254, 300)),
    "dev/zfifo": Node("fifo", 0o644),
    "tmp": Node("directory", 0o1777),
    "usr": Node("directory", 0o755),
    "usr/\"odd\" 'name' $x # <7>": Node("file", 0o640, content=Content(3, b"odd")),
    "usr/\u00a0 \u3000": Node("file", 0o600, content=Content(1, b"s")),
    "usr/a\u200db\u202e": Node("link", 0o777, target="\u3000\u200d"),
    "usr/-w": Node("file", 0o644, content=Content(1, b"-")),
    "usr/<12>": Node("file", 0o600, 9, content=Content(2, b"no")),
    "usr/a1": SHARED,
    "usr/a2": SHARED,
    "usr/big": Node("file", 0o644, content=Content(len(BIG), BIG)),
    "usr/empty": Node("file", 0o644, content=Content(0)),
    "usr/l59": Node("link", 0o777, target="t" * 59),
    "usr/l60": Node("link", 0o777, target="t" * 60),
    "usr/long": Node("link", 0o777, 1, 2, target='"quoted" ' + "t" * 1000),
    "usr/many": Node("directory", 0o755),
    "usr/ž": Node("directory", 0o755),
    "usr/ž/a3": SHARED,
    **MANY,
}


def made(folder: Path, nodes: dict[str, Node] = NODES, size_mib: int | None = None) -> Path:
    tarimage.write(nodes, folder / "t.tar")
    ext4(RootTar(folder / "t.tar"), folder / "i.ext4", size_mib=size_mib, label="rootfs")
    return folder / "i.ext4"


def tool(*argv: str) -> str:
    env = {"PATH": SBIN, "LC_ALL": "C.UTF-8", "TZ": "UTC", "PAGER": "cat"}
    done = subprocess.run(argv, env=env, check=False, capture_output=True)
    assert done.returncode == 0, done
    return done.stdout.decode()


def stat(image: Path, path: str) -> str:
    quoted = path.replace('"', '""')
    return tool("debugfs", "-R", f'stat "/{quoted}"', str(image))


def number(pattern: str, text: str, base: int = 10) -> int:
    found = re.search(pattern, text)
    assert found, text
    return int(found[1], base)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("ext4"))


def test_checker_finds_nothing_to_repair(image: Path) -> None:
    # Its exit status, which `tool` looks at, is 4 when something is left uncorrected.
    assert "Pass 5" in tool("e2fsck", "-f", "-n", str(image))


def test_it_is_ext4_with_a_journal_extents_and_checksums(image: Path) -> None:
    text = tool("dumpe2fs", "-h", str(image))
    features = next(line for line in text.splitlines() if "features" in line).split()
    assert {"has_journal", "extent", "metadata_csum", "64bit", "dir_index"} <= set(features)
    assert "clean" in text
    assert number(r"Inode size:\s+(\d+)", text) == 256
    assert number(r"Reserved block count:\s+(\d+)", text) == 0
    assert re.search(r"Filesystem volume name:\s+rootfs\n", text)


def test_every_type_mode_owner_and_time_is_as_in_the_tar(image: Path) -> None:
    types = {
        "file": "regular",
        "directory": "directory",
        "link": "symlink",
        "char": "character special",
        "block": "block special",
        "fifo": "FIFO",
    }
    for path, node in NODES.items():
        if path in MANY:
            continue
        text = stat(image, path)
        assert f"Type: {types[node.kind]} " in text
        assert number(r"Mode:\s+([0-7]+)", text, 8) == node.mode, path
        assert number(r"User:\s+(\d+)", text) == node.uid, path
        assert number(r"Group:\s+(\d+)", text) == node.gid, path
        for kind in ("ctime", "atime", "mtime", "crtime"):
            assert number(kind + r": 0x([0-9a-f]+):00000000", text, 16) == 1, path


def test_devices_keep_their_numbers(image: Path) -> None:
    assert "number: 05:01" in stat(image, "dev/console")
    assert "number: 254:300" in stat(image, "dev/vda")


def test_hard_links_are_one_inode_with_a_true_count(image: Path) -> None:
    texts = [stat(image, path) for path in ("usr/a1", "usr/a2", "usr/ž/a3")]
    assert len({number(r"Inode: (\d+)", text) for text in texts}) == 1
    assert number(r"Links: (\d+)", texts[0]) == 3


def test_contents_and_links_come_back_unchanged(image: Path, tmp_path: Path) -> None:
    tool("debugfs", "-R", f"rdump /usr {tmp_path}", str(image))
    for path, node in NODES.items():
        back = tmp_path / path
        if path.startswith("usr/") and node.kind == "link":
            assert str(back.readlink()) == node.target
        elif path.startswith("usr/") and node.content is not None:
            assert back.read_bytes() == node.content.read(), path
    assert {f"usr/many/{path.name}" for path in (tmp_path / "usr/many").iterdir()} == set(MANY)


def test_zeros_take_no_room_in_image_or_file(image: Path) -> None:
    assert number(r"Blockcount: (\d+)", stat(image, "usr/big")) < len(BIG) // 512 - 60
    status = image.stat()
    assert status.st_blocks * 512 < status.st_size


def test_root_belongs_to_root_whoever_builds(image: Path) -> None:
    text = stat(image, "")
    assert "User:     0   Group:     0" in text
    assert number(r"Mode:\s+([0-7]+)", text, 8) == 0o755


def as_somebody_else(tar: Path, folder: Path) -> None:
    """Make the image in a child process: another user where we are root, umask and folder."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.umask(0o077)
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
            os.chdir(folder)
            ext4(RootTar(tar), folder / "other.img", size_mib=None, label="rootfs")
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0


def test_bytes_do_not_depend_on_time_place_or_user(image: Path) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "quite" / "elsewhere"
        folder.mkdir(parents=True)
        for place in (Path(name), folder.parent, folder):
            place.chmod(0o777)
        shutil.copyfile(image.with_name("t.tar"), folder / "copy.tar")
        (folder / "copy.tar").chmod(0o644)
        time.sleep(1.1)  # ext4's times are whole seconds
        as_somebody_else(folder / "copy.tar", folder)
        assert (folder / "other.img").read_bytes() == image.read_bytes()
        assert sorted(path.name for path in folder.iterdir()) == ["copy.tar", "other.img"]


def test_identity_follows_the_content(image: Path, tmp_path: Path) -> None:
    other = made(tmp_path, {"a": Node("directory", 0o755)})
    uuids = {
        re.search(r"UUID:\s+(\S+)", tool("dumpe2fs", "-h", str(path)))[1]  # type: ignore[index]
        for path in (image, other)
    }
    assert len(uuids) == 2


def test_other_times_of_a_tar_are_kept(tmp_path: Path) -> None:
    info = tarfile.TarInfo("d")
    info.type, info.mode, info.mtime = tarfile.DIRTYPE, 0o755, 1_700_000_000
    with tarfile.open(tmp_path / "t.tar", "w") as tar:
        tar.addfile(info)
    ext4(RootTar(tmp_path / "t.tar"), tmp_path / "i", size_mib=None, label="x")
    assert number(r" mtime: 0x([0-9a-f]+):", stat(tmp_path / "i", "d"), 16) == 1_700_000_000


def test_size_is_the_boards_or_follows_the_content(image: Path, tmp_path: Path) -> None:
    assert image.stat().st_size == 12 << 20
    sized = made(tmp_path, size_mib=8)
    assert sized.stat().st_size == 8 << 20
    tool("e2fsck", "-f", "-n", str(sized))


@pytest.mark.parametrize("size_mib", [1, 6, 8])
def test_content_that_does_not_fit_is_refused(tmp_path: Path, size_mib: int) -> None:
    data = b"x" * 6_500_000
    (tmp_path / "i.ext4").write_bytes(b"old")
    with pytest.raises(QuardError) as caught:
        made(tmp_path, {"a": Node("file", 0o644, content=Content(len(data), data))}, size_mib)
    assert caught.value.reason == "image-too-small"
    assert "size_mib" in caught.value.hint
    assert (tmp_path / "i.ext4").read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["i.ext4", "t.tar"]


def test_entry_without_its_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(QuardError) as caught:
        made(tmp_path, {"none/a": Node("directory", 0o755)})
    assert caught.value.reason == "bad-tar"
    assert "none" in caught.value.detail


def test_empty_disk_is_whole_sparse_and_the_same_every_time(tmp_path: Path) -> None:
    disks = [tmp_path / "a" / "data.ext4", tmp_path / "b" / "data.ext4"]
    for disk in disks:
        empty(disk, size_mib=256, label="data")
    assert disks[0].read_bytes() == disks[1].read_bytes()
    assert disks[0].stat().st_size == 256 << 20
    assert "Pass 5" in tool("e2fsck", "-f", "-n", str(disks[0]))
    text = tool("dumpe2fs", "-h", str(disks[0]))
    assert re.search(r"Filesystem volume name:\s+data\n", text)
    assert "has_journal" in text
    copy = tmp_path / "copy"
    subprocess.run(["cp", "--sparse=always", disks[0], copy], check=True)
    assert copy.stat().st_blocks * 512 < 1 << 20


def test_damage_costs_a_file_and_not_the_file_system(image: Path) -> None:
    assert re.search(r"Errors behavior:\s+Continue\n", tool("dumpe2fs", "-h", str(image)))
