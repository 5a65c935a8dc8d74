"""What a build finds around itself: its dependencies' files and the commands it may use."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from quard.errors import QuardError
from quard.execute.sandbox import INSIDE, Work, shows
from quard.execute.toolchain import Toolchain

_LIBRARY = re.compile(r"(?:^|/)[^/]+\.so(?:\.[^/]+)?\Z")
COMMON_TOOLS = (
    "[ ar as awk basename bash bunzip2 bzip2 cat chmod chown cmp comm cp cut date dd diff dirname"
    " echo ed egrep env expr false fgrep file find fold gawk gcc getconf grep gunzip gzip head"
    " hostname id install join ld ln ls m4 make md5sum mkdir mkfifo mknod mktemp mv nl nm objcopy"
    " objdump od paste patch perl pkg-config printf pwd ranlib readelf readlink realpath rm rmdir"
    " sed seq sh sha1sum sha256sum sleep sort split stat strip sum sync tail tar tee test touch tr"
    " true tsort tty uname uniq uudecode uuencode wc which whoami xargs xz yes zcat"
).split()
"""Commands of the build machine that every package may use: POSIX's, and what the packages'
own configure scripts take for granted. A package names anything further in `tools`."""

_OPTIONAL = frozenset(("ed", "hostname", "uudecode", "uuencode", "which"))
_SPECS = "lib/driver.specs"
"""What the drivers give the compiler, below the tools folder."""
_DRIVERS = ("gcc", "g++", "cpp")


def tools(
    work: Work,
    toolchain: Toolchain,
    triple: str,
    further: Iterable[str],
    search: str,
    source_name: str,
    inside: str,
) -> None:
    """Fill the tools folder: links to the machine's commands, and the compiler's drivers.

    triple      -- of the target: builds know the cross tools by it, whatever they are called
    further     -- commands beyond the common ones
    search      -- the PATH that they are looked for in
    source_name -- NAME-VERSION, which debug information gives as the place of the source
    inside      -- the root of the fixed paths as commands see it
    Raises QuardError tool-missing.
    """
    search = _ordered(search, inside)
    for name in sorted({*COMMON_TOOLS, *further}):
        found = _command(name, search)
        if found:
            (work.tools / name).symlink_to(found)
        elif name not in _OPTIONAL:
            raise QuardError(
                f"the build machine has no {name}",
                detail=f"looked along {search}",
                reason="tool-missing",
                hint="install it; host-packages.list names the Debian package",
            )
    host = work.tools / "cc"
    host.symlink_to("gcc")
    (work.tools / "lib").mkdir()
    (work.tools / _SPECS).write_text(_specs(inside, toolchain.libraries))
    for name, path in toolchain.commands.items():
        link = work.tools / f"{triple}-{name}"
        if name in _DRIVERS:
            link.write_text(_driver(path, inside, source_name))
            link.chmod(0o755)
        else:
            link.symlink_to(path)


@cache
def _command(name: str, search: str) -> str | None:
    """Return the path of one of the machine's commands, looked for once in a run."""
    return shutil.which(name, path=search)


@cache
def _ordered(search: str, inside: str) -> str:
    """Return a PATH with the system's own folders first, which are all that a sealed build sees.

    Without the order a command found in, say, ~/bin would be a link to nowhere in the sandbox.
    """
    folders = search.split(os.pathsep)
    system = [folder for folder in folders if shows(Path(folder))]
    others = [folder for folder in folders if folder not in system]
    return os.pathsep.join(system if inside == INSIDE else (*system, *others))


def _driver(compiler: Path, inside: str, source_name: str) -> str:
    """Return a script that calls the compiler with the sealed sysroot.

    It also gives every path of the build a name that is the same everywhere, in debug information
    and in __FILE__ (gcc(1), -ffile-prefix-map).
    """
    command = (
        str(compiler),
        f"--sysroot={inside}/sysroot",
        f"-specs={inside}/tools/{_SPECS}",
        f"-ffile-prefix-map={inside}/src=/usr/src/{source_name}",
        f"-ffile-prefix-map={inside}/sysroot=",
    )
    return f'#!/bin/sh\nexec {shlex.join(command)} "$@"\n'


def _specs(inside: str, libraries: Iterable[Path]) -> str:
    """Return a spec file (gcc, "Spec Files") with what only the linker gets.

    It is told where the libraries lie that a library of the sysroot needs: with --sysroot, ld looks
    for these there alone, though libm is in the toolchain (ld(1), -rpath-link; nothing of it is
    written to the output). As -Wl options these would be linker input: `gcc -v` would try to link.
    """
    folders = (f"{inside}/sysroot/usr/lib", f"{inside}/sysroot/lib", *map(str, libraries))
    options = " ".join(f"-rpath-link {_spec_word(folder)}" for folder in folders)
    return f"*link:\n+ {options}\n\n"


def _spec_word(text: str) -> str:
    """Return a word as it is written in a spec file."""
    return re.sub(r"([\\\s%{}])", r"\\\1", text)


def own_sysroot(folder: Path, toolchain: Toolchain) -> None:
    """Lay the toolchain's own sysroot into a folder, where it has one."""
    if toolchain.sysroot is not None:
        shutil.copytree(toolchain.sysroot, folder, symlinks=True, dirs_exist_ok=True)


def libraries_only(folder: Path) -> None:
    """Take everything but shared libraries out of an extracted dev part."""
    for root, folders, names in os.walk(folder, topdown=False):
        for name in names:
            if not _LIBRARY.search(name):
                (Path(root) / name).unlink()
        for name in folders:
            inner = Path(root) / name
            if not inner.is_symlink() and not any(inner.iterdir()):
                inner.rmdir()


def environment(
    folders: Mapping[str, str],
    inside: str,
    makeflags: str,
    cflags: str,
    further: Mapping[str, str],
) -> dict[str, str]:
    """Return the whole environment of a build: nothing comes from the user's shell.

    The cached answers stop configure scripts from probing the build machine (Autoconf manual,
    "Cache Variable Names"; GNU libtool's search path) and git from describing the checkout that
    the build happens in.
    """
    sysroot = folders["sysroot"]
    flags = f"{cflags} -g".strip()
    return {
        "PATH": f"{inside}/tools",
        "HOME": f"{inside}/home",
        "LC_ALL": "C",
        "TZ": "UTC",
        "SOURCE_DATE_EPOCH": SOURCE_DATE_EPOCH,
        "CFLAGS": flags,
        "CXXFLAGS": flags,
        "CONFIG_SITE": "/dev/null",
        "CONFIG_SHELL": "/bin/sh",
        "GIT_DIR": ".",
        "MAKEFLAGS": makeflags,
        "PKG_CONFIG_LIBDIR": f"{sysroot}/usr/lib/pkgconfig:{sysroot}/usr/share/pkgconfig",
        "PKG_CONFIG_SYSROOT_DIR": sysroot,
        "ac_cv_func_malloc_0_nonnull": "yes",
        "ac_cv_func_realloc_0_nonnull": "yes",
        "lt_cv_sys_lib_search_path_spec": "",
        **further,
    }


SOURCE_DATE_EPOCH = "315532800"
"""1980-01-01: the earliest date that every archive format can hold (seconds since 1970)."""
