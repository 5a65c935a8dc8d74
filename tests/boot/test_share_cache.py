"""Shared writable maps on the host's folder: off for coherence, on by a setting."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from boot.guest import Guests

pytestmark = pytest.mark.boot

PROGRAM = """
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>
int main(int count, char **words)
{
    int file = open(words[1], O_RDWR | O_CREAT, 0644);
    if (file < 0 || ftruncate(file, 4096) != 0)
        return perror("file"), 2;
    char *map = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (map == MAP_FAILED)
        return perror("mmap"), 1;
    sprintf(map, "by the map\\n");
    return msync(map, 4096, MS_SYNC) != 0;
}
"""


def compiled(folder: Path) -> None:
    (folder / "map.c").write_text(PROGRAM)
    command = ["riscv64-linux-gnu-gcc", "-static", "-o", "map", "map.c"]
    subprocess.run(command, cwd=folder, check=True)


@pytest.mark.parametrize("root", ["ext4", "squashfs", "cpio"])
def test_shared_writable_map_works_by_the_setting_and_reaches_the_host(
    guests: Guests, root: str
) -> None:
    guest = guests.start(FORWARD="none", SNAPSHOT="1", SHARE_CACHE="mmap", ROOT=root)
    compiled(guest.share)
    guest.boot()
    guest.log_in()
    guest.check("/mnt/map /mnt/file")
    assert (guest.share / "file").read_bytes().startswith(b"by the map\n")
    assert guest.check("cat /run/boot-status") == "ok"


def test_without_the_setting_the_hosts_edits_are_seen_at_once_and_maps_are_refused(
    guests: Guests,
) -> None:
    guest = guests.start(FORWARD="none", SNAPSHOT="1")
    compiled(guest.share)
    guest.boot()
    guest.log_in()
    assert guest.run("/mnt/map /mnt/file").output == "mmap: Invalid argument"
    log = guest.share / "log"
    log.write_text("one\n")
    guest.check("tail -f /mnt/log >/tmp/seen & echo $! >/tmp/pid; sleep 2")
    for line in ("two\n", "three\n"):
        with log.open("a") as file:
            file.write(line)
        time.sleep(1)
    guest.check("sleep 2; kill $(cat /tmp/pid)")
    assert guest.check("cat /tmp/seen") == "one\ntwo\nthree"
    log.write_text("ONE\nTWO\nTHREE\n")
    assert guest.check("cat /mnt/log") == "ONE\nTWO\nTHREE"
