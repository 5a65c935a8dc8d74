"""The image as a mapping from path to node, and the rules for collisions.

Paths have no leading slash here; messages and the manifest add it.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from quard.base import links
from quard.base.errors import QuardError
from quard.base.plain import is_printable, short
from quard.base.record import Record, record
from quard.base.xattrs import Attributes
from quard.image.content import Content

Kind = Literal["file", "directory", "link", "char", "block", "fifo"]
Maker = Literal["package", "overlay", "system", "hook"]
MERGED = ("bin", "sbin", "lib", "lib64")
"""Top folders that are links into /usr; lib64 only if the target's loader is there."""
_TYPE_BITS: dict[Kind, int] = {
    "file": stat.S_IFREG,
    "directory": stat.S_IFDIR,
    "link": stat.S_IFLNK,
    "char": stat.S_IFCHR,
    "block": stat.S_IFBLK,
    "fifo": stat.S_IFIFO,
}
FOLDER_MODE = 0o755
"""Default mode of a folder, as in the packages' blobs."""


@dataclass(eq=False)
class Node:
    """An inode: hard links are one node with several paths, so that they stay equal."""

    kind: Kind
    mode: int
    uid: int = 0
    gid: int = 0
    content: Content | None = None
    target: str = ""
    device: tuple[int, int] = (0, 0)
    attributes: Attributes = ()

    @property
    def st_mode(self) -> int:
        """Type and mode as one number, as in inode(7)."""
        return _TYPE_BITS[self.kind] | self.mode


ROOT = Node("directory", FOLDER_MODE)
"""The root folder itself, in every kind of image; it is not among the nodes of a tree."""


@record
class Origin(Record):
    """Who put a path there.

    instead -- for nodes from tables: where to set it
    """

    maker: Maker
    name: str
    instead: str = ""

    def __str__(self) -> str:
        return f"the {self.name}" if self.maker == "system" else f"{self.maker} {self.name}"


@dataclass
class Tree:
    """All paths of one image.

    replaced -- path -> the package, or else overlay, whose file was first replaced by an overlay
    packages -- path -> every package that installs it; folders may have several
    yielded  -- path -> the packages that install it, too, and leave it to its owner
    """

    nodes: dict[str, Node] = field(default_factory=dict)
    owners: dict[str, Origin] = field(default_factory=dict)
    replaced: dict[str, str] = field(default_factory=dict)
    packages: dict[str, set[str]] = field(default_factory=dict)
    yielded: dict[str, set[str]] = field(default_factory=dict)

    def add(self, path: str, node: Node, origin: Origin) -> None:
        """Put a node at a path.

        Folders may be added again; of two packages' modes, the one that is not 0755 wins, because
        0755 is the default in blobs. Only an overlay may replace a file, link or device, and only
        one from a package or another overlay. Raises QuardError: file-collision, bad-file-name.
        """
        _check_names(path, node, origin)
        if origin.maker == "package":
            self.packages.setdefault(path, set()).add(origin.name)
        old = self.nodes.get(path)
        if old is None:
            self.nodes[path], self.owners[path] = node, origin
            return
        owner = self.owners[path]
        if old.kind == "directory" and node.kind == "directory":
            if "package" == origin.maker == owner.maker and node.mode != FOLDER_MODE:
                if old.mode not in (FOLDER_MODE, node.mode):
                    modes = f"modes {old.mode:04o} and {node.mode:04o}"
                    raise _collision(path, owner, origin, modes)
                old.mode = node.mode
            return
        if old.kind == "link" and node.kind == "directory":
            raise _parent(path, origin, path, old, owner)
        if "directory" in (old.kind, node.kind):
            raise _collision(path, owner, origin, f"as {old.kind} and as {node.kind}")
        if origin.maker != "overlay" or owner.maker == "system":
            raise _collision(path, owner, origin, "")
        self.replaced.setdefault(path, owner.name)
        self.nodes[path], self.owners[path] = node, origin

    def change(self, path: str, node: Node | None, origin: Origin) -> None:
        """Put what a hook has made at a path, whatever was there; None: the path is removed.

        Raises QuardError bad-file-name.
        """
        old = self.owners.pop(path, None)
        if node is None:
            del self.nodes[path]
            return
        _check_names(path, node, origin)
        if old is not None:
            self.replaced.setdefault(path, old.name)
        self.nodes[path], self.owners[path] = node, origin

    def remove(self, path: str) -> None:
        """Remove a path of packages."""
        for facts in (self.nodes, self.owners):
            del facts[path]
        for found in (self.packages, self.yielded):
            found.pop(path, None)

    def complete(self) -> Iterator[QuardError]:
        """Add missing parent folders.

        Yields an error parent-not-folder for each origin with a path below something else.
        """
        told: set[tuple[str, Origin]] = set()
        for path in sorted(self.nodes):
            for parent in _parents(path):
                node, origin = self.nodes.get(parent), self.owners[path]
                if node is None:
                    self.nodes[parent] = Node("directory", FOLDER_MODE)
                    self.owners[parent] = origin
                elif node.kind != "directory":
                    if (parent, origin) not in told:
                        told.add((parent, origin))
                        yield _parent(path, origin, parent, node, self.owners[parent])
                    break

    def canonical(self, path: str) -> str:
        """Return `path`, absolute or not, with the merged top folders' links resolved."""
        top, _, rest = path.lstrip("/").partition("/")
        node = self.nodes.get(top)
        if top in MERGED and rest and node is not None and node.kind == "link":
            return f"{node.target}/{rest}"
        return path.lstrip("/")

    def resolve(self, path: str) -> str:
        """Return where a path leads if every link is followed; the result need not exist.

        Raises QuardError link-loop.
        """
        try:
            return links.followed(path, self._link)
        except links.Circle:
            raise QuardError(
                f"/{short(path)} is in a loop of symbolic links",
                reason="link-loop",
                hint="correct the link's target",
            ) from None

    def _link(self, path: str) -> str | None:
        """Return the target of the link at a path."""
        node = self.nodes.get(path)
        return node.target if node is not None and node.kind == "link" else None

    def files(self) -> Iterator[tuple[str, Node, Content]]:
        """Yield path, node and content of every regular file, sorted by path."""
        for path, node in sorted(self.nodes.items()):
            if node.kind == "file" and node.content is not None:
                yield path, node, node.content


