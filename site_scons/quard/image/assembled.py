"""What is known of a root file system after its rootfs.tar was made."""

from __future__ import annotations

from collections.abc import Callable

from quard.base.record import Record, record
from quard.image.roottar import Entries


@record
class Assembled(Record):
    """A root file system that was made.

    sha256   -- of rootfs.tar
    entries  -- what it has, with the SHA-256 of each content
    unlinked -- packages of which only libs are in the image, with none of which a file is linked
    static   -- paths of programs that do not show how they count time, see quard.image.time64
    keep     -- keeps what was found out about the layers for the next image, see `Layers.write`;
                only for layers that had their digests
    """

    sha256: str
    entries: Entries
    unlinked: tuple[str, ...]
    static: tuple[str, ...]
    keep: Callable[[], None]
