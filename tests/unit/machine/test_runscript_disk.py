"""The guest's own disk: a copy that lives as long as its image."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

import pytest
from runscript_board import BINARY, FAKE_QEMU, Board, new_board


@pytest.fixture
def board() -> Iterator[Board]:
    with new_board() as board:
        yield board


def replace_image(board: Board, content: bytes) -> None:
    new = board.images / "new"
    new.write_bytes(content)
    new.replace(board.images / "rootfs.ext4")


def test_guests_disk_is_a_copy_and_the_image_stays(board: Board) -> None:
    image = (board.images / "rootfs.ext4").read_bytes()
    assert board.start("FORWARD=none").status == 0
    assert board.disk.read_bytes() == image
    board.disk.write_bytes(b"changed by the guest")
    assert board.start("FORWARD=none").status == 0
    assert board.disk.read_bytes() == b"changed by the guest"
    assert (board.images / "rootfs.ext4").read_bytes() == image


def test_new_image_makes_the_disk_anew_and_says_so(board: Board) -> None:
    board.start("FORWARD=none")
    before = (board.images / "rootfs.ext4").stat()
    replace_image(board, b"other" + bytes(1 << 20))
    os.utime(board.images / "rootfs.ext4", ns=(before.st_atime_ns, before.st_mtime_ns))
    outcome = board.start("FORWARD=none")
    assert "disk: changes of earlier boots are dropped" in outcome.errors
    assert board.disk.read_bytes().startswith(b"other")


def test_same_image_built_again_keeps_the_disk(board: Board) -> None:
    board.start("FORWARD=none")
    board.disk.write_bytes(b"changed by the guest")
    replace_image(board, (board.images / "rootfs.ext4").read_bytes())
    for _ in range(2):
        assert "disk:" not in board.start("FORWARD=none").errors
        assert board.disk.read_bytes() == b"changed by the guest"


def test_fresh_throws_the_changes_away(board: Board) -> None:
    board.start("FORWARD=none")
    board.disk.write_bytes(b"changed by the guest")
    assert "dropped" in board.start("FORWARD=none", "FRESH=1").errors
    assert board.disk.read_bytes().startswith(b"first")


def test_interrupted_copy_is_made_again(board: Board) -> None:
    board.start("FORWARD=none")
    (board.folder / "run" / "rootfs.stamp").unlink()
    board.disk.with_name("rootfs.ext4.new").write_bytes(b"half")
    board.disk.write_bytes(b"of an unknown image")
    board.start("FORWARD=none")
    assert board.disk.read_bytes().startswith(b"first")
    assert sorted(path.name for path in board.disk.parent.iterdir()) == [
        "lock",
        "rootfs.ext4",
        "rootfs.stamp",
    ]


def test_full_disk_is_reported_and_leaves_nothing(board: Board) -> None:
    (board.tools / "cp").write_text(
        '#!/bin/sh\nfor last; do :; done\necho half >"$last"\n'
        "echo 'cp: No space left on device' >&2\nexit 1\n",
        encoding="utf-8",
    )
    (board.tools / "cp").chmod(0o755)
    block = board.start("FORWARD=none", "SHARE=none").rejected("disk-copy-failed")
    assert "No space left on device" in block
    assert [path.name for path in board.disk.parent.iterdir()] == ["lock"]


def test_copy_is_sparse(board: Board) -> None:
    with (board.images / "rootfs.ext4").open("r+b") as image:
        image.truncate(64 << 20)
    board.start("FORWARD=none")
    assert board.disk.stat().st_size == 64 << 20
    assert board.disk.stat().st_blocks * 512 < 4 << 20


def test_state_names_another_folder(board: Board) -> None:
    outcome = board.start("FORWARD=none", f"STATE={board.folder}/b,c")
    root, data = outcome.values("-drive")
    assert root.endswith("/out/b,,c/rootfs.ext4") and data.endswith("/out/b,,c/data.ext4")
    assert not (board.folder / "run").exists() and not board.home.exists()


def test_snapshot_keeps_nothing(board: Board) -> None:
    outcome = board.start("FORWARD=none", "SNAPSHOT=1")
    root, _ = outcome.values("-drive")
    assert root.endswith("images/rootfs.ext4,snapshot=on")
    assert not (board.folder / "run").exists()


def test_second_guest_gets_a_disk_that_forgets_while_the_first_runs(board: Board) -> None:
    (board.tools / BINARY).write_text(
        FAKE_QEMU + '[ -z "$HOLD" ] || { echo up; cat; }\n', encoding="utf-8"
    )
    environment = {
        "PATH": f"{board.tools}:{os.environ['PATH']}",
        "QEMU_ARGUMENTS": str(board.folder / "first"),
        "XDG_STATE_HOME": str(board.home),
        "HOLD": "1",
    }
    command = [str(board.images / "run.sh"), "FORWARD=none"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == b"up\n"
        second = board.start("FORWARD=none", environment={"HOLD": ""})
        assert "another guest uses" in second.errors
        root, data = second.values("-drive")
        assert root.endswith("images/rootfs.ext4,snapshot=on")
        assert data.endswith("images/data.ext4,snapshot=on")
        own = board.start("FORWARD=none", f"STATE={board.folder}/own", environment={"HOLD": ""})
        assert "another guest" not in own.errors
        assert (board.folder / "own/data.ext4").is_file()
        first.communicate(timeout=10)
    third = board.start("FORWARD=none", environment={"HOLD": ""})
    root, data = third.values("-drive")
    assert root.endswith("run/rootfs.ext4") and data.endswith(str(board.data).replace(",", ",,"))
