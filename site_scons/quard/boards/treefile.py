"""Reading product trees: each one's quardroot.toml, and whether the trees fit together."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from quard import sites
from quard.base.errors import QuardError
from quard.base.names import NAME, meant
from quard.base.plain import short
from quard.base.record import Record, record
from quard.base.table import Table, read
from quard.boards.trees import OWN, Trees, placed
from quard.sites import DEBIAN, PYPI

FILE = "quardroot.toml"
"""The file at the top of a product tree, which makes a folder one."""
REASON = "bad-tree"
KINDS: Mapping[str, str] = {
    "packages": "/recipe.py",
    "configs": ".toml",
    "configs/system": ".toml",
    "configs/targets": ".toml",
    "qemu": ".toml",
}
"""Folders of a tree whose entries have names that all trees share, and how these entries end."""
_SITE = re.compile(r"[a-z0-9]+\Z")
_BASE = re.compile(r"(https?|ftp|file|git|ssh)://[^\s]+\Z")
_HINT = "correct `[trees] paths` in local.toml, or trees.paths= on the command line"


@record
class Tree(Record):
    """One product tree.

    replaces -- paths of its files and folders that are used instead of those of earlier trees
    board    -- what a build that starts in its folder builds; "" for the usual one
    sites    -- named sites for addresses, with their base addresses
    """

    name: str
    folder: Path
    replaces: tuple[str, ...]
    board: str
    sites: Mapping[str, tuple[str, ...]]


def load(own: Path, folders: Sequence[Path], product: Path | None = None) -> Trees:
    """Return Quardroot's own tree and the product trees in these folders.

    product -- the folder that the build starts in, if it is a product's
    Raises QuardError: bad-tree, name-in-two-trees.
    """
    trees: list[Tree] = []
    places = {os.path.realpath(own): ""}
    for folder in folders:
        _require_folder(folder)
        _require_apart(folder, places)
        tree = _tree(folder)
        for other in trees:
            if other.name == tree.name:
                raise _bad(
                    f"two product trees have the name {tree.name!r}",
                    f"{other.folder}\n{folder}",
                    f"change `name` in one {FILE}",
                )
        trees.append(tree)
        places[os.path.realpath(folder)] = tree.name
    _require_distinct(own, trees)
    found = Trees(own, {tree.name: tree.folder for tree in trees})
    found.sites = {name: bases for tree in trees for name, bases in tree.sites.items()}
    for tree in trees:
        if tree.folder == product:
            found.start = tree.name
            if tree.board:
                found.board = _board(tree, found)
    return found


def _tree(folder: Path) -> Tree:
    path = folder / FILE
    if not os.path.lexists(path):
        raise _bad(f"{folder} is no product tree: it has no file {FILE}", "", _HINT)
    table = read(path, str(path), REASON)
    name, replaces = _name(table), table.texts("replaces", ())
    tree = Tree(name, folder, replaces, table.text("board", ""), _sites(table.table("sites")))
    table.text("checkout", "")  # for the product's start script
    table.finish()
    return tree


def _name(table: Table) -> str:
    name = table.text("name")
    if not NAME.match(name) or name == OWN:
        text = f"cannot be {name!r}"
        raise table.error("name", text, f"use a-z, digits, + . and -, and not {OWN!r}")
    return name


def _sites(table: Table) -> dict[str, tuple[str, ...]]:
    """Return the sites of a tree. Raises QuardError bad-tree."""
    found = {name: table.texts(name) for name in table.names()}
    for name, bases in found.items():
        if not _SITE.match(name):
            raise table.error(name, "is no name for a site", "use a-z and 0-9")
        if name in (DEBIAN, PYPI):
            text = "is a site whose addresses the machine's own configuration has"
            raise table.error(name, text, "use another name")
        for base in bases:
            if not _BASE.match(base):
                text = f"must be a list of base addresses, not {base!r}"
                raise table.error(name, text, 'such as ["https://example.org/pub"]')
        if not bases:
            text = "has no address"
            raise table.error(name, text, 'give it one, such as ["https://example.org/pub"]')
    return found


def _board(tree: Tree, trees: Trees) -> str:
    """Return the board that a tree names, which must be that of some tree."""
    known = trees.names("configs", ".toml")
    if tree.board not in known:
        raise _bad(
            f"{placed(tree.name, FILE)}: `board` names {tree.board!r}, which no tree has",
            f"known: {', '.join(known)}",
            meant(tree.board, known, "correct it, or add configs/NAME.toml"),
        )
    return tree.board


def _require_folder(folder: Path) -> None:
    """Raise QuardError unless the folder can be read."""
    try:
        os.listdir(folder)
    except FileNotFoundError:
        if folder.is_symlink():
            text = f"it is a link to {short(os.readlink(folder))}, which does not exist"
            raise _bad(f"the product tree {folder} cannot be read", text, _HINT) from None
        raise _bad(f"the product tree {folder} does not exist", "", _HINT) from None
    except OSError as error:
        text = error.strerror or str(error)
        raise _bad(f"the product tree {folder} cannot be read", text, _HINT) from error


def _require_apart(folder: Path, places: Mapping[str, str]) -> None:
    """Raise QuardError for a folder that is, or is in, Quardroot's or another tree's folder.

    Quardroot's own folder may be inside a product tree, as a submodule of git is.

    places -- folder without links -> name of the tree in it, "" for Quardroot's own
    """
    real = os.path.realpath(folder)
    for place, tree in places.items():
        what = f"the product tree {tree}" if tree else "Quardroot's own folder"
        if real == place:
            raise _bad(f"the product tree {folder} is {what}", place, _HINT)
        if real.startswith(os.path.join(place, "")):
            raise _bad(f"the product tree {folder} is inside {what}", place, _HINT)
        if tree and place.startswith(os.path.join(real, "")):
            raise _bad(f"the product tree {folder} contains {what}", place, _HINT)


def _require_distinct(own: Path, trees: Iterable[Tree]) -> None:
    """Raise QuardError for a name in two trees that the later one does not replace.

    So is an entry of `replaces` that replaces nothing: a file may have got another name.
    """
    trees = tuple(trees)
    known = dict.fromkeys(_entries(own), "")
    if any(tree.sites for tree in trees):
        known |= dict.fromkeys(map(_site, sites.bases()), "")
    for tree in trees:
        mine = {*_entries(tree.folder), *map(_site, tree.sites)}
        for path in tree.replaces:
            for has, text in (
                (path in mine, "it does not have"),
                (path in known, "no earlier tree has"),
            ):
                if not has:
                    raise _bad(
                        f"{placed(tree.name, FILE)}: `replaces` names {path}, which {text}",
                        "",
                        f"remove it, or correct it; it has the form of {_forms()}",
                    )
        for path in sorted(mine.intersection(known).difference(tree.replaces)):
            raise QuardError(
                f"two trees have {path}",
                detail=f"{placed(known[path], path)}\n{placed(tree.name, path)}",
                reason="name-in-two-trees",
                hint=f"use another name, or add it to `replaces` in {placed(tree.name, FILE)}",
            )
        known |= dict.fromkeys(mine, tree.name)


def _entries(folder: Path) -> Iterator[str]:
    """Yield the paths of a tree's files and folders that have a name; packages are folders."""
    for kind, ending in KINDS.items():
        try:
            found = sorted(os.listdir(folder / kind))
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            text = error.strerror or str(error)
            raise _bad(
                f"{folder / kind} cannot be read", text, "make it readable for this user"
            ) from error
        for name in found:
            if ending.startswith("/"):
                if os.path.lexists(f"{folder}/{kind}/{name}{ending}"):
                    yield f"{kind}/{name}"
            elif name.endswith(ending):
                yield f"{kind}/{name}"


def _site(name: str) -> str:
    """Return what `replaces` and messages call a site."""
    return f"sites/{name}"


def _forms() -> str:
    forms = [f"{kind}/NAME{'' if e.startswith('/') else e}" for kind, e in KINDS.items()]
    return ", ".join((*forms, _site("NAME")))


def _bad(message: str, detail: str, hint: str) -> QuardError:
    return QuardError(message, detail=detail, reason=REASON, hint=hint)
