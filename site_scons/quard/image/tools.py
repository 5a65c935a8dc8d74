"""The machine's own tools that make file systems: where each is found, and its identity."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from quard.base.programs import Programs
from quard.process.starting import run

SEARCH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Search path for the tools: mke2fs is in sbin, which few users have in PATH."""
PACKAGES = {
    "mke2fs": "e2fsprogs",
    "tar2sqfs": "squashfs-tools-ng",
    "gzip": "gzip",
}

_LIBRARY = re.compile(r"^\s*(?:\S+ => )?(/\S+) \(0x", re.MULTILINE)
"""A line of ldd(1): `libz.so.1 => /lib/libz.so.1 (0x...)`, or the dynamic loader without a name."""


def find(name: str) -> str | None:
    """Return the path of a tool; None if it is not installed."""
    return shutil.which(name, path=SEARCH)


def start(name: str) -> tuple[str, ...]:
    """Return the words that start a tool; none if it is not installed."""
    found = find(name)
    return (found,) if found else ()


def identity(name: str, programs: Programs) -> str:
    """Return a text that changes when a tool or one of its shared libraries does.

    Empty for a tool that is not installed; using it is an error then.
    """
    found = find(name)
    if found is None:
        return ""
    program = Path(found)
    files = programs.recall(found, (program,))
    if files is None or not all(Path(file).exists() for file in files):
        files = libraries(found)
        if find("ldd"):  # else they may become known later
            programs.note(found, (program,), files)
    return programs.fingerprint("", (program, *map(Path, files)))


def libraries(program: str) -> list[str]:
    """Return the shared libraries that a program loads; none if it is static or a script.

    ldd(1) belongs to the C library. Without it only the program itself is known.
    """
    ldd = find("ldd")
    if ldd is None:
        return []
    ran = run((ldd, program), env={"PATH": SEARCH, "LC_ALL": "C"})
    return sorted(_LIBRARY.findall(os.fsdecode(ran.stdout))) if ran.returncode == 0 else []
