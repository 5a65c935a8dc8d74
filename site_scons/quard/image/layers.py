"""The parts of packages that a root file system is made from."""

from __future__ import annotations

from pathlib import Path

from quard.base.record import Record, record
from quard.image import tarimage
from quard.image.tree import Node


@record
class Layer(Record):
    """A part of a package with files for the target, an uncompressed tar."""

    package: str
    blob: Path

    def nodes(self) -> dict[str, Node]:
        """Return path -> node of its files. Raises QuardError bad-tar."""
        found = tarimage.read(self.blob, f"the blob of {self.package}", ours=False)
        return {path: node for path, (node, _) in found.items()}
