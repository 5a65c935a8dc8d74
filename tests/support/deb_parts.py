"""Binary packages of Debian as tests need them: sound, damaged and hostile ones."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import lzma
import tarfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tool_parts import locked

from quard.tools.lock import LockedPackage

VERSION = ("debian-binary", b"2.0\n")
COMPRESSED: Mapping[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
}


def file(name: str, content: bytes = b"x", mode: int = 0o644) -> tuple[tarfile.TarInfo, bytes]:
    """Return a file with content that depends on nothing else; its other fields are odd."""
    info = tarfile.TarInfo(name)
    info.mode, info.size = mode, len(content)
    info.mtime, info.uid, info.gid = 1_700_000_000, 4711, 4712
    return info, content


def special(name: str, kind: bytes, target: str = "") -> tuple[tarfile.TarInfo, bytes]:
    """Return a folder, a link, a hard link or a device."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode = kind, target, 0o755
    return info, b""


def folder(name: str) -> tuple[tarfile.TarInfo, bytes]:
    return special(name, tarfile.DIRTYPE)


def link(name: str, target: str) -> tuple[tarfile.TarInfo, bytes]:
    return special(name, tarfile.SYMTYPE, target)


def hard_link(name: str, target: str) -> tuple[tarfile.TarInfo, bytes]:
    return special(name, tarfile.LNKTYPE, target)


def tar(*members: tuple[tarfile.TarInfo, bytes], form: int = tarfile.GNU_FORMAT) -> bytes:
    """Return an uncompressed tar archive."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        for info, content in members:
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def ar(*members: tuple[str, bytes]) -> bytes:
    """Return an ar archive."""
    pieces = [b"!<arch>\n"]
    for name, content in members:
        pieces.append(f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n".encode())
        pieces.append(content + b"\n" * (len(content) % 2))
    return b"".join(pieces)


def deb(*members: tuple[tarfile.TarInfo, bytes], suffix: str = ".xz") -> bytes:
    """Return a package with these files."""
    control = gzip.compress(tar(file("./control", b"Package: x\n")))
    data = COMPRESSED[suffix](tar(*members))
    return ar(VERSION, ("control.tar.gz", control), (f"data.tar{suffix}", data))


class Mirror:
    """A folder with packages; counts what is fetched from it."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.fetched: list[str] = []
        top.mkdir()

    def add(self, name: str, content: bytes) -> LockedPackage:
        """Put a package there."""
        (self.top / f"{name}.deb").write_bytes(content)
        sha256 = hashlib.sha256(content).hexdigest()
        return locked(name, file=f"{name}.deb", size=len(content), sha256=sha256)

    def fetch(self, package: LockedPackage) -> Path:
        self.fetched.append(package.name)
        return self.top / package.file


def described(top: Path) -> Sequence[str]:
    """Return a line for each file below a folder: everything that a program can observe of it."""
    found = []
    for path in sorted(top.rglob("*")):
        status = path.lstat()
        if path.is_symlink():
            content = f"-> {path.readlink()}"
        elif path.is_dir():
            content = "folder"
        else:
            content = f"{status.st_nlink} {hashlib.sha256(path.read_bytes()).hexdigest()}"
        name = path.relative_to(top)
        found.append(f"{name} {status.st_mode:o} {status.st_mtime_ns} {content}")
    return found
