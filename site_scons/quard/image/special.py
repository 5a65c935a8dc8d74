"""Checks for special modes and attributes of overlay files, which an image does not take over."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator, Sequence

from quard.base import capabilities
from quard.base.attributes import CAPABILITY
from quard.base.errors import QuardError
from quard.base.plain import short
from quard.image.overlay import Item, Overlay
from quard.image.tree import Tree

_SHOWN = 5
"""How many files a warning names."""


def errors(tree: Tree, overlays: Sequence[Overlay], named: Collection[str]) -> Iterator[QuardError]:
    """Yield an error for each file whose set-id bit or capabilities would be lost.

    named -- paths whose mode and capabilities are set by a recipe or the system's table
    """
    for overlay, item, path in _used(tree, overlays):
        shown = f"overlay {overlay.name}: /{short(path)}"
        if item.special and path not in named:
            table = "[[permission]]" if item.kind == "file" else "[[directory]]"
            mode = f"{item.special | item.mode:04o}"
            yield QuardError(
                f"{shown} has the mode {mode}, which would be lost",
                detail=f'{table} path = "/{short(path)}", mode = "{mode}" keeps it',
                reason="special-mode",
                hint="add the row to the system's table, or remove the bit with chmod",
            )
        if CAPABILITY in item.attributes and path not in named:
            kept = item.special & ~stat.S_ISUID | item.mode
            row = f'[[permission]] path = "/{short(path)}", mode = "{kept:04o}"'
            yield QuardError(
                f"{shown} has capabilities, which would be lost",
                detail=f'{row}, capabilities = "{_capabilities(overlay, item)}" keeps them',
                reason="file-capabilities",
                hint="add the row to the system's table, or remove them with setcap -r",
            )


def _capabilities(overlay: Overlay, item: Item) -> str:
    """Return a file's capabilities as a permission has them; "..." if they cannot be said."""
    try:
        found = os.getxattr(overlay.folder / item.path, CAPABILITY)
    except OSError:  # it has been changed since the scan
        return "..."
    return capabilities.decode(found) or "..."


def warnings(tree: Tree, overlays: Sequence[Overlay]) -> Iterator[str]:
    """Yield a warning for each kind of attribute that is left out."""
    found: dict[str, list[str]] = {}
    for _, item, path in _used(tree, overlays):
        for name in item.attributes:
            if name != CAPABILITY:
                found.setdefault(name, []).append(f"/{short(path)}")
    for name, paths in sorted(found.items()):
        more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
        shown = ", ".join(paths[:_SHOWN]) + more
        said = f"the attribute {short(name)} of overlays is left out of the images"
        yield f"{said}, which have those of permissions alone: {shown}"


def _used(tree: Tree, overlays: Sequence[Overlay]) -> Iterator[tuple[Overlay, Item, str]]:
    """Yield the special items of overlays that no later overlay replaces."""
    last: dict[str, tuple[Overlay, Item]] = {}
    for overlay in overlays:
        for item in overlay.items:
            if item.kind != "link":
                last[tree.canonical(item.path)] = overlay, item
    for path, (overlay, item) in last.items():
        if item.is_special:
            yield overlay, item, path
