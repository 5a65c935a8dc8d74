"""Builds for the build machine: their staging folder, what they link with, and their environment.

These packages are configured for the fixed path NATIVE, where their users see them. What they
install below it is staged as usr, etc and var, so that parts, wildcards and links are those of a
package for the target.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from quard.base.errors import QuardError
from quard.base.files import make_empty, remove_tree
from quard.base.placeholders import LATE, NATIVE
from quard.base.plain import one_line
from quard.parts.stage import is_folder
from quard.process.sandbox import Work

PADDING = 16
"""Length by which the linker's run path is longer than needed: a relative one replaces it."""
_PACKAGES = "native"


def open_stage(stage: Path) -> None:
    """Let what is installed below NATIVE arrive at the top of the staging folder."""
    link = stage / NATIVE[1:]
    link.parent.mkdir(parents=True)
    link.symlink_to("/".join([".."] * (len(link.relative_to(stage).parts) - 1)))


def new_stage(work: Work, *, native: bool) -> None:
    """Make the staging folder of a build, empty."""
    make_empty(work.stage)
    if native:
        open_stage(work.stage)


def close_stage(stage: Path, who: str) -> None:
    """Remove that link, and the folders above it if nothing else was installed there.

    tar(1), among others, replaces the link with a folder: its content is moved to the top.

    who -- the package, for messages. Raises QuardError file-collision.
    """
    link = stage / NATIVE[1:]
    if not is_folder(link.parent):
        return
    if link.is_symlink():
        link.unlink()
    elif link.is_dir():
        if met := [*_move_up(link, stage)]:
            raise QuardError(
                f"{who}: what it installs below {NATIVE} is at paths that already have a file or a"
                " folder",
                detail="\n".join(one_line(str(path.relative_to(stage))) for path in met),
                reason="file-collision",
                hint=f"install each of them once, and keep the link {NATIVE} of the staging folder",
            )
        remove_tree(link)
    if not any(link.parent.iterdir()):
        link.parent.rmdir()


def _move_up(folder: Path, to: Path) -> Iterator[Path]:
    """Move a folder's content into another one, over the files there.

    Yields the paths where only one of the two is a folder.
    """
    for place in (folder, to):
        place.chmod(stat.S_IMODE(place.stat().st_mode) | stat.S_IRWXU)
    for inner in sorted(folder.iterdir()):
        other = to / inner.name
        if is_folder(inner) and is_folder(other):
            yield from _move_up(inner, other)
        elif is_folder(inner) != is_folder(other) and os.path.lexists(other):
            yield other
        else:
            inner.replace(other)


def share_sysroot(work: Work) -> None:
    """Let the sysroot be the folder of the packages for the build machine."""
    work.sysroot.rmdir()
    work.sysroot.symlink_to(work.native.name)


def markers(inside: str) -> tuple[str, ...]:
    """Return the paths that no file of such a package may contain.

    In a build that is not sealed, its libraries have another path than their users see; the run
    paths that replace it leave it in the file, without effect.
    """
    return tuple(f"{inside}/{word}" for word in (*LATE, "tools", "home") if word != _PACKAGES)


def environment(inside: str) -> Mapping[str, str]:
    """Return the variables by which a build for the build machine finds what it is linked with.

    Compilers search these folders after those of options and before the system's own (gcc,
    "Environment Variables").
    """
    usr = f"{inside}/{_PACKAGES}/usr"
    return {
        "C_INCLUDE_PATH": f"{usr}/include",
        "CPLUS_INCLUDE_PATH": f"{usr}/include",
        "LIBRARY_PATH": f"{usr}/lib",
        "PKG_CONFIG_LIBDIR": f"{usr}/lib/pkgconfig:{usr}/share/pkgconfig",
    }


def link_options(inside: str) -> tuple[str, ...]:
    """Return the linker's options: programs find libraries also while they are being built."""
    folder = f"{inside}/{_PACKAGES}/usr/lib"
    return ("-rpath", folder + "/" * PADDING, "-rpath-link", folder)
