"""Where the files of a package are placed in a root, and which of them no build needs."""

from __future__ import annotations

import re

VERSION = 2
"""Part of a root's digest: raised when other files, or the same files differently, are unpacked."""

_MERGED = frozenset(("bin", "sbin", "lib", "lib32", "lib64", "libx32"))
"""Folders that Debian's layout has below usr, with links to them."""

_LEFT_OUT = frozenset(
    f"usr/share/{name}"
    for name in (
        "appdata apport applications bash-completion bug calendar dbus-1 debconf doc-base"
        " emacs fish gitweb gnome gtk-doc help icons info initramfs-tools lintian locale"
        " man menu metainfo nano pixmaps polkit-1 sounds texmf themes vim xsessions zsh"
    ).split()
)
"""What serves the people and services of a whole system: documentation, translations, desktops."""

_UNUSED = re.compile(
    r"usr/bin/(?:.*-)?lto-dump(?:-[0-9]+)?"  # 86 MB for both compilers; prints a compiler's files
    r"|usr/share/cmake-[^/]*/Help(?:/.*)?"
)
_COPYRIGHT = re.compile(r"usr/share/doc(?:/[^/]*(?:/copyright)?)?")
"""The terms of each package are kept, as images hold files of the compilers' packages."""


def placed(path: str) -> str | None:
    """Return where a package's file is placed in a root; None if it is left out.

    path -- relative to the package's top, normalised
    """
    top, _, rest = path.partition("/")
    if top in _MERGED and rest:
        path = f"usr/{path}"
    elif top != "usr":
        return None
    if path.startswith("usr/share/"):
        folder = "/".join(path.split("/", 3)[:3])
        if folder in _LEFT_OUT:
            return None
        if folder == "usr/share/doc":
            return path if _COPYRIGHT.fullmatch(path) else None
    return None if _UNUSED.fullmatch(path) else path
