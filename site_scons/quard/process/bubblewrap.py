"""Bubblewrap: what starts it, and what keeps it from making a sandbox on this machine."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

_SYSCTL = Path("/proc/sys")
_PAGE = "docs/errors/no-sandbox.md"
_RESTRICTIONS = (
    (
        "kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "AppArmor restricts user namespaces: as root, load a profile for bwrap, or run `sysctl -w"
        f" kernel.apparmor_restrict_unprivileged_userns=0` ({_PAGE})",
    ),
    (
        "kernel/unprivileged_userns_clone",
        "0",
        "only root may create user namespaces: as root, run `sysctl -w"
        f" kernel.unprivileged_userns_clone=1` ({_PAGE})",
    ),
    (
        "user/max_user_namespaces",
        "0",
        "user namespaces are switched off: as root, run `sysctl -w user.max_user_namespaces=10000`"
        f" ({_PAGE})",
    ),
)
"""Setting of the kernel, sysctl(8); its value that forbids user namespaces; what to do about it."""


def own() -> tuple[str, ...]:
    """Return the words that start the machine's own bubblewrap; none if it has none."""
    found = shutil.which("bwrap")
    return (found,) if found else ()


def explained(why: str, settings: Path = _SYSCTL) -> str:
    """Return bubblewrap's reason with what to do about it, if a setting of the kernel explains it.

    why      -- what it printed; empty if it works
    settings -- folder of the kernel's settings
    """
    if not why or os.geteuid() == 0:
        return why  # root's bubblewrap needs no user namespace
    for name, value, advice in _RESTRICTIONS:
        try:
            found = (settings / name).read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError):
            continue  # this kernel has no such setting, or hides it
        if found.strip() == value:
            return f"{why}; {advice}"
    return why
