"""Boards that include others: the content of their files, merged.

Of the included boards, a later one goes over an earlier one, and the board itself over all. A table
is merged key by key, everything else replaces what was said before. `KEY.add` and `KEY.remove`
change a list instead: that of the included boards, or the default. A board's `summary` is its own.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Any

from quard.base.changes import Changes, is_change
from quard.base.errors import QuardError
from quard.base.files import listed
from quard.base.names import unknown
from quard.base.table import Table, read
from quard.boards.trees import OWN, Trees, parted, placed

KEY = "include"
REASON = "bad-board"
_ENDING = ".fragment"
_HOOKS = ("post_root", "post_image", "inputs")
"""Keys of [hooks] with paths, see quard.boards.hooks."""
_PATHS = ("devicetrees", "files", "fragments", "patches")
"""Tables with a list of paths for each package."""
_BLOBS = {"devicetrees": (".dtb", ".dtbo")}
"""Table -> endings of entries that are paths in the package's source, not in a tree."""
_Data = dict[str, Any]


def merged(trees: Trees, file: str) -> Table:
    """Return the content of a board and of all that it includes.

    file -- the name of the board's file, see quard.boards.trees
    Raises QuardError: bad-board, unknown-board, include-cycle.
    """
    data: _Data = {}
    origins: dict[str, str] = {}
    for name, content in _layers(trees, file).items():
        _make_explicit(content, parted(name)[0])
        if name != file:
            content.pop("summary", None)
            _add_edited(content, trees, name)
        data = _merge(data, content, name, "", origins)
    table = Table(data, file, REASON, origins=origins)
    table.texts(KEY, ())  # a key that errors name among the known ones
    return table


def chain(trees: Trees, file: str) -> tuple[str, ...]:
    """Return the names of the files that a board is made of, its own last. Raises as `merged`."""
    return tuple(_layers(trees, file))


def _layers(trees: Trees, file: str) -> dict[str, _Data]:
    """Return a board's file with its content, after those that it includes."""
    found: dict[str, _Data] = {}
    _add_layers(found, trees, file, ())
    return found


def _add_layers(found: dict[str, _Data], trees: Trees, file: str, before: Sequence[str]) -> None:
    """Add a board's file and those that it includes, unless they are there already.

    before -- the files that include it, from the first one on
    """
    if file in before:
        names = [*before[before.index(file) :], file]
        raise QuardError(
            f"{file} includes itself",
            detail="\n".join(f"{one} includes {two}" for one, two in itertools.pairwise(names)),
            reason="include-cycle",
            hint=f"remove one of these from `{KEY}`",
        )
    if file in found:
        return
    table = read(trees.path(file), file, REASON)
    for name in table.texts(KEY, ()):
        _add_layers(found, trees, _found(trees, file, name), (*before, file))
    found[file] = table.rest()


def _found(trees: Trees, file: str, name: str) -> str:
    """Return the name of the file of an included board, which is written NAME or TREE:NAME."""
    tree, board = parted(name)
    path = f"configs/{board}.toml"
    found = placed("", f"{tree}:{path}") if tree else trees.find(path)
    if "/" in board or not os.path.lexists(trees.path(found)):
        error = unknown("board", name, trees.names("configs", ".toml"), "correct the name")
        error.reword(f"{file}: {KEY}: {error.message}")
        raise error
    return found


def _make_explicit(data: _Data, tree: str) -> None:
    """Write its tree into each path of a file's content, before others are laid over it."""

    def explicit(items: Any, blobs: tuple[str, ...] = ()) -> Any:
        if is_change(items):
            return {key: explicit(inner, blobs) for key, inner in items.items()}
        if not isinstance(items, list):
            return items
        return [f"{tree or OWN}:{i}" if _is_plain_path(i, blobs) else i for i in items]

    for table in _roots(data):
        if "overlays" in table:
            table["overlays"] = explicit(table["overlays"])
        hooks = table.get("hooks")
        if isinstance(hooks, dict):
            hooks.update({key: explicit(hooks[key]) for key in _HOOKS if key in hooks})
        for key in _PATHS:
            paths = table.get(key)
            if isinstance(paths, dict):
                blobs = _BLOBS.get(key, ())
                paths.update({name: explicit(items, blobs) for name, items in paths.items()})


def _is_plain_path(item: Any, blobs: tuple[str, ...]) -> bool:
    """Return whether an entry is a path without its tree, and does not have one of the endings."""
    return isinstance(item, str) and ":" not in item and not item.endswith(blobs)


def _roots(data: _Data) -> Iterator[_Data]:
    """Yield a board's content, which is that of its own root, and that of each named one."""
    yield data
    named = data.get("roots")
    if isinstance(named, dict):
        yield from (root for root in named.values() if isinstance(root, dict))


def _add_edited(data: _Data, trees: Trees, file: str) -> None:
    """Add the fragments that the Kconfig editor has written for an included board."""
    tree, path = parted(file)
    folder = f"configs/{PurePath(path).stem}"
    fragments = data.setdefault("fragments", {})
    if not isinstance(fragments, dict):
        return  # which is reported when the key is read
    for name in listed(trees.path(placed(tree, folder)), _ENDING):
        package, edited = name.removesuffix(_ENDING), f"{tree or OWN}:{folder}/{name}"
        known = fragments.get(package, {"add": []})
        if isinstance(known, list):
            fragments[package] = [*known, edited]
        elif is_change(known):
            fragments[package] = {**known, "add": [*known.get("add", ()), edited]}


def _merge(
    under: Mapping[str, Any],
    over: Mapping[str, Any],
    file: str,
    where: str,
    origins: dict[str, str],
) -> _Data:
    """Return `under` with what a file says laid over it.

    where   -- before the keys' names in messages
    origins -- name of a key -> the name of the file that has it, to which the file's are added
    """
    found = dict(under)
    for key, value in over.items():
        old, name = found.get(key), f"{where}{key}"
        if is_change(value) and not isinstance(old, dict):
            if isinstance(old, Changes):
                found[key] = old.then(file, value)
            elif old is None or isinstance(old, list):
                found[key] = Changes(old, ((file, value),))
            else:
                found[key] = value
        elif isinstance(value, dict):
            inner = old if isinstance(old, dict) else {}
            found[key] = _merge(inner, value, file, f"{name}.", origins)
            if old is None or isinstance(old, dict):
                continue
        else:
            found[key] = value
        origins[name] = file
    return found
