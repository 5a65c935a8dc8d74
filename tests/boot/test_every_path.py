"""Every path of the image on each kind of booted root file system, against manifest.json."""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from boot.guest import Guest

pytestmark = pytest.mark.boot

ROOTS = {
    "ext4": {},
    "squashfs-under-an-overlay": {"ROOT": "squashfs"},
    "squashfs-read-only": {"ROOT": "squashfs", "APPEND": "init=/sbin/init"},
    "initramfs": {"ROOT": "cpio"},
}
TYPES = {
    "file": stat.S_IFREG,
    "directory": stat.S_IFDIR,
    "link": stat.S_IFLNK,
    "char": stat.S_IFCHR,
    "block": stat.S_IFBLK,
    "fifo": stat.S_IFIFO,
}
MADE_LATER = re.compile(
    r"/(lost\+found|rom|etc/(ssh|dropbear)/[^/]*_key(\.pub)?|root/\.(ba)?sh_history)"
)
"""By mkfs, the boot and the login."""
ROOT = "/run/image"
"""Where the root file system is seen without what is mounted over its folders."""


@pytest.fixture(scope="module", params=ROOTS)
def settings(request: pytest.FixtureRequest) -> Mapping[str, str]:
    return ROOTS[request.param]


@pytest.fixture(scope="module")
def guest(guest: Guest) -> Guest:
    guest.check(f"mkdir {ROOT} && mount -o bind / {ROOT}")
    return guest


@pytest.fixture(scope="module")
def manifest(images: Path) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads((images / "manifest.json").read_text())
    return found


def facts(guest: Guest) -> dict[str, tuple[int, ...]]:
    """Return path -> type and mode, uid, gid, major and minor, as one command of the guest says."""
    command = "find . -xdev -exec stat -c '%f %u %g %t %T %n' {} + >/mnt/found"
    guest.check(f"cd {ROOT} && {command}", 120)
    found: dict[str, tuple[int, ...]] = {}
    for line in (guest.share / "found").read_text(encoding="utf-8").splitlines():
        mode, uid, gid, major, minor, path = line.split(" ", 5)
        numbers = int(mode, 16), int(uid), int(gid), int(major, 16), int(minor, 16)
        found[path[1:] or "/"] = numbers
    return found


def test_every_path_has_the_type_mode_and_owner_of_the_manifest(
    guest: Guest, manifest: dict[str, dict[str, Any]]
) -> None:
    wanted = {
        path: (
            TYPES[entry["type"]] | int(entry["mode"], 8),
            *(entry["uid"], entry["gid"], entry.get("major", 0), entry.get("minor", 0)),
        )
        for path, entry in manifest.items()
    }
    found = facts(guest)
    assert wanted["/"][0] == stat.S_IFDIR | 0o755
    assert {path: found.get(path) for path in wanted} == wanted
    others = {path for path in found.keys() - wanted if not MADE_LATER.match(path)}
    assert others == set()


def security(guest: Guest) -> list[tuple[str, str]]:
    """Return (path, name) of the attributes in the security namespace, where capabilities are."""
    listing = "find . -xdev -exec getfattr -h -d {} + 2>/dev/null"
    found, path = [], ""
    for line in guest.run(f"cd {ROOT} && {listing}", 120).output.splitlines():
        if line.startswith("# file: "):
            path = "/" + line.removeprefix("# file: ").removeprefix("./")
        elif line.startswith("security."):
            found.append((path, line.partition("=")[0]))
    return found


def test_paths_have_the_capabilities_of_the_manifest_and_no_other(
    guest: Guest, manifest: dict[str, dict[str, Any]]
) -> None:
    capable = [path for path, entry in manifest.items() if "capabilities" in entry]
    assert security(guest) == [(path, "security.capability") for path in capable]


def test_capability_of_a_file_would_be_kept_and_seen(guest: Guest) -> None:
    if guest.run("touch /etc/capable").status:
        pytest.skip("nothing can be added to a root that cannot be written")
    # busybox cannot set a capability, whose bytes are no text; they share the namespace's fate.
    guest.check("setfattr -n security.test -v kept /etc/capable")
    assert security(guest) == [("/etc/capable", "security.test")]
    guest.check("rm /etc/capable")
