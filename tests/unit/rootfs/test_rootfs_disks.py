"""The data disk: found by its label, mounted where there is one, and what it keeps."""

from __future__ import annotations

import pytest
from guestroot import Guest

OPTIONS = "noauto,nosuid,nodev"
MOUNT_DATA = [f"mount -t ext4 -o ro,{OPTIONS} /dev/vdb /data", "mount -o remount,rw /data"]
OVERLAY = (
    "mount -t overlay -o lowerdir=/root,upperdir=/data/persistent/changes/root,"
    "workdir=/data/persistent/work/root overlay /root"
)


@pytest.fixture
def board(guest: Guest) -> Guest:
    """A root with a disk that has the label, and no services."""
    for script in (guest.root / "etc/init.d").glob("S*"):
        script.unlink()
    guest.write("proc/mounts", "/dev/root / ext4 rw 0 0\ndevtmpfs /dev devtmpfs rw 0 0\n")
    guest.write("proc/uptime", "1.87 3.10\n")
    guest.write("etc/hostname", "board\n")
    guest.write("etc/fstab", f"/dev/root / auto rw 0 1\nLABEL=data /data ext4 {OPTIONS} 0 2\n")
    disk(guest, "vda", "quard-star")
    disk(guest, "vdb", "data")
    (guest.root / "data").mkdir()
    for name in ("e2fsck", "reboot"):
        guest.program(f"usr/sbin/{name}", f'echo "{name} $*" >>/stub/calls\n. /stub/{name}.sh')
        guest.stub(name, "")
    return guest


def disk(board: Guest, name: str, label: str) -> None:
    """Give the machine a disk with a label where ext4 has it."""
    (board.root / "sys/class/block" / name).mkdir(parents=True)
    board.write(f"dev/{name}", "\0" * 1144 + label.ljust(16, "\0") + "\0" * 100)


def damaged(board: Guest, name: str, errors: int = 3) -> None:
    """The kernel has met damage on a disk, which e2fsck repairs with its status 1."""
    board.write(f"sys/fs/ext4/{name}/errors_count", f"{errors}\n")
    board.stub("e2fsck", "echo 0 >/sys/fs/ext4/${2#/dev/}/errors_count\nexit 1")


def mounts(board: Guest) -> list[str]:
    """Return the calls of mount from the one of /data on."""
    return [call for call in board.called("mount") if "/data" in call]


def boot(board: Guest) -> str:
    board.run("/etc/init.d/rcS")
    return board.read("run/boot-status")


def test_data_disk_is_found_by_its_label_and_mounted_with_the_options_of_fstab(
    board: Guest,
) -> None:
    assert boot(board) == "ok\n"
    assert mounts(board) == MOUNT_DATA
    assert board.called("e2fsck") == []


@pytest.mark.parametrize("lacks", ["the disk", "the folder"])
def test_without_the_disk_or_the_folder_the_boot_is_as_ever(board: Guest, lacks: str) -> None:
    if lacks == "the disk":
        disk(board, "vdc", "data2")
        (board.root / "sys/class/block/vdb").rmdir()
    else:
        (board.root / "data").rmdir()
    board.write("etc/persistent", "/root\n")
    assert boot(board) == "ok\n"
    assert mounts(board) == []


@pytest.mark.parametrize(
    ("line", "called"),
    [
        ("/dev/sda1 /data ext4 noatime 0 2", "mount -t ext4 -o ro,noatime /dev/sda1 /data"),
        ("UUID=12 /data ext4 noatime 0 2", "mount -t ext4 -o ro,noatime /dev/vdz /data"),
        ("proc /proc proc defaults 0 0", None),
    ],
)
def test_fstab_may_name_another_disk_or_none(board: Guest, line: str, called: str | None) -> None:
    board.program("usr/sbin/findfs", "echo /dev/vdz")
    board.write("etc/fstab", f"{line}\n")
    assert boot(board) == "ok\n"
    assert mounts(board)[:1] == ([called] if called else [])


def test_disk_that_cannot_be_mounted_is_named_and_nothing_is_kept_on_the_root(
    board: Guest,
) -> None:
    board.stub("mount", "[ $1 != -t ]")
    board.write("etc/persistent", "/root\n")
    assert boot(board) == "failed: mount /data\n"
    assert board.called("e2fsck") == ["e2fsck -p /dev/vdb"]
    assert list((board.root / "data").iterdir()) == []


def test_changes_of_a_folder_go_to_the_disk_with_owner_and_mode_of_the_images(
    board: Guest,
) -> None:
    (board.root / "root").chmod(0o710)
    board.write("etc/persistent", "/root\n")
    assert boot(board) == "ok\n"
    changes = board.root / "data/persistent/changes/root"
    assert changes.stat().st_mode & 0o7777 == 0o710
    assert mounts(board) == [*MOUNT_DATA, OVERLAY]


def test_second_boot_leaves_the_folders_owner_and_mode_alone(board: Guest) -> None:
    board.write("etc/persistent", "/root\n")
    boot(board)
    changes = board.root / "data/persistent/changes/root"
    changes.chmod(0o750)
    (changes.parent / "root.new").mkdir()
    assert boot(board) == "ok\n"
    assert changes.stat().st_mode & 0o7777 == 0o750


