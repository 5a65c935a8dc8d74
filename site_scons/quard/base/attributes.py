"""Extended attributes that were set on a file on purpose, without those of the machine itself."""

from __future__ import annotations

import errno
import os

CAPABILITY = "security.capability"
ACCESS_LIST = "system.posix_acl_access"
"""Also inherited from the default list of a parent folder."""
_OTHERS = tuple(
    f"user.{name}."
    for name in ("containers", "fuseoverlayfs", "overlay", "rootlesscontainers", "virtfs")
)
"""Attributes that file systems in user space use internally."""


def attributes(path: str) -> tuple[str, ...]:
    """Return the names of a file's attributes, sorted. Raises OSError.

    Labels of security modules are omitted, as each machine has its own.
    """
    try:
        names = os.listxattr(path, follow_symlinks=False)
    except OSError as error:
        if error.errno == errno.ENOTSUP:
            return ()
        raise
    return tuple(sorted(name for name in names if _is_meant(name)))


def _is_meant(name: str) -> bool:
    if name in (CAPABILITY, ACCESS_LIST):
        return True
    return name.startswith("user.") and not name.startswith(_OTHERS)
