"""The compiler driver where the target's compiler is the build machine's own: x86_64 on x86_64.

--sysroot hides the machine's headers from such a compiler, but not the machine's libraries: it
searches the lib folder that it is installed in, before the sysroot. A cross compiler has only the
target's libraries there. Headers and C library are those of a package for cross compilers (Debian:
libc6-dev-amd64-cross), in a folder of their own.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from quard.base.errors import QuardError
from quard.execute.toolchain import Toolchain

_SHARED = ("libatomic.so.1", "libgcc_s.so.1", "libgomp.so.1", "libquadmath.so.0", "libstdc++.so.6")
"""The compiler's own shared libraries, which are among the machine's."""


def instead(folders: Iterable[str]) -> Mapping[str, str]:
    """Return spec name -> text that replaces the compiler's own.

    folders -- with libraries for the target, quoted for a spec file. Those of the sysroot follow by
               themselves (ld(1), --sysroot)
    """
    return {"link_libgcc": " ".join(f"-L{folder}" for folder in folders)}


def provide(folder: Path, toolchain: Toolchain) -> None:
    """Put the compiler's own shared libraries into a folder.

    Raises QuardError library-missing for a C library that is among the machine's libraries: with
    it, builds would find all of these.
    """
    libc = toolchain.library("libc.so.6").parent
    if libc == toolchain.library("libgcc_s.so.1").parent:
        raise QuardError(
            f"{toolchain.prefix}gcc has no C library of its own",
            detail=f"it is in {libc}, among the libraries of the build machine",
            reason="library-missing",
            hint="install the C library for cross compilers (Debian: libc6-dev-amd64-cross)",
        )
    for name in _SHARED:
        found = toolchain.find_library(name)
        if found is not None:
            os.symlink(toolchain.shown(found), folder / name)
