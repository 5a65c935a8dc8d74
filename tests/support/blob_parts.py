"""Trees, the blobs made of them, and the ways to make either by hand."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from quard.base.errors import QuardError
from quard.store.blob import pack, walk

LONG = "usr/share/" + "/".join(["a-rather-long-folder-name"] * 12) + "/file"


def tree(root: Path, *, backwards: bool = False) -> Path:
    """Make a folder with one of everything that packages install."""
    steps: list[Callable[[], object]] = [
        lambda: write(root / "usr/bin/tool", b"\x7fELF tool", 0o755),
        lambda: write(root / "usr/bin/su", b"setuid", 0o4755),
        lambda: write(root / "usr/lib/libx.so.1", b"library", 0o644),
        lambda: write(root / "usr/share/naïve", b"", 0o644),
        lambda: write(root / LONG, b"deep", 0o644),
        lambda: folder(root / "var/empty", 0o755),
        lambda: folder(root / "tmp", 0o1777),
        lambda: folder(root / "root", 0o700),
        lambda: link(root / "usr/lib/libx.so", "libx.so.1"),
        lambda: link(root / "etc/resolv.conf", "/run/resolv.conf"),
    ]
    for step in reversed(steps) if backwards else steps:
        step()
    os.link(root / "usr/bin/tool", root / "usr/bin/again")
    os.link(root / "usr/bin/tool", root / "usr/sbin")
    return root


def write(path: Path, data: bytes, mode: int = 0o644) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    path.chmod(mode)
    return path


def folder(path: Path, mode: int) -> None:
    path.mkdir(parents=True)
    path.chmod(mode)


def link(path: Path, target: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)


def blob_of(root: Path, name: str) -> tuple[Path, str]:
    out = root.parent / f"{name}.blob"
    return out, pack(root, walk(root), out)


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(QuardError) as caught:
        call()
    return caught.value.reason
