"""Limits of the root file system's formats, checked before anything is made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from quard.base.errors import QuardError
from quard.base.plain import short
from quard.image.tree import Node

LARGEST = {"cpio.gz": 0xFFFFFFFF, "ext4": 0xFFFFFFFF << 12}
"""Largest file in bytes: newc has eight hexadecimal digits for the size, ext4 a 32-bit number of
4 KiB blocks; the limit of squashfs is larger than any disk."""


WITHOUT_ATTRIBUTES = ("cpio.gz",)
"""Formats that have no place for extended attributes: a header of newc has none."""
_SHOWN = 5
"""How many paths a message names."""


def errors(nodes: Mapping[str, Node], formats: Sequence[str]) -> Iterator[QuardError]:
    """Yield an error image-too-big for each file that one of the formats cannot hold.

    Also image-attributes, if some paths have attributes that one of the formats cannot hold.
    """
    yield from _attribute_errors(nodes, [name for name in formats if name in WITHOUT_ATTRIBUTES])
    for path, node in sorted(nodes.items()):
        size = node.content.size if node.content is not None else 0
        small = [name for name in formats if size > LARGEST.get(name, size)]
        if small:
            others = [name for name in formats if name not in small]
            most = min(LARGEST[name] for name in small)
            yield QuardError(
                f"/{short(path)} is too big for {' and '.join(small)}",
                detail=f"{size} bytes; at most {most}"
                + (f"; {' and '.join(others)} can hold it" if others else ""),
                reason="image-too-big",
                hint=f"remove {' and '.join(small)} from image.formats in the board's file,"
                " or remove the file from the image",
            )


def _attribute_errors(nodes: Mapping[str, Node], formats: Sequence[str]) -> Iterator[QuardError]:
    paths = [f"/{short(path)}" for path, node in sorted(nodes.items()) if node.attributes]
    if not paths or not formats:
        return
    more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    shown, name = ", ".join(paths[:_SHOWN]) + more, " and ".join(formats)
    yield QuardError(
        f"{name} cannot hold the capabilities and attributes of {shown}",
        detail="the initramfs format has no place for them; ext4, squashfs and rootfs.tar have",
        reason="image-attributes",
        hint=f"remove {name} from image.formats in the board's file, or give the paths a mode"
        " without attributes with a [[permission]] of the system's table",
    )
