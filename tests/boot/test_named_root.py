"""A named root that the kernel starts as its initramfs: busybox, and an /init of the board's."""

from __future__ import annotations

import json
import os
import subprocess
import tarfile
from pathlib import Path

import pytest

import checkout
from boot.conftest import BUILD_SECONDS, TOP

pytestmark = pytest.mark.boot

BOARD = """\
summary = "busybox, and a smaller initramfs"
target = "riscv64-linux-gnu"
machine = "virt"
packages = ["busybox", "linux", "opensbi"]
image.formats = ["cpio.gz"]
data.size_mib = 0

[roots.initramfs]
packages = ["busybox"]
overlays = ["early"]
hostname = "early-host"
"""
INIT = """\
#!/bin/sh
mount -t proc proc /proc
echo "early: $(cat /etc/hostname)"
echo "early: $(grep VARIANT_ID /etc/os-release)"
echo "early: $(ls -d /lib/firmware /etc/inittab 2>/dev/null | wc -l) files of the board's overlay"
poweroff -f
"""
SECONDS = 300


@pytest.fixture(scope="module")
def built(images: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The images of such a board; its packages are those that the default board has built."""
    del images
    project = tmp_path_factory.mktemp("named-root") / "project"
    checkout.link(project)
    for name in ("system", "tools"):  # without the tools, its packages have other keys
        (project / "configs" / name).symlink_to(TOP / "configs" / name)
    (project / "configs/rooted.toml").write_text(BOARD)
    (project / "early").mkdir()
    (project / "early/init").write_text(INIT)
    (project / "early/init").chmod(0o755)
    checkout.build(project, "BOARD=rooted", limit=BUILD_SECONDS)
    if not os.environ.get("QUARD_TEST_IMAGES"):
        summary = json.loads((project / "out/rooted/summary.json").read_text())
        assert summary["built"] == [], "the default board's build has made them"
    return project / "out/rooted/images"


def started(images: Path, folder: Path, *settings: str) -> str:
    """Return what the console says until the machine has switched itself off."""
    done = subprocess.run(
        [images / "run.sh", "ROOT=cpio", "FORWARD=none", f"STATE={folder}", *settings],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "TERM": "dumb"},
        text=True,
        errors="replace",
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_the_initramfs_boots_with_what_the_root_names_and_nothing_else(
    built: Path, tmp_path: Path
) -> None:
    initrd = built / "initramfs/rootfs.cpio.gz"
    said = started(built, tmp_path / "state", f"QEMU_ARGS=-initrd {initrd}")
    assert "early: early-host" in said
    assert 'early: VARIANT_ID="rooted.initramfs"' in said
    assert "early: 0 files of the board's overlay" in said


def test_both_roots_have_the_one_busybox(built: Path) -> None:
    found = []
    for root in ("", "initramfs"):
        with tarfile.open(built / root / "rootfs.tar") as tar:
            file = tar.extractfile("usr/bin/busybox")
            assert file is not None
            found.append(file.read())
    assert found[0] == found[1]
    assert not (built.parent / "units/initramfs/busybox.json").exists()
