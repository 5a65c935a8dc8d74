"""ELF files of the cross compiler, made by us."""

from __future__ import annotations

import subprocess
from pathlib import Path

GCC = "riscv64-linux-gnu-gcc"
LIBRARY = """
int data = 1; int zero; const int ro = 2; __thread int local = 3;
extern int alias __attribute__((weak, alias("data")));
int f(int x) { return x + data + local; }
__attribute__((visibility("protected"))) int p(void) { return 1; }
__attribute__((visibility("hidden"))) int h(void) { return 1; }
int old(void) { return 1; }
int new(void) { return h(); }
__asm__(".symver old, v@V1");
__asm__(".symver new, v@@V2");
extern int puts(const char *); extern int maybe(void) __attribute__((weak));
int user(void) { return puts("x") + (maybe ? maybe() : 0); }
"""
ADDRESS = '__asm__(".section {},\\"{}\\"\\n .globl p\\np: .quad g\\n .globl g\\ng: ret\\n");'
"""C text whose section has the address of a global function."""
VERSIONS = "V1 { global: data; zero; ro; local; alias; f; p; user; v; local: *; }; V2 { v; } V1;"


def gcc(folder: Path, source: str, *options: str, out: str = "out") -> Path:
    """Compile C text with the cross compiler; options may name files of the folder."""
    (folder / "in.c").write_text(source)
    argv = [GCC, "-O1", *options, "-o", out]
    if "-c" in options or "in.c" not in options:
        argv.append("in.c")
    subprocess.run(argv, cwd=folder, check=True)
    return folder / out


def shared_library(folder: Path) -> Path:
    """Return a library with versions, an rpath and a build-id."""
    (folder / "versions").write_text(VERSIONS)
    return gcc(
        folder, LIBRARY, "-shared", "-fPIC", "-Wl,-soname,libx.so.1",
        "-Wl,--version-script=versions", "-Wl,-rpath,/opt/x:$ORIGIN", "-Wl,-z,now",
        "-Wl,--build-id=0x0123456789abcdef",
    )  # fmt: skip
