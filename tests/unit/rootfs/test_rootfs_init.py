"""rcS, rcK, /init and overlay-init: order, steps, and what their last line and status say."""

from __future__ import annotations

import pytest
from guestroot import Guest, Result

EXT4 = "/dev/root / ext4 rw,noatime 0 0\ndevtmpfs /dev devtmpfs rw 0 0\n"
STEPS = ["mount -a", "sysctl -q -p /etc/sysctl.conf"]
KERNEL = "proc/sys/kernel"


@pytest.fixture
def board(guest: Guest) -> Guest:
    """A root as the kernel hands it over, without the services that the overlay ships."""
    for script in (guest.root / "etc/init.d").glob("S*"):
        script.unlink()
    guest.write("proc/mounts", EXT4)
    guest.write("proc/uptime", "1.87 3.10\n")
    guest.write("etc/hostname", "board\n")
    return guest


def service(board: Guest, name: str, status: int = 0) -> None:
    board.program(f"etc/init.d/{name}", f'echo "{name} $*" >>/stub/calls\nexit {status}')


def in_order(board: Guest) -> list[str]:
    """Return the calls but the one of mdev, which goes on beside the others."""
    return [call for call in board.calls if call != "mdev -d"]


def boot(board: Guest) -> Result:
    return board.run("/etc/init.d/rcS")


def test_a_boot_without_trouble_ends_with_the_banner(board: Guest) -> None:
    service(board, "S40network")
    result = boot(board)
    assert result.status == 0
    assert in_order(board) == [*STEPS, "S40network start"]
    assert board.calls.count("mdev -d") == 1
    assert result.lines[-2] == " Quard Star is up, 1.87 s after power-on."
    assert set(result.lines[-1]) == {"-"}
    assert board.read("run/boot-status") == "ok\n"


def test_what_the_steps_leave_behind(board: Guest) -> None:
    boot(board)
    for folder in ("dev/pts", "dev/shm", "run/lock"):
        assert (board.root / folder).is_dir()
    assert (board.root / "dev/fd").readlink().as_posix() == "/proc/self/fd"
    assert (board.root / "dev/stderr").readlink().as_posix() == "fd/2"
    assert board.read("run/utmp") == ""
    for folder in ("network", "problems"):
        assert (board.root / "run" / folder).stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("text", ["board\n", "board", "# mine\n\n  board # a board\n"])
def test_services_find_the_host_name_set_and_the_console_quiet(board: Guest, text: str) -> None:
    board.write("etc/hostname", text)
    board.program("etc/init.d/S10a", f"cat /{KERNEL}/hostname /{KERNEL}/printk >/stub/seen")
    assert boot(board).status == 0
    assert board.read("stub/seen") == "board\n1\n"


@pytest.mark.parametrize("name", ["fd", "stdin", "stderr"])
def test_a_stream_that_is_there_is_left_alone_and_the_others_are_made(
    board: Guest, name: str
) -> None:
    (board.root / "dev" / name).symlink_to("mine")
    assert boot(board).status == 0
    links = [path for path in (board.root / "dev").iterdir() if path.is_symlink()]
    found = {path.name: str(path.readlink()) for path in links}
    made = {"fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2"}
    assert found == made | {name: "mine"}


def test_a_second_run_is_no_failure(board: Guest) -> None:
    assert boot(board).status == 0
    assert boot(board).status == 0


def test_services_start_in_name_order_with_the_boots_environment(board: Guest) -> None:
    for name in ("S50b", "S01a", "S400c", "S40d", "S9", "K10e", "X20f"):
        service(board, name)
    board.program("etc/init.d/S60env", 'echo "$PATH|$LD_LIBRARY_PATH" >/stub/env')
    board.env = {"PATH": "/nowhere:/sbin:/bin"}
    assert boot(board).status == 0
    started = [call for call in board.calls if call.endswith(" start")]
    assert started == ["S01a start", "S400c start", "S40d start", "S50b start"]
    assert board.read("stub/env") == "/sbin:/bin:/usr/sbin:/usr/bin|/lib:/usr/lib:/usr/local/lib\n"


def test_a_sourced_service_runs_in_a_subshell_with_the_action(board: Guest) -> None:
    board.write(
        "etc/init.d/S10mine.sh", 'echo "sourced $# $1 $0" >>/stub/calls\nfailed=x PATH=\nexit 0\n'
    )
    service(board, "S20next")
    assert boot(board).status == 0
    assert in_order(board)[-2:] == ["sourced 1 start /etc/init.d/rcS", "S20next start"]


