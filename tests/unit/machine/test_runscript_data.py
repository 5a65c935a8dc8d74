"""The guest's data disk: it outlives images, and lies where deleting `out/` does not reach it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from runscript_board import FORMATS, MACHINE, NOBODY, TEMPLATE, Board, new_board

from quard.machine.runscript import script

KEPT = b"what the guest wrote"


@pytest.fixture
def board() -> Iterator[Board]:
    with new_board() as board:
        yield board


@pytest.fixture
def used(board: Board) -> Board:
    """A board whose guest has written to its data disk."""
    assert board.start("FORWARD=none").status == 0
    board.data.write_bytes(KEPT)
    return board


def test_data_disk_starts_as_the_builds_empty_one_outside_of_the_builds_folder(
    board: Board,
) -> None:
    outcome = board.start("FORWARD=none")
    assert board.data.read_bytes() == (board.images / "data.ext4").read_bytes()
    assert f"data: {board.data}\n" in outcome.errors
    assert board.folder not in board.data.parents
    assert board.data.parent.name.startswith("quard-star-")
    assert (board.data.parent / "images").read_text() == f"{board.images}\n"


@pytest.mark.parametrize("root", ["ext4", "squashfs", "cpio"])
def test_data_outlive_a_new_image_and_the_builds_folder(used: Board, root: str) -> None:
    (used.images / "rootfs.ext4").write_bytes(b"other" + bytes(1 << 20))
    (used.images / "data.ext4").write_bytes(b"larger" + bytes(2 << 20))
    if used.disk.exists():
        used.disk.unlink()
    outcome = used.start("FORWARD=none", f"ROOT={root}")
    assert outcome.values("-drive")[-1].endswith(str(used.data).replace(",", ",,"))
    assert used.data.read_bytes() == KEPT


def test_fresh_drops_the_data_and_says_so(used: Board) -> None:
    outcome = used.start("FORWARD=none", "FRESH=1")
    assert f"{used.data} is dropped" in outcome.errors
    assert used.data.read_bytes().startswith(b"empty")


def test_snapshot_reads_the_data_in_a_copy_without_a_name(used: Board) -> None:
    reader = f"""#!/bin/sh
        for word; do case $word in *id=data*) file=${{word##*file=}} ;; esac; done
        cat "$file" >"{used.folder}/seen"; echo forgotten >"$file"
        printf '%s\\0' "$@" >"$QEMU_ARGUMENTS"
    """
    (used.tools / "qemu-system-riscv64").write_text(reader)
    before = sorted(used.home.rglob("*"))
    outcome = used.start("FORWARD=none", "SNAPSHOT=1", environment={"TMPDIR": str(used.folder)})
    assert outcome.values("-drive")[-1] == "if=none,id=data,format=raw,file=/dev/fd/7"
    assert (used.folder / "seen").read_bytes() == KEPT
    assert used.data.read_bytes() == KEPT
    assert sorted(used.home.rglob("*")) == before
    assert list(used.folder.glob("tmp.*")) == []


def test_snapshot_without_data_starts_with_none_and_makes_none(board: Board) -> None:
    outcome = board.start("FORWARD=none", "SNAPSHOT=1")
    assert "snapshot=on" in outcome.values("-drive")[-1]
    assert list(board.home.rglob("data.ext4")) == []


def test_fresh_snapshot_leaves_the_data_alone(used: Board) -> None:
    outcome = used.start("FORWARD=none", "SNAPSHOT=1", "FRESH=1")
    assert "snapshot=on" in outcome.values("-drive")[-1]
    assert used.data.read_bytes() == KEPT


def test_two_checkouts_of_one_board_have_two(used: Board) -> None:
    with new_board() as other:
        state = {"XDG_STATE_HOME": str(used.home)}
        assert other.start("FORWARD=none", environment=state).status == 0
    assert len(list(used.home.glob("quardroot/quard-star-*/data.ext4"))) == 2


def test_interrupted_copy_is_made_again(board: Board) -> None:
    board.start("FORWARD=none")
    folder = board.data.parent
    board.data.unlink()
    (folder / "data.ext4.new").write_bytes(b"half")
    board.start("FORWARD=none")
    assert board.data.read_bytes().startswith(b"empty")
    assert sorted(path.name for path in folder.iterdir()) == ["data.ext4", "data.lock", "images"]


def test_full_disk_is_reported_and_leaves_no_half_disk(board: Board) -> None:
    (board.tools / "cp").write_text(
        '#!/bin/sh\nfor last; do :; done\necho half >"$last"\n'
        "echo 'cp: No space left on device' >&2\nexit 1\n",
        encoding="utf-8",
    )
    (board.tools / "cp").chmod(0o755)
    arguments = ("FORWARD=none", "SHARE=none", "ROOT=cpio")
    assert "No space left" in board.start(*arguments).rejected("disk-copy-failed")
    assert [path.name for path in board.home.glob("quardroot/*/*")] == ["data.lock"]


@pytest.mark.parametrize(
    ("environment", "place"),
    [
        ({"XDG_STATE_HOME": "", "HOME": "{home}"}, "home/.local/state/quardroot"),
        ({"XDG_STATE_HOME": "relative", "HOME": "{home}"}, "home/.local/state/quardroot"),
        ({"XDG_STATE_HOME": "{home}/xdg", "HOME": "/nonexistent"}, "home/xdg/quardroot"),
    ],
)
def test_place_follows_the_users_state_folder(
    board: Board, environment: dict[str, str], place: str
) -> None:
    home = board.folder / "home"
    home.mkdir()
    given = {name: text.format(home=home) for name, text in environment.items()}
    assert board.start("FORWARD=none", environment=given).status == 0
    assert len(list((board.folder / place).glob("quard-star-*/data.ext4"))) == 1


@pytest.mark.parametrize("home", ["", "relative", "/proc/nowhere"])
def test_without_a_home_folder_the_data_lie_beside_the_images_and_that_is_said(
    board: Board, home: str
) -> None:
    (board.tools / "getent").write_text("#!/bin/sh\nexit 2\n")
    (board.tools / "getent").chmod(0o755)
    outcome = board.start("FORWARD=none", environment={"XDG_STATE_HOME": "", "HOME": home})
    assert outcome.status == 0
    assert "no home folder can hold the guest's data" in outcome.errors
    assert (board.folder / "run/data.ext4").is_file()


def test_data_of_another_user_are_refused_before_anything_is_started(used: Board) -> None:
    for path in (used.folder, used.images):
        path.chmod(0o777)
    used.data.parent.chmod(0o555)
    outcome = used.start("FORWARD=none", "SHARE=none", "ROOT=cpio", user=NOBODY)
    used.data.parent.chmod(0o755)
    assert str(used.data.parent) in outcome.rejected("state-unwritable")


def test_kept_data_without_a_lock_start_a_snapshot_without_them(used: Board) -> None:
    """As after copying the disk by hand. A failed redirection of exec ends dash without a word."""
    (used.data.parent / "data.lock").unlink()
    outcome = used.start("FORWARD=none", "SHARE=none", "ROOT=cpio", "SNAPSHOT=1")
    assert outcome.status == 0
    assert any("data.ext4" in drive for drive in outcome.values("-drive"))


@pytest.mark.parametrize("root", ["cpio", "ext4"])
def test_a_lock_of_another_user_is_an_error_with_its_reason(used: Board, root: str) -> None:
    for path in (used.folder, used.images, used.data.parent):
        path.chmod(0o777)
    state = used.folder / "state"
    state.mkdir()
    state.chmod(0o777)
    lock = state / ("data.lock" if root == "cpio" else "lock")
    lock.touch(mode=0o444)
    lock.chmod(0o444)
    settings = ("FORWARD=none", "SHARE=none", f"ROOT={root}", f"STATE={state}")
    block = used.start(*settings, user=NOBODY).rejected("state-unwritable")
    assert str(lock) in block


def test_board_without_a_data_disk_has_none(board: Board) -> None:
    text = script(MACHINE, TEMPLATE, board="b", data="", formats=FORMATS)
    (board.images / "run.sh").write_text(text)
    (board.images / "data.ext4").unlink()
    outcome = board.start("FORWARD=none", "ROOT=cpio")
    assert (outcome.status, outcome.values("-drive")) == (0, [])
    assert not board.home.exists()


def test_template_that_is_gone_is_a_missing_image(board: Board) -> None:
    (board.images / "data.ext4").unlink()
    assert "data.ext4" in board.start("FORWARD=none").rejected("image-missing")


def test_qemu_opens_a_disk_without_a_name(tmp_path: Path) -> None:
    """What SNAPSHOT=1 relies on; QEMU itself, with a machine that has no guest."""
    disk = tmp_path / "disk"
    disk.write_bytes(bytes(1 << 20))
    text = (
        'exec 7<>disk; rm disk; printf "info block\nquit\n" | exec qemu-system-riscv64 -M none'
        " -display none -monitor stdio -S -drive if=none,id=data,format=raw,file=/dev/fd/7"
    )
    done = subprocess.run(
        ["sh", "-c", text], cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "/dev/fd/7 (raw)" in done.stdout
