"""Extended attributes that somebody gave to a file, without those of the machine itself."""

from __future__ import annotations

import errno
import os

CAPABILITY = "security.capability"
ACCESS_LIST = "system.posix_acl_access"
"""Also given by the default list of a folder above."""
_OTHERS = tuple(
    f"user.{name}."
    for name in ("containers", "fuseoverlayfs", "overlay", "rootlesscontainers", "virtfs")
)
"""What file systems in user space keep for themselves."""


def attributes(path: str) -> tuple[str, ...]:
    """Return the names of a file's attributes, sorted. Raises OSError.

    Labels of security modules are left out, as each machine has its own.
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