def test_failed_services_are_named_in_one_last_line_and_the_others_start(board: Guest) -> None:
    service(board, "S10good")
    service(board, "S20bad", 3)
    board.write("etc/init.d/S30worse.sh", "exit 7\n")
    board.write("etc/init.d/S40plain", "not executable\n")
    service(board, "S50last")
    result = boot(board)
    assert result.status == 1
    named = "S20bad (status 3), S30worse.sh (status 7), S40plain (status 126)"
    assert result.lines[-1] == f"rcS: failed: {named}"
    assert board.read("run/boot-status") == f"failed: {named}\n"
    assert in_order(board)[-1] == "S50last start"


def test_a_second_run_that_succeeds_takes_the_failure_back(board: Guest) -> None:
    service(board, "S20bad", 3)
    assert boot(board).status == 1
    service(board, "S20bad", 0)
    assert boot(board).status == 0
    assert board.read("run/boot-status") == "ok\n"


def test_a_failure_is_named_on_the_console_where_run_cannot_be_written(board: Guest) -> None:
    service(board, "S20bad", 3)
    board.readonly.append("run")
    result = boot(board)
    assert result.status == 1
    assert result.lines[-1].endswith("S20bad (status 3)")


def test_what_a_service_notes_as_a_problem_is_in_the_status(board: Guest) -> None:
    note = ". /etc/init.d/problems; set_problem disk 'the disk was damaged'"
    board.program("etc/init.d/S20disk", note)
    service(board, "S30bad", 1)
    result = boot(board)
    assert result.lines[-1] == "rcS: failed: S30bad (status 1), the disk was damaged"
    assert board.read("run/boot-status") == "failed: S30bad (status 1), the disk was damaged\n"


def test_a_folder_or_a_dangling_link_is_no_service(board: Guest) -> None:
    (board.root / "etc/init.d/S10folder").mkdir()
    (board.root / "etc/init.d/S20link").symlink_to("nowhere")
    assert boot(board).status == 0


@pytest.mark.parametrize(
    ("stub", "body", "named"),
    [
        ("mount", "[ $1 != -a ]", "mount -a"),
        ("mdev", "false", "mdev"),
        ("sysctl", "false", "sysctl"),
    ],
)
def test_a_failed_step_is_named_and_the_boot_goes_on(
    board: Guest, stub: str, body: str, named: str
) -> None:
    board.stub(stub, body)
    service(board, "S10a")
    result = boot(board)
    assert result.status == 1
    assert result.lines[-1] == f"rcS: failed: {named}"
    assert "S10a start" in board.calls


@pytest.mark.parametrize(
    ("lacks", "named"),
    [
        ("etc/hostname", "hostname"),
        (f"{KERNEL}/hostname", "hostname"),
        (f"{KERNEL}/printk", "dmesg"),
        ("run/lock", "mkdir /run"),
    ],
)
def test_a_step_that_cannot_write_or_read_is_named_and_the_boot_goes_on(
    board: Guest, lacks: str, named: str
) -> None:
    (board.root / lacks).unlink(missing_ok=True)
    if lacks == "run/lock":
        board.write(lacks, "a file in the folder's place")
    elif lacks.startswith("proc"):
        (board.root / lacks).mkdir()
    service(board, "S10a")
    result = boot(board)
    assert result.status == 1
    assert result.lines[-1] == f"rcS: failed: {named}"
    assert "S10a start" in board.calls


def test_a_board_without_a_sysctl_file_boots_as_well(board: Guest) -> None:
    (board.root / "etc/sysctl.conf").unlink()
    assert boot(board).status == 0
    assert not [call for call in board.calls if call.startswith("sysctl")]


def test_services_start_beside_the_scan_for_devices_and_the_boot_waits_for_its_end(
    board: Guest,
) -> None:
    board.stub("mdev", "until [ -e /run/service ]; do :; done; echo scanned >>/stub/calls; exit 3")
    board.program("etc/init.d/S10a", "echo >/run/service")
    result = boot(board)
    assert result.lines[-1] == "rcS: failed: mdev"
    assert board.calls[-1] == "scanned"


def devices(board: Guest, *aliases: str) -> None:
    for number, alias in enumerate(aliases):
        board.write(f"sys/devices/bus/{number}/modalias", f"{alias}\n")


def test_without_modules_nothing_looks_for_drivers(board: Guest) -> None:
    devices(board, "virtio:d00000001v554D4551")
    board.stub("mdev", "until [ -e /run/service ]; do :; done")
    board.program("etc/init.d/S10a", "echo >/run/service")  # nor is the scan waited for
    assert boot(board).status == 0
    assert board.called("modprobe") == []


def test_drivers_of_the_devices_that_are_there_are_loaded_at_once_when_mdev_listens(
    board: Guest,
) -> None:
    board.write("lib/modules/6.12/modules.alias", "")
    devices(board, "virtio:d2v1", "of:NfooT(null)Ca,b", "virtio:d1v1", "virtio:d2v1")
    board.stub("mdev", "until [ -e /stub/ready ]; do :; done; echo listens >>/stub/calls")
    board.write("stub/ready", "")
    service(board, "S10a")
    assert boot(board).status == 0
    wanted = "modprobe -abq of:NfooT(null)Ca,b virtio:d1v1 virtio:d2v1"
    assert [call for call in board.calls if call in ("listens", wanted, "S10a start")] == [
        *("listens", wanted, "S10a start"),
    ]


