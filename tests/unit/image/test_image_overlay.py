from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from quard.base import hashes
from quard.base.errors import QuardError
from quard.base.files import file_sha256
from quard.image import overlay


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "rootfs"
    (root / "etc" / "init.d").mkdir(parents=True)
    (root / "etc" / "fstab").write_text("none\n", encoding="ascii")
    (root / "etc" / "init.d" / "rcS").write_text("#!/bin/sh\n", encoding="ascii")
    (root / "etc" / "init.d" / "rcS").chmod(0o755)
    (root / "etc" / "mtab").symlink_to("../proc/mounts")
    return root


def digest(root: Path) -> str:
    return overlay.scan("rootfs", root).digest


def rename(root: Path) -> None:
    (root / "etc" / "fstab").rename(root / "etc" / "fstab2")


def retarget(root: Path) -> None:
    (root / "etc" / "mtab").unlink()
    (root / "etc" / "mtab").symlink_to("/proc/mounts")


def link_to_file(root: Path) -> None:
    (root / "etc" / "mtab").unlink()
    (root / "etc" / "mtab").write_text("../proc/mounts", encoding="ascii")


@pytest.mark.parametrize(
    "change",
    [
        rename,
        retarget,
        link_to_file,
        lambda root: (root / "etc" / "fstab").write_text("some\n"),
        lambda root: (root / "etc" / "fstab").chmod(0o755),
        lambda root: (root / "etc" / "empty").mkdir(),
        lambda root: (root / "etc" / ".hidden").touch(),
    ],
)
def test_digest_sees_every_kind_of_change(folder: Path, change: Callable[[Path], object]) -> None:
    before = digest(folder)
    change(folder)
    assert digest(folder) != before


def other_umask(root: Path) -> None:
    (root / "etc" / "fstab").chmod(0o600)
    (root / "etc" / "init.d" / "rcS").chmod(0o700)
    (root / "etc" / "init.d").chmod(0o775)


@pytest.mark.parametrize(
    "change",
    [
        other_umask,
        lambda root: os.utime(root / "etc" / "fstab", (5, 5)),
        lambda root: (root / "etc" / ".gitkeep").touch(),
        lambda root: (root / "etc" / "fstab~").touch(),
        lambda root: (root / "etc" / ".fstab.swp").touch(),
        lambda root: (root / "etc" / ".#fstab").symlink_to("me@here"),
        lambda root: root.rename(root.with_name("moved")) and root.with_name("moved").rename(root),
    ],
)
def test_digest_ignores_what_git_does_not_keep(
    folder: Path, change: Callable[[Path], object]
) -> None:
    before = digest(folder)
    change(folder)
    assert digest(folder) == before


def test_moving_a_byte_from_a_name_to_the_content_changes_the_digest(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    for root, name, text in ((first, "ab", "c"), (second, "a", "bc")):
        root.mkdir()
        (root / name).write_text(text, encoding="ascii")
    assert digest(first) != digest(second)


def test_nodes_have_plain_modes_and_leave_out_the_ignored(folder: Path) -> None:
    other_umask(folder)
    (folder / "etc" / "init.d" / ".gitkeep").touch()
    found = {path: (node.kind, node.mode) for path, node in overlay.scan("rootfs", folder).nodes()}
    assert found == {
        "etc": ("directory", 0o755),
        "etc/fstab": ("file", 0o644),
        "etc/init.d": ("directory", 0o755),
        "etc/init.d/rcS": ("file", 0o755),
        "etc/mtab": ("link", 0o777),
    }


def test_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(QuardError) as caught:
        digest(tmp_path / "none")
    assert caught.value.reason == "overlay-missing"
    assert caught.value.hint.startswith("create the folder")
    (tmp_path / "files").mkdir()
    (tmp_path / "files2.txt").touch()
    with pytest.raises(QuardError) as caught:
        digest(tmp_path / "files2")
    assert caught.value.hint == "did you mean 'files'?"


def test_socket_is_refused(folder: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        here = Path.cwd()
        os.chdir(folder)
        try:
            made.bind("sock")
        finally:
            os.chdir(here)
        with pytest.raises(QuardError) as caught:
            digest(folder)
    assert caught.value.reason == "overlay-file-type"
    assert "sock" in caught.value.message


def test_everything_that_cannot_be_read_is_named_at_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(path: Path) -> str:
        raise PermissionError(13, "Permission denied", str(path))

    (folder / "etc/closed").mkdir()
    (folder / "etc/closed/x").touch()
    monkeypatch.setattr(hashes, "file_sha256", denied)
    with pytest.raises(QuardError) as caught:
        digest(folder)
    assert caught.value.reason == "overlay-unreadable"
    for name in ("etc/fstab", "etc/closed/x", "etc/init.d/rcS"):
        assert f"{name} cannot be read" in caught.value.detail


def test_folder_that_cannot_be_read_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scandir = os.scandir

    def denied(path: str) -> object:
        if path.endswith("init.d"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", denied)
    with pytest.raises(QuardError) as caught:
        digest(folder)
    assert caught.value.message == "overlay rootfs: etc/init.d cannot be read"


def test_a_file_that_rests_is_read_once_however_many_scans_there_are(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def counted(path: Path) -> str:
        read.append(path.name)
        return file_sha256(path)

    monkeypatch.setattr(hashes, "file_sha256", counted)
    monkeypatch.setattr(hashes, "GRAIN", -(10**10))
    memory = folder.parent / "memory/rootfs.json"
    before = overlay.scan("rootfs", folder, memory)
    assert sorted(read) == ["fstab", "rcS"]
    assert overlay.scan("rootfs", folder, memory) == before
    assert sorted(read) == ["fstab", "rcS"]
    (folder / "etc/fstab").write_text("some\n")
    changed = overlay.scan("rootfs", folder, memory)
    assert sorted(read) == ["fstab", "fstab", "rcS"]
    assert changed.digest == digest(folder) != before.digest


def test_a_file_written_just_before_the_scan_is_read_again(folder: Path) -> None:
    memory = folder.parent / "rootfs.json"
    overlay.scan("rootfs", folder, memory)
    assert not memory.exists()
    (folder / "etc/fstab").write_text("some\n")
    assert overlay.scan("rootfs", folder, memory).digest == digest(folder)


def test_targets_of_links_are_kept_as_they_are(folder: Path) -> None:
    (folder / "etc/x").symlink_to("././/y/")
    nodes = dict(overlay.scan("rootfs", folder).nodes())
    assert nodes["etc/x"].target == "././/y/"


def test_everything_that_cannot_be_in_an_image_is_told_at_once(folder: Path) -> None:
    os.mkfifo(folder / "one")
    os.mkfifo(folder / "etc/two")
    with pytest.raises(QuardError) as caught:
        digest(folder)
    assert caught.value.reason == "overlay-file-type"
    assert (
        "one is not a file" in caught.value.detail
        and "etc/two is not a file" in caught.value.detail
    )
