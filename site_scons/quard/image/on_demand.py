"""Libraries that an image has only if one of its files is linked with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set

from quard.image.tree import Origin, Tree

Links = Mapping[str, Set[str]]
"""As in quard.image.only_needed."""


def drop_unneeded(tree: Tree, libraries: Iterable[tuple[str, str]], links: Links) -> None:
    """Remove libraries that no file of the image is linked with and that no link names.

    libraries -- (package, path): those that an image has on demand. What an overlay or a script of
                 the board has put in the place of one stays
    """
    ours = {
        path for package, path in libraries if tree.owners.get(path) == Origin("package", package)
    }
    if not ours:
        return
    begins = {
        tree.resolve(path) if node.kind == "link" else path
        for path, node in tree.nodes.items()
        if path not in ours
    }
    for path in ours - _reached(begins, links):
        tree.remove(path)


def _reached(begins: Set[str], links: Links) -> set[str]:
    """Return the given paths and all that they are linked with, directly or not."""
    reached = set(begins)
    pending = list(begins & links.keys())
    while pending:
        found = links.get(pending.pop(), frozenset()) - reached
        reached |= found
        pending += found
    return reached