def test_device_without_a_module_is_no_failure_and_a_module_that_cannot_be_loaded_is(
    board: Guest,
) -> None:
    board.write("lib/modules/6.12/modules.alias", "")
    devices(board, "virtio:d2v1")
    board.stub("modprobe", "exit 1")
    assert boot(board).status == 0
    board.stub("modprobe", "echo 'modprobe: cannot load module x' >&2; exit 1")
    result = boot(board)
    assert result.lines[-1] == "rcS: failed: modprobe"
    assert "modprobe: cannot load module x" in result.lines


def test_failed_scan_is_named_once_on_a_board_with_modules(board: Guest) -> None:
    board.write("lib/modules/6.12/modules.alias", "")
    board.stub("mdev", "false")
    assert boot(board).lines[-1] == "rcS: failed: mdev"


def test_a_utmp_that_cannot_be_written_does_not_end_the_boot(board: Guest) -> None:
    (board.root / "run/utmp").mkdir()
    service(board, "S10a")
    assert boot(board).lines[-1] == "rcS: failed: utmp"
    assert "S10a start" in board.calls


@pytest.mark.parametrize(
    ("mounts", "fstab_options", "remounts"),
    [
        ("/dev/root / ext4 ro,noatime 0 0\n", "rw,noatime", ["rw"]),
        ("rootfs / rootfs rw 0 0\n/dev/root / ext4 ro 0 0\n", "rw", ["rw"]),
        ("/dev/root / ext4 ro 0 0\n", "defaults,ro,noatime", []),
        ("/dev/root / ext4 rw,errors=remount-ro 0 0\n", "rw", []),
        ("/dev/root / ext4 rw,relatime 0 0\n", "defaults,ro,noatime", ["ro"]),
        ("/dev/root / ext4 rw,relatime 0 0\n", "errors=remount-ro", []),
        ("/dev/root / squashfs ro 0 0\n", "rw", []),
        ("/dev/root / erofs ro 0 0\n", "rw", []),
    ],
)
def test_the_root_is_as_writable_as_fstab_says_where_it_can_be(
    board: Guest, mounts: str, fstab_options: str, remounts: list[str]
) -> None:
    board.write("proc/mounts", mounts + "devtmpfs /dev devtmpfs rw 0 0\n")
    board.write("etc/fstab", f"# a remark about / and ro\n/dev/root / auto {fstab_options} 0 1\n")
    assert boot(board).status == 0
    wanted = [f"mount -o remount,{access} /" for access in remounts]
    assert [call for call in board.calls if "remount" in call] == wanted


def test_dev_is_mounted_when_the_kernel_did_not(board: Guest) -> None:
    board.write("proc/mounts", "/dev/root / ext4 rw 0 0\n")
    boot(board)
    assert board.calls[:2] == ["mount -t devtmpfs devtmpfs /dev", "mount -a"]


def test_proc_is_mounted_first(board: Guest) -> None:
    (board.root / "proc/mounts").unlink()
    board.stub("mount", f"[ $2 != proc ] || printf '{EXT4}' >/proc/mounts")
    assert boot(board).status == 0
    assert board.calls[:2] == ["mount -t proc proc /proc", "mount -a"]


@pytest.mark.parametrize(
    ("tags", "mounted"),
    [
        ([], False),
        (["other\0"], False),
        (["hostshare\0"], True),
        (["other\0", "hostshare\0"], True),
        (["hostshare2\0"], False),
    ],
)
def test_the_share_is_mounted_only_when_offered(
    board: Guest, tags: list[str], mounted: bool
) -> None:
    for number, tag in enumerate(tags):
        board.write(f"sys/bus/virtio/drivers/9pnet_virtio/virtio{number}/mount_tag", tag)
    assert boot(board).status == 0
    assert ("mount /mnt" in board.calls) is mounted


def test_mode_of_the_shares_cache_is_the_machines(board: Guest) -> None:
    board.write("sys/bus/virtio/drivers/9pnet_virtio/virtio0/mount_tag", "hostshare\0")
    assert board.run("/etc/init.d/rcS", env={"share_cache": "mmap"}).status == 0
    assert "mount -o cache=mmap /mnt" in board.calls


def test_a_share_that_cannot_be_mounted_is_named(board: Guest) -> None:
    board.write("sys/bus/virtio/drivers/9pnet_virtio/virtio0/mount_tag", "hostshare\0")
    board.stub("mount", "[ $1 != /mnt ]")
    assert boot(board).lines[-1] == "rcS: failed: mount /mnt"


