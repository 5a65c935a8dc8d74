"""Persistent paths, which the data disk keeps: their list in the image, and the mount point."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from quard.base.errors import QuardError
from quard.image.content import Content
from quard.image.tree import Node, Tree

LIST = "etc/persistent"
"""One path per line; the overlay's /etc/init.d/disks reads it."""


def nodes(paths: Sequence[str]) -> Iterator[tuple[str, Node]]:
    """Yield path and node of /data and of the list of absolute `paths` that are kept there."""
    yield "data", Node("directory", 0o755)
    if paths:
        text = "".join(f"{path}\n" for path in paths).encode()
        yield LIST, Node("file", 0o644, content=Content(len(text), text))


def errors(tree: Tree, paths: Sequence[str]) -> Iterator[QuardError]:
    """Yield an error, bad-persistent, for each path that is not a folder or regular file."""
    for path in paths:
        node = tree.nodes.get(path[1:])
        if node is None:
            yield _error(
                path, "is not in the image", "add it as a [[directory]] of the system table"
            )
        elif node.kind not in ("directory", "file"):
            yield _error(path, f"is a {node.kind}", "name its target")


def _error(path: str, trouble: str, hint: str) -> QuardError:
    return QuardError(
        f"data.persistent of the board names {path}, which {trouble}",
        detail="only a folder or a file of the image can be kept",
        reason="bad-persistent",
        hint=f"{hint}, or remove it from data.persistent",
    )