def _parents(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]


def _check_names(path: str, node: Node, origin: Origin) -> None:
    if not is_printable(path) or {"", ".", ".."} & set(path.split("/")):
        raise QuardError(
            f"{origin} has the file name {short(repr(path))}",
            detail="names are UTF-8, without control characters, empty parts, . and ..",
            reason="bad-file-name",
            hint="rename the file",
        )
    if node.kind == "link" and not is_printable(node.target):
        raise QuardError(
            f"{origin} has the link /{short(path)} to {short(repr(node.target))}",
            detail="the target of a link is UTF-8, without control characters",
            reason="bad-file-name",
            hint="correct the link",
        )


def _collision(path: str, first: Origin, second: Origin, detail: str) -> QuardError:
    hints = {
        "package": "drop it in one of the two recipes (field `drop`), or let one leave its paths to"
        " the other (field `yields_to`)",
        "overlay": "remove it from one of the two",
        "system": "set it in the system's table or the board instead of a file",
        "hook": "let the hook leave the path alone",
    }
    worst = max((first.maker, second.maker), key=("package", "overlay", "system", "hook").index)
    instead = "\n".join(dict.fromkeys(o.instead for o in (first, second) if o.instead))
    return QuardError(
        f"/{short(path)} is installed by {first} and by {second}",
        detail="\n".join(text for text in (detail, instead) if text),
        reason="file-collision",
        hint=hints[worst],
    )


def _parent(path: str, origin: Origin, parent: str, node: Node, owner: Origin) -> QuardError:
    """Return the error for a path below something that is not a folder."""
    target = short(node.target)
    what = f"a link to {target}" if node.kind == "link" else f"a {node.kind}"
    return QuardError(
        f"{origin} installs {'the folder ' if path == parent else ''}/{short(path)}, "
        f"but /{short(parent)} is {what}",
        detail=f"/{short(parent)} comes from {owner}",
        reason="parent-not-folder",
        hint=f"install it below {target}" if node.kind == "link" else "move one of the two",
    )
