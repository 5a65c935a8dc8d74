"""Overlays from end to end: what is read, what is refused before anything is built."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time

from incremental.project import Project
from quard import canonical

GIB = 1 << 30
MOST_MIB = 150
"""Memory of a build, whatever the overlay holds."""


def peak_mib(project: Project) -> int:
    """Run a build and return the most memory that it had."""
    words = (sys.executable, "-P", "-m", "SCons", "-Q", f"cache.dir={project.cache}", "BOARD=tiny")
    with subprocess.Popen(words, cwd=project.folder, stdout=subprocess.DEVNULL) as run:
        _, status, usage = os.wait4(run.pid, 0)
        run.returncode = os.waitstatus_to_exitcode(status)
    assert run.returncode == 0
    assert isinstance(usage, resource.struct_rusage)
    return usage.ru_maxrss // 1024


def test_a_file_of_any_size_is_never_in_memory_and_read_once(project: Project) -> None:
    project.board(["libc"], formats='"ext4", "squashfs"')
    big = project.folder / "rootfs/big"
    with big.open("wb") as file:
        file.write(b"begin")
        file.truncate(GIB)
    assert peak_mib(project) < MOST_MIB
    images = project.folder / "out/tiny/images"
    for name in ("rootfs.tar", "rootfs.ext4", "rootfs.squashfs"):
        assert (images / name).stat().st_size < GIB // 32
    memory = project.folder / "out/tiny/overlays/rootfs.json"
    time.sleep(2.1)  # what is younger is read again: the clock of a file system may be so coarse
    assert project.run().summary["built"] == []
    before = memory.read_bytes()
    known = canonical.unsealed(before)
    assert known and known["files"]["big"][0] == GIB
    assert peak_mib(project) < MOST_MIB
    assert memory.read_bytes() == before


def test_an_edit_between_two_builds_reaches_the_image(project: Project) -> None:
    motd = project.folder / "rootfs/etc/motd"
    digests = set()
    for text in ("one\n", "two\n"):
        motd.write_text(text)
        assert project.run().status == 0
        digests.add(project.image())
    assert len(digests) == 2