def test_the_boot_needs_no_writable_root(board: Guest) -> None:
    board.write("proc/mounts", "/dev/root / squashfs ro 0 0\ndevtmpfs /dev devtmpfs rw 0 0\n")
    service(board, "S10a")
    board.readonly += ["etc", "usr/sbin", "usr/share", "var", "root", "www", "mnt", "sys"]
    assert boot(board).status == 0


def test_ctrl_c_does_not_end_the_boot_and_is_not_ignored_in_services(board: Guest) -> None:
    board.program("etc/init.d/S10a", 'kill -INT "$PPID"\n')
    # SigIgn of the service, where bit 1 is SIGINT; it is all zeros unless somebody ignored some.
    board.program("etc/init.d/S20b", "grep SigIgn /proc/self/status >/stub/ignored")
    result = board.run("/etc/init.d/rcS", live=True)
    assert "Quard Star is up" in result.out
    assert int(board.read("stub/ignored").split()[1], 16) & 0b10 == 0


def test_services_stop_in_reverse_order(board: Guest) -> None:
    for name in ("S50b", "S01a", "S40d", "S40 e", "S9"):
        service(board, name)
    board.write("etc/init.d/S45mine.sh", 'echo "sourced $1" >>/stub/calls\n')
    assert board.run("/etc/init.d/rcK") == Result(0, "")
    assert board.calls == ["S50b stop", "sourced stop", "S40d stop", "S40 e stop", "S01a stop"]


def test_a_failed_stop_is_named_and_the_others_stop(board: Guest) -> None:
    service(board, "S01a")
    service(board, "S40b", 1)
    service(board, "S50c", 2)
    result = board.run("/etc/init.d/rcK")
    assert result == Result(1, "rcK: failed: S50c (status 2), S40b (status 1)\n")
    assert board.calls[-1] == "S01a stop"


def test_a_shutdown_without_services_succeeds(board: Guest) -> None:
    assert board.run("/etc/init.d/rcK") == Result(0, "")


def test_initramfs_init_mounts_dev_and_becomes_init(board: Guest) -> None:
    board.write("dev/console", "")
    board.write(".whole", "whole\n")
    board.stub("init", 'echo "pid $$" >/stub/pid')
    assert board.run("/bin/sh", "-c", "echo $$ >/stub/shell; exec /init single").status == 0
    assert board.calls == ["mount -t devtmpfs devtmpfs /dev", "init single"]
    assert board.read("stub/pid") == f"pid {board.read('stub/shell')}"
    assert not (board.root / ".whole").exists()


@pytest.mark.parametrize("end", ["missing", "empty"])
def test_initramfs_that_was_not_unpacked_whole_does_not_boot(board: Guest, end: str) -> None:
    if end == "empty":
        board.write(".whole", "")
    result = board.run("/init")
    assert result.status == 1
    assert result.lines == [
        "init: the initramfs was not unpacked completely: the machine has too little memory"
    ]
    assert board.called("init") == []


def test_initramfs_init_goes_on_without_devtmpfs(board: Guest) -> None:
    board.write(".whole", "whole\n")
    board.stub("mount", "exit 1")
    assert "no devtmpfs" in board.run("/init").out
    assert board.calls[-1] == "init"


OVERLAY_STEPS = [
    "mount -t tmpfs -o mode=0755 tmpfs /run",
    "mount -t overlay -o lowerdir=/,upperdir=/run/upper,workdir=/run/work overlay /mnt",
    "mount -o move /dev /mnt/dev",
    "pivot_root . rom",
]


def test_overlay_init_starts_init_on_the_overlay(board: Guest) -> None:
    board.write("dev/console", "")
    assert board.run("/sbin/overlay-init", "single").status == 0
    assert board.calls == [*OVERLAY_STEPS, "chroot . /sbin/init single"]


@pytest.mark.parametrize(
    ("stub", "body", "named"),
    [
        ("mount", "[ $2 != tmpfs ]", "a tmpfs on /run"),
        ("mount", "[ $2 != overlay ]", "the overlay"),
        ("pivot_root", "false", "pivot_root"),
    ],
)
def test_overlay_init_starts_init_whatever_fails(
    board: Guest, stub: str, body: str, named: str
) -> None:
    board.write("dev/console", "")
    board.stub(stub, body)
    result = board.run("/sbin/overlay-init", "single")
    assert result.out == f"overlay-init: {named} failed, the root file system stays read-only\n"
    assert board.calls[-1] == "init single"


def test_a_dev_that_is_not_mounted_does_not_stop_overlay_init(board: Guest) -> None:
    board.write("dev/console", "")
    board.stub("mount", '[ "$2" != move ]')
    assert board.run("/sbin/overlay-init") == Result(0, "")
    assert board.calls[-1] == "chroot . /sbin/init"
