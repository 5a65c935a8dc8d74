"""The overlay as files: modes, scripts, and tables that have to agree with each other."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from guestroot import OVERLAY, PROJECT, Guest, placed_files

import style

SHELL_MARK = "# shellcheck shell=sh"
BASE = PROJECT / "configs/system/base.toml"


def files() -> list[Path]:
    return sorted(path for path in OVERLAY.rglob("*") if path.is_file() and not path.is_symlink())


def is_program(path: Path) -> bool:
    return path.read_bytes().startswith(b"#!")


def placed() -> list[Path]:
    """Return the start scripts and configuration files beside recipes."""
    return sorted(Path(each.file) for each in placed_files() if each.file)


SCRIPTS = [path for path in files() if is_program(path) or path.read_text().startswith(SHELL_MARK)]


def base() -> dict[str, Any]:
    return tomllib.loads(BASE.read_text())


def test_there_are_scripts_to_check() -> None:
    names = {path.name for path in SCRIPTS}
    assert {"rcS", "rcK", "functions", "default.script", "status", "profile", "init"} <= names
    assert len(SCRIPTS) >= 18


def test_the_check_of_style_sees_all_of_them() -> None:
    assert {str(path.relative_to(PROJECT)) for path in SCRIPTS} <= set(style.scripts())


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: str(path.relative_to(OVERLAY)))
def test_the_targets_shell_parses_it(path: Path, guest: Guest) -> None:
    result = guest.run("/bin/sh", "-n", f"/{path.relative_to(OVERLAY)}")
    assert (result.status, result.out) == (0, "")


def test_start_scripts_of_packages_are_seen_by_the_check_of_style() -> None:
    scripts = {str(path.relative_to(PROJECT)) for path in placed() if is_program(path)}
    assert {"packages/openssh/sshd.init", "packages/busybox/httpd.init"} <= scripts
    assert scripts <= set(style.scripts())


@pytest.mark.parametrize("path", [each.path for each in placed_files() if each.mode == "0755"])
def test_the_targets_shell_parses_the_start_scripts_of_packages(path: str, guest: Guest) -> None:
    result = guest.run("/bin/sh", "-n", f"/{path}")
    assert (result.status, result.out) == (0, "")


def test_programs_are_executable_and_nothing_else_is() -> None:
    wrong = [
        str(path.relative_to(OVERLAY))
        for path in files()
        if (path.stat().st_mode & 0o111 != 0) != is_program(path)
    ]
    assert wrong == []


def test_every_program_is_for_the_shell_that_every_image_has() -> None:
    first = {path.read_text().splitlines()[0] for path in files() if is_program(path)}
    assert first == {"#!/bin/sh"}


def test_files_are_plain_text_without_stray_blanks() -> None:
    for path in (*files(), *placed()):
        text = path.read_bytes().decode("ascii")
        assert text.endswith("\n"), path
        assert "\r" not in text.replace("\\r", ""), path
        assert not re.search(r"[ \t]+$", text, re.MULTILINE), path


def test_nothing_lies_where_merged_usr_has_links() -> None:
    for link in base()["link"]:
        assert not (OVERLAY / link["path"].lstrip("/")).exists()
        assert not link["target"].startswith("/")


def test_no_accounts_keys_or_passwords_are_in_the_overlay() -> None:
    names = {path.name for path in files()}
    assert not names & {"passwd", "shadow", "group", "gshadow", "authorized_keys"}
    assert not [path for path in files() if b"PRIVATE KEY" in path.read_bytes()]


def test_no_account_of_the_base_system_has_an_open_password() -> None:
    assert {user["password"] for user in base()["user"]} == {"*"}


def test_numbers_and_names_of_accounts_are_unique_and_known() -> None:
    data = base()
    groups = [group["name"] for group in data["group"]]
    for entries, key in ((data["user"], "uid"), (data["group"], "gid")):
        for column in ("name", key):
            values = [entry[column] for entry in entries]
            assert len(values) == len(set(values)), values
    assert {user["gid"] for user in data["user"]} <= set(groups)
    for user in data["user"]:
        assert user["shell"] in (*shells(), "/bin/false")


def shells() -> list[str]:
    return (OVERLAY / "etc/shells").read_text().split()


def test_mdev_names_only_groups_that_exist_and_sane_modes() -> None:
    data = base()
    users = {user["name"] for user in data["user"]}
    groups = {group["name"] for group in data["group"]}
    rules = [
        line.split()
        for line in (OVERLAY / "etc/mdev.conf").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    assert len(rules) > 20
    for pattern, owner, mode, *_command in rules:
        re.compile(pattern)
        user, group = owner.split(":")
        assert user in users and group in groups, pattern
        assert re.fullmatch(r"[0-7]{3}", mode), pattern


@pytest.mark.parametrize(
    ("device", "owner", "mode"),
    [
        ("null", "root:root", "666"),
        ("console", "root:tty", "600"),
        ("tty", "root:tty", "666"),
        ("ttyS0", "root:dialout", "660"),
        ("vda1", "root:disk", "660"),
        ("net/tun", "root:root", "666"),
        ("mem", "root:kmem", "640"),
        ("hwrng", "root:root", "600"),
    ],
)
def test_the_first_matching_mdev_rule_is_the_meant_one(device: str, owner: str, mode: str) -> None:
    for line in (OVERLAY / "etc/mdev.conf").read_text().splitlines():
        fields = line.split()
        if fields and not line.startswith("#") and re.fullmatch(fields[0], device):
            assert fields[1:] == [owner, mode]
            return
    raise AssertionError(f"no rule for {device}")


def fstab() -> dict[str, list[str]]:
    lines = (OVERLAY / "etc/fstab").read_text().splitlines()
    rows = [line.split() for line in lines if line and not line.startswith("#")]
    assert all(len(row) == 6 for row in rows)
    return {row[1]: row for row in rows}


def test_fstab_mounts_what_must_be_in_memory_with_the_right_modes() -> None:
    table = fstab()
    modes = {"/run": "0755", "/tmp": "1777", "/dev/shm": "1777", "/var/log": "0755"}
    for path, mode in modes.items():
        assert table[path][2] == "tmpfs"
        assert f"mode={mode}" in table[path][3].split(",")
    assert "ptmxmode=0666" in table["/dev/pts"][3].split(",")
    assert list(table)[:2] == ["/", "/proc"], "the rest is found through /proc/mounts"


def test_mount_a_leaves_the_root_to_the_kernel() -> None:
    options = fstab()["/"][3].split(",")
    assert "noauto" in options, "an initramfs has no device to mount at /"
    assert "ro" not in options


def test_the_tty_group_of_devpts_is_the_one_of_the_accounts() -> None:
    gids = {group["name"]: group["gid"] for group in base()["group"]}
    assert f"gid={gids['tty']}" in fstab()["/dev/pts"][3].split(",")


def test_the_share_is_not_mounted_by_mount_a_and_has_room_for_messages() -> None:
    _, _, kind, text, _, _ = fstab()["/mnt"]
    options = dict(item.partition("=")[::2] for item in text.split(","))
    assert kind == "9p"
    assert "noauto" in options
    assert options["trans"] == "virtio" and options["version"] == "9p2000.L"
    assert int(options["msize"]) >= 16384


def test_every_mount_point_exists_in_the_image() -> None:
    made = {entry["path"] for entry in base()["directory"]} | {"/", "/data", "/dev/pts", "/dev/shm"}
    assert set(fstab()) <= made


def test_folders_that_git_cannot_keep_are_made() -> None:
    made = {entry["path"]: entry["mode"] for entry in base()["directory"]}
    for phase in ("pre-up", "up", "down", "post-down"):
        assert f"/etc/network/if-{phase}.d" in made
    assert "/usr/share/udhcpc/default.script.d" in made
    assert made["/root"] == made["/root/.ssh"] == "0700"
    assert made["/var/empty"] == "0755"
    assert made["/tmp"] == "1777"


def test_an_initramfs_has_a_console() -> None:
    devices = {entry["path"]: entry for entry in base()["device"]}
    console = devices["/dev/console"]
    assert (console["type"], console["major"], console["minor"], console["mode"]) == (
        "c",
        5,
        1,
        "0600",
    )
    assert (devices["/dev/null"]["major"], devices["/dev/null"]["minor"]) == (1, 3)


def test_inittab_runs_things_in_the_order_that_matters() -> None:
    entries = [
        line.split(":", 3)
        for line in (OVERLAY / "etc/inittab").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    by_action: dict[str, list[str]] = {}
    for _, _, action, command in entries:
        by_action.setdefault(action, []).append(command)
    assert by_action["sysinit"] == ["/etc/init.d/rcS"]
    unmount = "/bin/umount -a -r -t nodevtmpfs,rootfs"
    assert by_action["shutdown"] == ["/etc/init.d/rcK", "/sbin/swapoff -a", unmount]
    assert by_action["ctrlaltdel"] == ["/sbin/reboot"]
    assert by_action["restart"] == ["/sbin/init"]
    getty = [entry for entry in entries if entry[2] == "respawn"]
    assert [entry[0] for entry in getty] == ["console"]
    assert getty[0][3].startswith("/sbin/getty ") and " console " in getty[0][3]


def sshd_settings() -> dict[str, str]:
    lines = (PROJECT / "packages/openssh/sshd_config").read_text().splitlines()
    return dict(line.split(" ", 1) for line in lines if line and not line.startswith("#"))


def test_sshd_takes_keys_and_no_passwords() -> None:
    settings = sshd_settings()
    assert settings["PermitRootLogin"] == "prohibit-password"
    for name in ("PasswordAuthentication", "KbdInteractiveAuthentication", "PermitEmptyPasswords"):
        assert settings[name] == "no"
    assert settings["AuthorizedKeysFile"].split() == [
        ".ssh/authorized_keys",
        "/etc/ssh/authorized_keys.d/%u",
    ]


def test_sshd_writes_the_pid_file_that_its_service_reads() -> None:
    assert sshd_settings()["PidFile"] == "/run/sshd.pid"


def test_links_lead_into_memory() -> None:
    assert (OVERLAY / "etc/resolv.conf").readlink().as_posix() == "../run/resolv.conf"
    assert (OVERLAY / "etc/mtab").readlink().as_posix() == "../proc/self/mounts"


def test_the_default_board_knows_its_own_name() -> None:
    assert not (OVERLAY / "etc/hostname").exists(), "it would hide the board's `hostname`"
    board = tomllib.loads((PROJECT / "configs/quard-star.toml").read_text())
    hosts = [line.split() for line in (OVERLAY / "etc/hosts").read_text().splitlines()]
    assert ["127.0.1.1", board["hostname"]] in hosts
    assert any(line[0] == "::1" for line in hosts)


@pytest.mark.parametrize(
    ("flags", "bash", "expected"),
    [
        ("-ilc", 'echo bash "$@" >/stub/shell', "bash -l\n"),
        ("-ilc", '[ "$1" = -c ] && exit 127; echo bash >/stub/shell', None),
        ("-lc", "echo bash >/stub/shell", None),
    ],
    ids=["bash works", "bash is broken", "not interactive"],
)
def test_people_who_log_in_get_bash_when_it_works(
    guest: Guest, flags: str, bash: str, expected: str | None
) -> None:
    target = guest.root / "usr/libexec/bash"
    guest.program("usr/libexec/bash", f"case $1 in -c) :;; esac\n{bash}")
    placeholder = guest.tools / "bash"
    placeholder.touch()
    guest.binds.append((target, "/usr/bin/bash"))
    guest.run("/bin/sh", flags, "echo ash >/stub/shell", env={"HOME": "/root"})
    assert guest.read("stub/shell") == (expected or "ash\n")


def test_without_bash_the_small_shell_reads_the_profile(guest: Guest) -> None:
    guest.write("etc/profile.d/mine.sh", "MINE=yes\n")
    result = guest.run("/bin/sh", "-lc", 'echo "$MINE $PATH"; umask', env={"HOME": "/root"})
    assert result.out == "yes /bin:/sbin:/usr/bin:/usr/sbin:/usr/local/bin\n0022\n"
