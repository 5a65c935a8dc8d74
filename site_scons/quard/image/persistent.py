"""Persistent paths, which the data disk keeps: their list in the image, and the mount point."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from quard.base.errors import QuardError
from quard.image.content import Content
from quard.image.tree import Node, Tree

LIST = "etc/persistent"
"""One path per line; the overlay's /etc/init.d/disks reads it."""
_WHY = "only a folder or a file of the image can be kept"


def nodes(paths: Sequence[str]) -> Iterator[tuple[str, Node]]:
    """Yield path and node of /data and of the list of absolute `paths` that are kept there."""
    yield "data", Node("directory", 0o755)
    if paths:
        text = "".join(f"{path}\n" for path in paths).encode()
        yield LIST, Node("file", 0o644, content=Content(len(text), text))


def errors(tree: Tree, paths: Sequence[str]) -> Iterator[QuardError]:
    """Yield an error, bad-persistent, for each path that is not a folder or regular file.

    Also for a path with attributes: what stands for it on the data disk is made by busybox, which
    copies owner and mode alone.
    """
    for path in paths:
        node = tree.nodes.get(path[1:])
        if node is None:
            yield _error(
                path, "is not in the image", "add it as a [[directory]] of the system table"
            )
        elif node.kind not in ("directory", "file"):
            yield _error(path, f"is a {node.kind}", "name its target")
        elif node.attributes:
            why = "its copy on the data disk has none; files in a persistent folder keep theirs"
            trouble = "has capabilities or other attributes"
            yield _error(path, trouble, "name the folder above it", why)


def _error(path: str, trouble: str, hint: str, why: str = _WHY) -> QuardError:
    return QuardError(
        f"data.persistent of the board names {path}, which {trouble}",
        detail=why,
        reason="bad-persistent",
        hint=f"{hint}, or remove it from data.persistent",
    )
