"""The placeholders that a recipe's texts may hold."""

from __future__ import annotations

PLACEHOLDERS = {
    "name": "the package's name",
    "version": "the recipe's version",
    "triple": "the target's GNU triple, as in riscv64-linux-gnu",
    "cross": "the prefix of the cross tools, as in riscv64-linux-gnu-",
    "build": "the build machine's GNU triple",
    "linux_arch": "the kernel's name of the architecture (ARCH=)",
    "linux_image": "the kernel's make target and the file below arch/{linux_arch}/boot",
    "prefix": "where the package is installed: /usr, or below /quard/native for the build machine",
    "cflags": "the board's compiler flags",
    "src": "the unpacked source",
    "stage": "the staging folder that the package installs into",
    "sysroot": "headers and libraries of the declared dependencies",
    "files": "the recipe's own files, without recipe.py",
    "native": "the packages in `natives`; their programs are in {native}/usr/bin",
}
"""Placeholders that a recipe's texts may hold."""

LATE = ("src", "stage", "sysroot", "files", "native")
"""Placeholders that stay in a plan: only the executor knows these folders."""

NATIVE = "/quard/native"
"""Where builds see packages for the build machine; these are configured for this path."""
