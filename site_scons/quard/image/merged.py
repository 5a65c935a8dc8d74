"""usr-merge of overlays: in an image, /bin, /sbin, /lib and /lib64 are links into /usr."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import replace

from quard.base import links
from quard.base.errors import QuardError
from quard.base.plain import short
from quard.image.overlay import Overlay
from quard.image.tree import Node, Tree


def fold(tree: Tree, overlay: Overlay) -> Iterator[tuple[str, Node] | QuardError]:
    """Yield path and node of everything in an overlay, moved below /usr where necessary.

    A folder in place of such a link means the folder that the link points to; a link with the same
    target as the image's own is ignored. Yields an error for two files with one path.
    """
    first: dict[str, tuple[str, Node]] = {}
    for path, node in overlay.nodes():
        own = tree.nodes.get(path)
        if own is not None and own.kind == "link" and _agrees(own, node):
            continue
        place = tree.canonical(path)
        before, other = first.setdefault(place, (path, node))
        if before != path and (node.kind, other.kind) != ("directory", "directory"):
            yield QuardError(
                f"overlay {overlay.name} has both /{short(before)} and /{short(path)}",
                detail=f"in an image both are /{short(place)}",
                reason="file-collision",
                hint="remove one of the two",
            )
            continue
        yield place, node if place == path else _moved(tree, path, place, node)


def _agrees(own: Node, node: Node) -> bool:
    """Return whether an overlay may have this node where the image has a link into /usr."""
    if node.kind == "link":
        return posixpath.normpath(node.target).lstrip("/") == own.target
    return node.kind == "directory"


def _moved(tree: Tree, path: str, place: str, node: Node) -> Node:
    """Return the node for its new path: a relative link may need another target there."""
    if node.kind != "link" or node.target.startswith("/"):
        return node
    landing = links.landing(path, node.target)
    inside = f"{path.partition('/')[0]}/"
    if landing.startswith(inside):
        return node
    wanted = f"/{tree.canonical(landing)}"
    return replace(node, target=posixpath.relpath(wanted, f"/{posixpath.dirname(place)}"))
