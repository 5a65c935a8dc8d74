"""The surroundings of a build: sysroot, the commands that it may use, and its environment."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from quard.base.errors import QuardError
from quard.execute import native
from quard.execute.toolchain import Toolchain
from quard.plan.plan import Plan
from quard.process.sandbox import INSIDE, Work
from quard.process.system import System, shows

_LIBRARY = re.compile(r"(?:^|/)[^/]+\.so(?:\.[^/]+)?\Z")
COMMON_TOOLS = (
    "[ ar as awk basename bash bunzip2 bzip2 cat chmod chown cmp comm cp cut date dd diff dirname"
    " echo ed egrep env expr false fgrep file find fold gawk gcc getconf grep gunzip gzip head"
    " hostname id install join ld ln ls m4 make md5sum mkdir mkfifo mknod mktemp mv nl nm objcopy"
    " objdump od paste patch perl pkg-config printf pwd ranlib readelf readlink realpath rm rmdir"
    " sed seq sh sha1sum sha256sum sleep sort split stat strip sum sync tail tar tee test touch tr"
    " true tsort tty uname uniq uudecode uuencode wc which whoami xargs xz yes zcat"
).split()
"""Commands of the build machine that every package may use: those of POSIX, and those that the
packages' own configure scripts assume. A package names any further command in `tools`."""

NINJA = "ninja"
JOBS = "QUARD_JOBS"
"""Variable with the number of ninja's jobs."""
SITE = "lib/config.site"
"""Where the tools folder has the answers for configure scripts (execute/answers)."""
_OPTIONAL = frozenset(("ed", "hostname", "uudecode", "uuencode", "which"))


def tools(
    work: Work,
    further: Iterable[str],
    search: str,
    inside: str,
    system: System,
) -> None:
    """Fill the tools folder with links to a system's commands.

    further -- commands besides the common ones
    search  -- the PATH to search on the machine's own system
    inside  -- the root of the fixed paths as commands see it
    Raises QuardError tool-missing.
    """
    search = system.search(search) if system.is_pinned else _ordered(search, inside)
    for name in sorted({*COMMON_TOOLS, *further}):
        found = _command(name, search)
        if found:
            (work.tools / name).symlink_to(system.shown(Path(found)))
        elif name not in _OPTIONAL:
            raise _missing(name, search, system)
    if NINJA in further:
        _wrap_ninja(work.tools / NINJA)
    host = work.tools / "cc"
    host.symlink_to("gcc")


def _wrap_ninja(link: Path) -> None:
    """Make ninja start as many processes as the build has tokens, by default one per processor.

    It takes part in no jobserver that make 4.3 knows, and neither in any before ninja 1.13.
    """
    real = link.readlink()
    link.unlink()
    link.write_text(f'#!/bin/sh\nexec {real} ${{{JOBS}:+"-j${JOBS}"}} "$@"\n')
    link.chmod(0o755)


def _missing(name: str, search: str, system: System) -> QuardError:
    if system.is_pinned:
        return QuardError(
            f"the pinned tools have no {name}",
            detail=str(system.folder),
            reason="tool-missing",
            hint="remove the folder if it was damaged: the next build makes it again. If the lock"
            " has no package with this command, add one to configs/tools/names.toml and run ./scons"
            " tools-update",
        )
    return QuardError(
        f"the build machine has no {name}",
        detail=f"searched {search}",
        reason="tool-missing",
        hint="install it; host-packages.list or the list `further` of configs/tools/names.toml"
        " names the Debian package",
    )


@cache
def _command(name: str, search: str) -> str | None:
    """Return the path of one of the machine's commands, looked up once per run."""
    return shutil.which(name, path=search)


@cache
def _ordered(search: str, inside: str) -> str:
    """Return a PATH with the system's own folders first, the only ones that a sealed build sees.

    Otherwise a command found in, say, ~/bin would be a dangling link in the sandbox.
    """
    folders = search.split(os.pathsep)
    system = [folder for folder in folders if shows(Path(folder))]
    others = [folder for folder in folders if folder not in system]
    return os.pathsep.join(system if inside == INSIDE else (*system, *others))


def own_sysroot(folder: Path, toolchain: Toolchain) -> None:
    """Copy the toolchain's own sysroot into a folder, if it has one."""
    if toolchain.sysroot is not None:
        shutil.copytree(toolchain.sysroot, folder, symlinks=True, dirs_exist_ok=True)


def libraries_only(folder: Path) -> None:
    """Remove everything except shared libraries from an extracted dev part."""
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
    plan: Plan,
    further: Mapping[str, str],
) -> dict[str, str]:
    """Return the whole environment of a build: nothing comes from the user's shell.

    The cache variables stop configure scripts from probing the build machine (Autoconf manual,
    "Cache Variable Names"; GNU libtool's search path); others stop git from describing the
    checkout in which the build runs.
    """
    sysroot = folders["sysroot"]
    # Nobody debugs what runs on the build machine only.
    flags = plan.cflags if plan.native else f"{plan.cflags} -g".strip()
    path = (f"{inside}/native/usr/bin", f"{inside}/native/usr/sbin") if plan.natives else ()
    search = {
        "PKG_CONFIG_LIBDIR": f"{sysroot}/usr/lib/pkgconfig:{sysroot}/usr/share/pkgconfig",
        "PKG_CONFIG_SYSROOT_DIR": sysroot,
    }
    site = f"{inside}/tools/{SITE}" if plan.answers else "/dev/null"
    return {
        "PATH": ":".join((*path, f"{inside}/tools")),
        "HOME": f"{inside}/home",
        "LC_ALL": "C",
        "TZ": "UTC",
        "SOURCE_DATE_EPOCH": SOURCE_DATE_EPOCH,
        "CFLAGS": flags,
        "CXXFLAGS": flags,
        "CONFIG_SITE": site,
        "CONFIG_SHELL": "/bin/sh",
        "GIT_DIR": ".",
        "MAKEFLAGS": makeflags,
        **(native.environment(inside) if plan.native else search),
        "ac_cv_func_malloc_0_nonnull": "yes",
        "ac_cv_func_realloc_0_nonnull": "yes",
        "lt_cv_sys_lib_search_path_spec": "",
        **further,
    }


SOURCE_DATE_EPOCH = "315532800"
"""1980-01-01: the earliest date that every archive format can hold (seconds since 1970)."""
