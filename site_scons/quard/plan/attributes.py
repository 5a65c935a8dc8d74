"""Kernel options without which a root file system loses the attributes of its files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from quard.base.attributes import CAPABILITY
from quard.installed import Permission

_OPTIONS = {"squashfs": ("SQUASHFS_XATTR", "TMPFS_XATTR")}
"""Format -> what it needs for attributes of any kind. A squashfs is mostly below an overlay in a
tmpfs, to which a file is copied with its attributes when it changes."""
_SECURITY = {"ext4": ("EXT4_FS_SECURITY",)}
"""Format -> what it needs for those of the namespace `security`, where capabilities are."""


def options(
    name: str, permissions: Iterable[Permission], formats: Sequence[str]
) -> Iterator[tuple[str, str]]:
    """Yield the options that permissions of a package rely on, each with the package's name.

    formats -- of the root
    """
    names = [key for each in permissions for key, _ in each.xattrs]
    names += [CAPABILITY for each in permissions if each.capabilities]
    for option in needed(names, formats):
        yield name, option


def needed(names: Iterable[str], formats: Sequence[str]) -> Iterator[str]:
    """Yield the options that file systems need for attributes with these names.

    A format that can hold none needs none: its image is refused.
    """
    names = tuple(names)
    for kind in formats if names else ():
        yield from _OPTIONS.get(kind, ())
        if any(name.startswith("security.") for name in names):
            yield from _SECURITY.get(kind, ())
