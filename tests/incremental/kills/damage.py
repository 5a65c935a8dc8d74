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
    """Return every state file of a built board, by kind; whatever is new is a memory."""
    found: dict[str, list[Path]] = {kind: [] for kind in KINDS}
    for folder in (board.out, board.store):
        for path in sorted(folder.rglob("*")):
            kind = _kind(path.relative_to(folder))
            if kind and path.is_file():
                found[kind].append(path)
    return found


KINDS = ("signatures", "guard", "memories", "results", "records", "blobs")


def _kind(path: Path) -> str:
    """Return the kind of a file below `out` or in a store; nothing for what is no state."""
    match path.parts:
        case ("sconsign.dblite" | "sconsign.sha256",):
            return "signatures"
        case ("lock" | "journal",):
            return "guard"
        case ("ac", *_) | ("store", "ac", *_):
            return "records"
        case ("cas", *_) | ("store", "cas", *_):
            return "blobs"
        case (_, "units", *_):
            return "results"
        case ("tmp", *_) | ("store", *_) | (_, "images" | "logs", *_):
            return ""
        case (_, "work", _, *rest) if rest != ["kept.json"]:
            return ""
    return "memories"


def harm(paths: Sequence[Path], name: str, dice: random.Random) -> None:
    """Do harm to files in place, as a disk does it: no modification time tells of it."""
    for path in paths:
        status = path.stat()
        content = HARMS[name](path.read_bytes(), dice)
        path.chmod(0o644)
        path.write_bytes(content)
        path.chmod(status.st_mode & 0o7777)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
