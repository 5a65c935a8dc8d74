"""The least system that runs one program: what the board's network is compared with."""

from __future__ import annotations

import io
import posixpath
import tarfile
from pathlib import Path

from quard.image.cpio import cpio_gz
from quard.image.roottar import RootTar
from quard.parts import elf, elf_view

_ROOTS = ("usr/bin/busybox", "usr/bin/iperf3", "usr/lib/libgcc_s.so.1")
"""The programs, and what the C library opens when a thread is cancelled."""
_LIBRARIES = "usr/lib/"
_KEPT_AS_THEY_ARE = ("bin", "lib", "sbin", "usr", "usr/bin", "usr/lib", "usr/sbin", "dev", "tmp")
_CONSOLE = "dev/console"
_INIT = """\
#!/usr/bin/busybox sh
# "port" and "seconds" are words of the kernel's command line, which become variables of init's.
ip() { /usr/bin/busybox ip "$@"; }
/usr/bin/busybox mount -t devtmpfs devices /dev
ip link set lo up
ip link set eth0 up
ip addr add 192.168.31.100/24 dev eth0
/usr/bin/iperf3 -c 192.168.31.2 -p "$port" -t "$seconds"
/usr/bin/busybox poweroff -f
"""


def make(rootfs: Path, folder: Path) -> Path:
    """Write rootfs.cpio.gz into `folder`: programs and libraries of an image's rootfs.tar.

    Its init brings the interface up, measures once and switches off.
    """
    tar, image = folder / "minimal.tar", folder / "rootfs.cpio.gz"
    with tarfile.open(rootfs) as whole, tarfile.open(tar, "w") as small:
        members = {member.name.rstrip("/"): member for member in whole.getmembers()}
        for name in sorted({*_KEPT_AS_THEY_ARE, _CONSOLE, *_closure(whole, members)}):
            small.addfile(members[name], whole.extractfile(members[name]))
        init = tarfile.TarInfo("init")
        init.mode, init.size = 0o755, len(_INIT)
        small.addfile(init, io.BytesIO(_INIT.encode("ascii")))
    cpio_gz(RootTar(tar), image)
    return image


def _closure(whole: tarfile.TarFile, members: dict[str, tarfile.TarInfo]) -> set[str]:
    """Return the names of the programs, of what they load, and of the links on the way."""
    found: set[str] = set()
    left = list(_ROOTS)
    while left:
        name = left.pop()
        if name in found:
            continue
        found.add(name)
        if members[name].issym():
            left.append(posixpath.join(posixpath.dirname(name), members[name].linkname))
            continue
        file = whole.extractfile(members[name])
        assert file is not None, f"{name} is neither a file nor a link"
        program = elf.frame(elf_view.View(file.read()))
        left += [_LIBRARIES + library for library in program.needed]
        if program.interp is not None:
            left.append(_LIBRARIES + posixpath.basename(program.interp))
    return found
