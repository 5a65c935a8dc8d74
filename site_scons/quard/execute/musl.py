"""The compiler driver for musl: a compiler that is made for glibc uses musl's files instead.

The compiler contributes its own headers, crtbegin and crtend, and libgcc.a, which needs no more of
a C library than any has. Its other libraries are linked with glibc or have code that only glibc can
run: libgcc_eh calls _dl_find_object, libatomic has indirect functions, libstdc++ reads the tables
of glibc's ctype. Builds see none of them.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

from quard.execute.toolchain import Toolchain

REFUSED = "cannot compile C++ for musl"
"""In the message of the compiler for C++; diagnosis finds it in logs."""


def besides(sysroot: str) -> Mapping[str, str]:
    """Return spec name -> text that is added to the compiler's own specs.

    sysroot -- folder of the sysroot as commands see it, quoted for a spec file
    """
    headers = f"-nostdinc -isystem {sysroot}/usr/include -isystem include%s"
    return {"self_spec": "-mmusl", "cpp_unique_options": f"%{{!nostdinc:{headers}}}"}


def instead(sysroot: str, own: str) -> Mapping[str, str]:
    """Return spec name -> text that replaces the compiler's own.

    sysroot -- as for `besides`
    own     -- folder that `provide` has filled, quoted likewise
    """
    lib = f"{sysroot}/usr/lib"
    start = f"%{{shared:;static-pie:{lib}/rcrt1.o;static|no-pie:{lib}/crt1.o;:{lib}/Scrt1.o}}"
    return {
        "startfile": f"{start} {lib}/crti.o crtbeginS.o%s",
        "endfile": f"crtendS.o%s {lib}/crtn.o",
        "link_libgcc": f"-L{lib} -L{sysroot}/lib -L{own}",
        "libgcc": "libgcc.a%s",
        "lib": "%{pthread:-lpthread} -lc",
    }


def provide(folder: Path, toolchain: Toolchain) -> None:
    """Put what builds can link of the compiler's libraries into a folder.

    Raises QuardError library-missing.
    """
    (folder / "libgcc.a").symlink_to(toolchain.shown(toolchain.library("libgcc.a")))
    # GCC 16 links this script of its own with all programs: its libatomic, if a symbol needs it.
    (folder / "libatomic_asneeded.a").write_text("/* nothing */\n", encoding="ascii")


def refusal(name: str) -> str:
    """Return the shell script of the compiler for C++, which has no library for musl."""
    return f"echo {shlex.quote(f'{name}: {REFUSED}')} >&2\nexit 1\n"
