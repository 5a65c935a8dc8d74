"""The same checks on every root file system, and with dropbear in openssh's place."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from boot import checks
from boot.checks import System
from boot.guest import Guest, Ssh

pytestmark = pytest.mark.boot

CLIENTS = 50
ANSWER_SECONDS = 120


@dataclass(frozen=True)
class Variant:
    """root   -- type of the file system that is mounted at /
    writes    -- root may write everywhere
    settings  -- of run.sh
    images    -- fixture with the images
    """

    root: str
    writes: bool
    settings: tuple[tuple[str, str], ...]
    server: str = "sshd"
    images: str = "images"


VARIANTS = {
    "squashfs-under-an-overlay": Variant("overlay", True, (("ROOT", "squashfs"),)),
    "squashfs-read-only": Variant(
        "squashfs",
        False,
        (("ROOT", "squashfs"), ("APPEND", "init=/sbin/init")),
    ),
    "initramfs": Variant("rootfs", True, (("ROOT", "cpio"),)),
    "small-board": Variant("ext4", True, (), server="dropbear", images="small_images"),
    "musl-board": Variant("ext4", True, (), server="dropbear", images="musl_images"),
}


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(name, marks=pytest.mark.share("musl") if "musl" in name else ())
        for name in VARIANTS
    ],
)
def chosen(request: pytest.FixtureRequest) -> Variant:
    variant: Variant = VARIANTS[request.param]
    return variant


@pytest.fixture(scope="module")
def script(request: pytest.FixtureRequest, chosen: Variant) -> Path:
    images: Path = request.getfixturevalue(chosen.images)
    return images / "run.sh"


@pytest.fixture(scope="module")
def settings(chosen: Variant) -> Mapping[str, str]:
    return dict(chosen.settings)


@pytest.fixture(scope="module")
def system(guest: Guest, ssh: Ssh, chosen: Variant) -> System:
    """The variant, booted; one guest for all tests of it."""
    return System(guest, ssh, chosen.server)


@pytest.mark.parametrize("holds", checks.ALL, ids=checks.name)
def test_variant_boots_and(system: System, holds: Callable[[System], None]) -> None:
    holds(system)


def test_root_is_of_the_variants_kind_and_writable_or_not(system: System, chosen: Variant) -> None:
    mounts = [line.split() for line in system.guest.check("cat /proc/mounts").splitlines()]
    assert [fields[2] for fields in mounts if fields[1] == "/"] == [chosen.root]
    assert (system.guest.run("echo x >/usr/new && rm /usr/new").status == 0) == chosen.writes


@pytest.mark.parametrize("folder", ["/etc", "/tmp", "/run"])
def test_umask_holds_for_what_is_new(system: System, chosen: Variant, folder: str) -> None:
    if folder == "/etc" and not chosen.writes:
        pytest.skip("nothing new can be made there")
    new = f"{folder}/umask"
    made = f"umask 027 && mkdir {new} && echo >{new}/file && mkfifo {new}/fifo"
    modes = system.guest.check(f"{made} && stat -c %a {new} {new}/*; rm -r {new}").split()
    assert modes == ["750", "640", "640"]


def test_umask_holds_for_a_file_in_place_of_one_of_the_image(
    system: System, chosen: Variant
) -> None:
    if not chosen.writes:
        pytest.skip("the image's files stay as they are")
    found = system.guest.check("cd /etc && mv issue kept && echo >issue && stat -c %a issue")
    system.guest.check("mv /etc/kept /etc/issue")
    assert found == "644"


def test_original_root_stays_unchanged_at_rom(system: System, chosen: Variant) -> None:
    guest = system.guest
    if chosen.root != "overlay":
        assert guest.run("[ -e /rom ]").status == 1
        return
    guest.check("echo changed >/etc/motd")
    assert "changed" not in guest.check("cat /rom/etc/motd")
    refused = guest.run("touch /rom/etc/motd")
    assert refused.status == 1 and "Read-only file system" in refused.output


def test_host_keys_are_on_the_data_disk(system: System) -> None:
    found = system.guest.check("cd /data/ssh && echo *").split()
    keys = [name for name in found if name.endswith("_key")]
    assert len(keys) == 2 and any("ed25519" in name for name in keys), found


def test_small_board_has_neither_openssh_nor_bash(system: System, chosen: Variant) -> None:
    both = "[ -e /usr/sbin/sshd ] || [ -e /bin/bash ]"
    assert (system.guest.run(both).status == 0) == (chosen.server == "sshd")


def test_board_without_modules_has_no_trace_of_them(system: System) -> None:
    assert system.guest.run("[ -e /lib/modules ] || [ -e /proc/modules ]").status == 1


def test_fifty_clients_at_once_are_all_answered(system: System) -> None:
    """Before any of them has logged in; to the guest, all of them have QEMU's address."""
    port = system.guest.port(22)
    with contextlib.ExitStack() as stack:
        address = ("127.0.0.1", port)
        clients = [
            stack.enter_context(socket.create_connection(address, ANSWER_SECONDS))
            for _ in range(CLIENTS)
        ]
        assert [client.recv(8) for client in clients] == [b"SSH-2.0-"] * CLIENTS


def test_power_off_takes_everything_down_in_order(system: System) -> None:
    checks.power_off(system.guest, system.server)
