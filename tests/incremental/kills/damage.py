"""State files that were cut off or have other content than was written."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from .board import Board

Harm = Callable[[bytes, random.Random], bytes]


def cut(content: bytes, dice: random.Random) -> bytes:
    return content[: dice.randrange(len(content) or 1)]


def emptied(content: bytes, dice: random.Random) -> bytes:
    del content, dice
    return b""


def garbage(content: bytes, dice: random.Random) -> bytes:
    return dice.randbytes(max(len(content), 64))


def zeroed(content: bytes, dice: random.Random) -> bytes:
    """What a file system may give back of a file that was written just before a crash."""
    del dice
    return bytes(len(content))


def other_shape(content: bytes, dice: random.Random) -> bytes:
    """JSON, but not of the form that is expected."""
    del content
    shapes = (b"[]\n", b"{}\n", b"null\n", b'"text"\n', b"1e999\n", b'{"digest": 1.5}\n')
    deep = b"[" * 100_000
    return dice.choice((*shapes, deep))


def flipped(content: bytes, dice: random.Random) -> bytes:
    """One character is another one."""
    if not content:
        return b"x"
    place = dice.randrange(len(content))
    return content[:place] + bytes([dice.choice(b'0123abc"{}[],: \n')]) + content[place + 1 :]


HARMS: Mapping[str, Harm] = {
    "cut off": cut,
    "emptied": emptied,
    "garbage": garbage,
    "zeroed": zeroed,
    "of another shape": other_shape,
    "flipped": flipped,
}


def files(board: Board) -> dict[str, list[Path]]:
    """Return every state file of a built board, by kind."""
    out, tiny = board.out, board.out / "tiny"
    found = {
        "signatures": [out / name for name in ("sconsign.dblite", "sconsign.sha256")],
        "guard": [out / "lock", out / "journal"],
        "memories": [
            out / "toolchain.json",
            *(tiny / name for name in ("availability.json", "summary.json", "images.json")),
            *sorted((tiny / "trees").glob("*.json")),
            *sorted((tiny / "work").glob("*/kept.json")),
        ],
        "results": sorted((tiny / "packages").glob("*.json")),
        "records": _below(board, "ac"),
        "blobs": _below(board, "cas"),
    }
    return {kind: [path for path in paths if path.exists()] for kind, paths in found.items()}


def _below(board: Board, name: str) -> list[Path]:
    """Return the files of the shared store, and of the checkout's own."""
    stores = (board.store, board.out / "store")
    return [p for store in stores for p in sorted((store / name).rglob("*")) if p.is_file()]


def harm(paths: Sequence[Path], name: str, dice: random.Random) -> None:
    """Do harm to files in place, as a disk does it: no modification time tells of it."""
    for path in paths:
        status = path.stat()
        content = HARMS[name](path.read_bytes(), dice)
        path.chmod(0o644)
        path.write_bytes(content)
        path.chmod(status.st_mode & 0o7777)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
