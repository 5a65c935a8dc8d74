"""rootfs.cpio.gz, an initramfs in newc format (Linux: driver-api/early-userspace)."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import IO

from quard.base.errors import QuardError
from quard.image import limits, tarimage
from quard.image.content import PIECE, Content
from quard.image.tree import ROOT, Node
from quard.image.write import USE, Use, run, scratch

_LEVEL = 5
"""gzip level: 6 takes 50 % longer for less than 1 %, 9 five times as long."""
END = ".whole"
"""The archive's last file, which the overlay's /init checks for and removes: a kernel without
memory for the whole archive continues with the part that it has."""
_INITS = {"init", "sbin/init", "usr/sbin/init"}


def cpio_gz(tar: Path, out: Path, *, use: Use = USE) -> None:
    """Make a compressed cpio archive from rootfs.tar.

    The kernel starts only /init: an image without it gets a link to its /sbin/init, and one with
    its own /init gets END. The console must be in the archive, because devtmpfs is mounted later.
    The root folder comes first: without an entry it keeps the kernel's default mode, 1777.
    Raises QuardError: no-init, no-console, image-too-big (a file over 4 GiB), bad-tar, disk-full,
    tool-missing, image-tool, interrupted.
    """
    entries = tarimage.read(tar)
    nodes = {name: node for name, (node, _) in entries.items()}
    for error in (*boot_errors(nodes), *limits.errors(nodes, ("cpio.gz",))):
        raise error
    if "init" in entries:
        # It has content, so that it takes a page of memory like the files before it.
        mark = Node("file", 0o644, content=Content(len(b"whole\n"), b"whole\n"))
        entries = {**entries, END: (mark, tarimage.MTIME)}
    else:
        entries["init"] = Node("link", 0o777, target="sbin/init"), tarimage.MTIME
    with scratch(out) as folder:
        plain, made = folder / "cpio", folder / out.name
        with plain.open("wb") as archive:
            _write(archive, {".": (ROOT, tarimage.MTIME), **entries})
        # Not Python's zlib: it belongs to this machine, whose version decides the bytes.
        argv = ("gzip", "--no-name", f"-{_LEVEL}")
        run(argv, out, stdin=plain, stdout=made, use=use)
        made.replace(out)


def _write(archive: IO[bytes], entries: Mapping[str, tuple[Node, int]]) -> None:
    """Write the members of an archive; `entries` are name -> node and time, in order."""
    names: dict[Node, list[str]] = {}
    for name, (node, _) in entries.items():
        names.setdefault(node, []).append(name)
    numbers = {node: number for number, node in enumerate(names, 1)}
    for name, (node, mtime) in entries.items():
        # The data goes with the last of a file's names, as gen_init_cpio of the kernel does.
        data = node.content if name == names[node][-1] else None
        text = node.target.encode()
        links = 2 if node.kind == "directory" else len(names[node])
        identity = (numbers[node], node.st_mode, node.uid, node.gid, links, mtime)
        size = data.size if data else len(text)
        archive.write(_header(name, identity, size, node.device))
        if data:
            with data.open() as content:
                shutil.copyfileobj(content, archive, PIECE)
        archive.write(text + bytes(-size % 4))
    archive.write(_header("TRAILER!!!", (0, 0, 0, 0, 1, 0), 0, (0, 0)))


def boot_errors(paths: Collection[str]) -> Iterator[QuardError]:
    """Yield an error for each reason why an archive of these paths cannot boot."""
    if not _INITS & set(paths):
        yield QuardError(
            "the image has neither /init nor /sbin/init, so a kernel cannot boot it",
            reason="no-init",
            hint="add busybox or another init to the board's packages",
        )
    if "dev/console" not in paths:
        yield QuardError(
            "the image has no /dev/console, which an initramfs needs",
            reason="no-console",
            hint='add "/dev/console" to [devices] in the system\'s table: char, 5, 1',
        )


def _header(name: str, identity: tuple[int, ...], size: int, device: tuple[int, int]) -> bytes:
    """Return header and name, padded to four bytes; `size` is the length of the data that follows.

    identity -- inode number, type and mode, uid, gid, links, modification time
    """
    path = name.encode() + b"\0"
    fields = (*identity, size, 0, 0, *device, len(path), 0)
    header = b"070701" + b"".join(b"%08X" % value for value in fields) + path
    return header + bytes(-len(header) % 4)
