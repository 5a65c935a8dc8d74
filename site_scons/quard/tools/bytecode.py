"""Compiled modules for the pinned Python: Debian compiles them when a package is installed.

Without them, Python compiles whatever a program imports each time it starts, since builds see their
system read-only: `meson --version` takes seconds. They depend on a package and an interpreter, and
are shared by all roots that have both.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from quard.base.files import file_sha256
from quard.process import leash
from quard.process.stop import Stop
from quard.process.system import System
from quard.store.member import EPOCH, FOLDER_MODE

_FOLDERS = ("usr/lib/python3", "usr/share")
"""Beginnings of the paths below which modules are compiled."""

_FILE_MODE = 0o644
_COMPILE = """
import importlib.util, os, py_compile, sys

top, into, *beginnings = sys.argv[1:]
for folder, folders, names in os.walk(top):
    folders.sort()
    inside = os.path.relpath(folder, top)
    for name in sorted(names):
        path = os.path.join(inside, name)
        cached = importlib.util.cache_from_source(path) if name.endswith(".py") else ""
        source = os.path.join(top, path)
        if not cached or not path.startswith(tuple(beginnings)):
            continue
        if os.path.islink(source) or os.path.exists(os.path.join(top, cached)):
            continue
        try:
            py_compile.compile(
                source,
                os.path.join(into, cached),
                "/" + path,
                doraise=True,
                invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
            )
        except (py_compile.PyCompileError, UnicodeDecodeError):
            pass  # a template, or a module for another version of Python: nothing imports it
"""
"""Run by the pinned Python, for a package at a time: in a process that has compiled others before,
equal modules would get other bytes. The sources never change, so Python need not look at them."""


class Failed(Exception):
    """The pinned Python could not compile."""


def is_module(path: str) -> bool:
    """Return whether a file of a package is compiled."""
    return path.endswith(".py") and path.startswith(_FOLDERS)


def compile_modules(
    system: System, python: Path, content: Path, into: Path, stop: Stop
) -> Mapping[str, str]:
    """Compile a package's modules into the empty folder `into`, laid out as the package.

    Return path -> sha256 of each file.

    system  -- has the interpreter and all that it needs
    python  -- its place there
    content -- the package's files
    Raises Failed, QuardError interrupted, OSError.
    """
    environment = {
        "LC_ALL": "C",
        "PYTHONHASHSEED": "0",
        "PYTHONHOME": str(system.place("/usr")),
    }
    words = [*system.start(python), "-BsS", "-c", _COMPILE, str(content), str(into), *_FOLDERS]
    with tempfile.TemporaryFile() as said:
        status = stop.run(lambda: leash.start(words, env=environment, out=said))
        said.seek(0)
        last = said.read().decode(errors="replace").strip().rpartition("\n")[2]
    if status:
        raise Failed(last or f"status {status}")
    hashes: dict[str, str] = {}
    for folder, _, names in os.walk(into):
        for name in names:
            path = Path(folder, name)
            path.chmod(_FILE_MODE)
            os.utime(path, (EPOCH, EPOCH))
            hashes[os.fspath(path.relative_to(into))] = file_sha256(path)
        os.chmod(folder, FOLDER_MODE)
    return hashes
