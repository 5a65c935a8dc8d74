"""rootfs.tar as the source of several file systems, which share what is read from it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from threading import Lock

from quard.base.files import file_sha256
from quard.image import tarimage
from quard.image.tree import Node

Entries = Mapping[str, tuple[Node, int]]
"""Path -> node and modification time."""


class RootTar:
    """A rootfs.tar; several threads may ask for what is in it. Nobody changes its nodes.

    sha256  -- of the file; "" if it is not known yet
    entries -- what it has; None if that is not known yet
    """

    def __init__(self, path: Path, sha256: str = "", entries: Entries | None = None) -> None:
        self.path = path
        self._sha256 = sha256
        self._entries = entries
        self._reading = Lock()

    @property
    def entries(self) -> Entries:
        """What it has, see `tarimage.read`. Raises QuardError bad-tar."""
        with self._reading:
            if self._entries is None:
                self._entries = tarimage.read(self.path)
            return self._entries

    @property
    def sha256(self) -> str:
        """The SHA-256 of the file."""
        if not self._sha256:
            self._sha256 = file_sha256(self.path)
        return self._sha256