def test_file_is_copied_once_and_the_copy_is_used(board: Guest) -> None:
    board.write("etc/mine.conf", "as built\n").chmod(0o640)
    board.write("etc/persistent", "/etc/mine.conf\n")
    assert boot(board) == "ok\n"
    copy = board.root / "data/persistent/changes/etc/mine.conf"
    assert (copy.read_text(), copy.stat().st_mode & 0o777) == ("as built\n", 0o640)
    copy.write_text("changed\n")
    assert boot(board) == "ok\n"
    assert copy.read_text() == "changed\n"
    bind = "mount -o bind /data/persistent/changes/etc/mine.conf /etc/mine.conf"
    assert mounts(board) == [*MOUNT_DATA, bind] * 2


def test_what_cannot_be_kept_is_named_and_the_rest_is_kept(board: Guest) -> None:
    board.write("etc/mine.conf", "")
    board.write("etc/persistent", "/root\n/etc/gone\n/etc/mine.conf\n")
    board.stub("mount", '[ "$2" != overlay ]')
    assert boot(board) == "failed: keep changes of /root /etc/gone\n"
    assert (board.root / "data/persistent/changes/etc/mine.conf").is_file()


def test_damaged_data_disk_is_repaired_before_it_is_writable_and_that_is_said(
    board: Guest,
) -> None:
    damaged(board, "vdb")
    assert boot(board) == "failed: e2fsck has repaired /data\n"
    order = [call for call in board.calls if "data" in call or "vdb" in call]
    assert order == [
        MOUNT_DATA[0],
        "umount /data",
        "e2fsck -p /dev/vdb",
        f"mount -t ext4 -o {OPTIONS} /dev/vdb /data",
    ]
    board.forget()
    assert boot(board) == "ok\n"


def test_what_e2fsck_does_not_dare_alone_is_repaired_all_the_same(board: Guest) -> None:
    damaged(board, "vdb")
    board.stub("e2fsck", "[ $1 = -f ] || exit 4\nexit 1")
    assert boot(board) == "failed: e2fsck has repaired /data\n"
    assert board.called("e2fsck") == ["e2fsck -p /dev/vdb", "e2fsck -f -y /dev/vdb"]


@pytest.mark.parametrize("lacks", ["a repair", "e2fsck"])
def test_data_disk_that_cannot_be_repaired_is_not_mounted(board: Guest, lacks: str) -> None:
    damaged(board, "vdb")
    if lacks == "e2fsck":
        (board.root / "usr/sbin/e2fsck").unlink()
    else:
        board.stub("e2fsck", "exit 4")
    assert boot(board) == "failed: mount /data, e2fsck cannot repair /data\n"
    assert mounts(board) == MOUNT_DATA[:1]
    assert board.called("umount") == ["umount /data"]


def ext4_root(board: Guest) -> None:
    board.write("proc/mounts", "/dev/root / ext4 ro 0 0\ndevtmpfs /dev devtmpfs rw 0 0\n")
    board.write("sys/fs/ext4/vda/errors_count", "0\n")


def test_clean_root_becomes_writable_without_e2fsck(board: Guest) -> None:
    ext4_root(board)
    assert boot(board) == "ok\n"
    assert "mount -o remount,rw /" in board.calls
    assert board.called("e2fsck") == board.called("reboot") == []


def test_damaged_root_is_repaired_while_it_is_read_only_and_the_next_boot_says_so(
    board: Guest,
) -> None:
    ext4_root(board)
    damaged(board, "vda")
    board.stub("reboot", "kill $PPID")
    board.run("/etc/init.d/rcS")
    assert board.called("e2fsck") == ["e2fsck -p /dev/vda"]
    assert board.calls[-2:] == ["sync", "reboot -f"]
    assert "mount -o remount,rw /" not in board.calls
    board.forget()
    assert boot(board) == "failed: e2fsck has repaired /\n"
    assert "mount -o remount,rw /" in board.calls
    assert boot(board) == "ok\n"


def test_root_that_is_damaged_again_at_once_stays_read_only_instead_of_restarting_for_ever(
    board: Guest,
) -> None:
    ext4_root(board)
    damaged(board, "vda")
    board.write("data/.repaired", "/\n")
    assert boot(board) == "failed: remount /, e2fsck cannot repair /, e2fsck has repaired /\n"
    assert board.called("reboot") == []
    assert "mount -o remount,rw /" not in board.calls


def test_root_that_cannot_be_repaired_stays_read_only(board: Guest) -> None:
    ext4_root(board)
    damaged(board, "vda")
    board.stub("e2fsck", "exit 4")
    assert boot(board) == "failed: remount /, e2fsck cannot repair /\n"
    assert board.called("reboot") == []


def test_shutdown_lets_go_of_what_is_kept_even_where_a_shell_is_in_it(board: Guest) -> None:
    board.write("etc/persistent", "/root\n/etc/gone\n")
    board.write("proc/mounts", "/dev/vdb /data ext4 rw 0 0\noverlay /root overlay rw 0 0\n")
    assert board.run("/etc/init.d/rcK").status == 0
    assert board.called("umount") == ["umount -l /root", "umount -l /data"]
