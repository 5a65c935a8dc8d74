"""The parts of packages that a root file system is made from.

A part is a blob, and what is in one never changes. So the next image need not read its headers, nor
the files for the manifest: that is known by the digest of the blob.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from quard.base.record import Record, record
from quard.image import tarimage
from quard.image.content import Content
from quard.image.known import Known
from quard.image.tree import Node

_FORM = "rows 1"
"""Of what is known: another one if `_rows` gives other rows."""


@record
class Layer(Record):
    """A part of a package with files for the target, an uncompressed tar.

    sha256 -- of the blob; "" if it is not known
    """

    package: str
    blob: Path
    sha256: str = ""


class Layers:
    """Reads the parts of one image.

    known -- file of what is in the blobs; None: that is not kept
    """

    def __init__(self, known: Path | None = None) -> None:
        self._known = Known(known, _FORM) if known else None
        self._contents: dict[str, dict[str, tuple[Node, Content]]] = {}

    def nodes(self, layer: Layer) -> dict[str, Node]:
        """Return path -> node of the files of a part. Raises QuardError bad-tar."""
        rows = self._known.get(layer.sha256) if self._known else None
        if rows is not None:
            nodes = _nodes(rows, layer.blob)
        else:
            found = tarimage.read(layer.blob, f"the blob of {layer.package}", ours=False)
            nodes = {path: node for path, (node, _) in found.items()}
            if self._known:  # now: in an image, nodes get other modes and owners
                self._known.note(layer.sha256, _rows(nodes))
        if layer.sha256:
            self._contents[layer.sha256] = {
                path: (node, node.content) for path, node in nodes.items() if node.content
            }
        return nodes

    def write(self, digests: Mapping[Node, str]) -> None:
        """Keep what is in these parts, for the next image. Raises OSError.

        digests -- SHA-256 of the content of each file in the image
        """
        if self._known is None:
            return
        for sha256, contents in self._contents.items():
            rows = self._known.get(sha256) or {}
            fresh = {
                path: [*rows[path][:-1], digests[node]]
                for path, (node, content) in contents.items()
                # A node can be changed: then its digest is not that of the blob.
                if not content.sha256 and node in digests and node.content is content
            }
            if fresh:
                self._known.note(sha256, {**rows, **fresh})
        self._known.write()


def _rows(nodes: Mapping[str, Node]) -> dict[str, list[Any]]:
    """Return path -> what `_nodes` makes the node of, its digest last."""
    first: dict[Node, str] = {}
    found: dict[str, list[Any]] = {}
    for path, node in nodes.items():
        if first.setdefault(node, path) != path:
            found[path] = [first[node], ""]
            continue
        place = node.content and (node.content.size, node.content.offset, node.content.runs)
        facts = (node.kind, node.mode, node.uid, node.gid, node.target, node.device)
        found[path] = [*facts, place, ""]
    return found


def _nodes(rows: Mapping[str, list[Any]], blob: Path) -> dict[str, Node]:
    found: dict[str, Node] = {}
    for path, (first, *facts, sha256) in rows.items():
        if not facts:  # a hard link: its first path is before it, see quard.store.blob
            found[path] = found[first]
            continue
        mode, uid, gid, target, device, place = facts
        content = None
        if place:
            size, offset, runs = place
            content = Content(size, b"", blob, offset, runs and tuple(map(tuple, runs)), sha256)
        found[path] = Node(first, mode, uid, gid, content, target, tuple(device))
    return found
