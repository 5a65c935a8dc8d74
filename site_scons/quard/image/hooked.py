"""A root's files as a folder, for scripts of the board, and what these have changed there.

The folder has files, folders and links with their contents and modes. Owners, devices, and set-id
and sticky bits are not in it: an ordinary user cannot make them. They stay as they were. Those of
new files come from the tables, which are applied afterwards.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from quard.base.errors import QuardError
from quard.base.files import file_sha256
from quard.base.plain import short
from quard.base.record import Record, record
from quard.image.content import Content
from quard.image.tree import Kind, Node, Origin, Tree

_SPECIAL = stat.S_ISUID | stat.S_ISGID | stat.S_ISVTX
_OWNER = {"file": 0o600, "directory": 0o700}
"""What our user has to be allowed: the permissions of a file are those of the guest."""


@record
class _Fact(Record):
    """What can be seen of a path: mode, and SHA-256 of a file or target of a link."""

    kind: Kind
    mode: int
    text: str


class Folder:
    """The files of a tree in a folder. Raises OSError."""

    def __init__(self, tree: Tree, folder: Path) -> None:
        self._tree = tree
        self._folder = folder
        self._laid: dict[str, _Fact] = {}
        first: dict[Node, str] = {}
        folders = []
        for path, node in sorted(tree.nodes.items()):
            place = folder / path
            if node.kind == "directory":
                place.mkdir()
                folders.append((place, _mode(node)))
            elif node.kind == "link":
                place.symlink_to(node.target)
            elif node.kind != "file":
                continue
            elif node in first:
                os.link(folder / first[node], place)
            else:
                _write(node, place)
                first[node] = path
            self._laid[path] = _Fact(node.kind, _mode(node), "")
        for place, mode in folders:
            place.chmod(mode)
        for path, fact in self._laid.items():
            self._laid[path] = _Fact(fact.kind, fact.mode, _text(folder / path, fact.kind))

    def take(self, origin: Origin) -> Iterator[QuardError]:
        """Change the tree as the folder was changed; yield what an image cannot have."""
        found: dict[str, _Fact] = {}
        for path, mode in _paths(self._folder):
            try:
                found[path] = _fact(path, self._folder / path, mode)
            except QuardError as error:
                yield error
        for path in sorted(self._laid.keys() - found.keys(), reverse=True):
            # A folder with devices stays: the scripts do not see that it is not empty.
            if self._laid[path].kind != "directory" or not self._has_more(path):
                self._tree.change(path, None, origin)
        made: dict[tuple[Node | None, _Fact], Node] = {}
        for path, fact in found.items():
            if self._laid.get(path) == fact:
                continue
            old = self._tree.nodes.get(path)
            # Names of one file stay names of one file if both were changed in the same way.
            key = old if old is not None and old.kind == fact.kind else None, fact
            node = made.get(key) if key[0] is not None else None
            if node is None:
                node = made[key] = self._node(path, fact, key[0])
            try:
                self._tree.change(path, node, origin)
            except QuardError as error:
                yield error

    def _has_more(self, path: str) -> bool:
        return any(other.startswith(f"{path}/") for other in self._tree.nodes)

    def _node(self, path: str, fact: _Fact, old: Node | None) -> Node:
        place, laid = self._folder / path, self._laid.get(path)
        mode = fact.mode
        if old is not None and laid is not None and laid.mode == fact.mode:
            mode = old.mode
        node = Node(fact.kind, mode, *((old.uid, old.gid) if old is not None else (0, 0)))
        if fact.kind == "link":
            node.mode, node.target = 0o777, fact.text
        elif fact.kind == "file":
            node.content = Content(place.stat().st_size, path=place, sha256=fact.text)
        return node


def _mode(node: Node) -> int:
    """Return the mode that a path has in the folder."""
    return 0o777 if node.kind == "link" else node.mode & ~_SPECIAL | _OWNER.get(node.kind, 0)


def _write(node: Node, place: Path) -> None:
    assert node.content is not None, "it is a file"
    with node.content.open() as source, place.open("wb") as file:
        shutil.copyfileobj(source, file)
    place.chmod(_mode(node))


def _paths(folder: Path) -> list[tuple[str, int]]:
    """Return everything in a folder at any depth, sorted, folders before their content.

    Each path comes with its mode as the scripts have left it. Files and folders that our user may
    not read are made readable: root, who needs no permission, finds the same.
    """
    found = []
    folder.chmod(0o700)
    for place, folders, files in os.walk(folder, onerror=_fail):
        folders.sort()
        top = Path(place).relative_to(folder)
        for name in sorted((*folders, *files)):
            mode = Path(place, name).lstat().st_mode
            found.append(((top / name).as_posix(), mode))
            if stat.S_ISDIR(mode) and mode & stat.S_IRWXU != stat.S_IRWXU:
                Path(place, name).chmod(stat.S_IMODE(mode) | stat.S_IRWXU)
    # Only now, as two of the names may be those of one file.
    for path, mode in found:
        if stat.S_ISREG(mode) and not mode & stat.S_IRUSR:
            (folder / path).chmod(stat.S_IMODE(mode) | stat.S_IRUSR)
    return found


def _fail(error: OSError) -> None:
    raise error


def _fact(path: str, place: Path, mode: int) -> _Fact:
    kinds: dict[int, Kind] = {
        stat.S_IFREG: "file",
        stat.S_IFDIR: "directory",
        stat.S_IFLNK: "link",
    }
    kind = kinds.get(stat.S_IFMT(mode))
    if kind is None or (kind != "link" and mode & _SPECIAL):
        what = "has a set-id or sticky bit" if kind else "is not a file, folder or link"
        raise QuardError(
            f"/{short(path)}, which a hook has made, {what}",
            reason="hook-file-type",
            hint="devices, owners and such modes belong in the system's table: [[device]],"
            " [[permission]]",
        )
    return _Fact(kind, 0o777 if kind == "link" else stat.S_IMODE(mode), _text(place, kind))


def _text(place: Path, kind: Kind) -> str:
    if kind == "link":
        return os.readlink(place)
    return file_sha256(place) if kind == "file" else ""
