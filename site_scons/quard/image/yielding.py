"""Which package keeps a path that two packages of an image install."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from quard.image.tree import Node
from quard.installed import ANY

Contents = Mapping[str, Mapping[str, Node]]
"""Package -> path -> what it installs there."""


def yielded(contents: Contents, yields: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, str]]:
    """Yield (package, path) of each file and link that a package leaves to another one.

    yields -- package -> packages that keep a path which both install; "*": all
    Two packages that yield to each other both have the path: this is a collision, as without
    either of them yielding. Folders are shared by all packages.
    """
    for package, rivals in yields.items():
        mine = contents.get(package, {})
        others = contents if ANY in rivals else [each for each in rivals if each in contents]
        for other in others:
            back = yields.get(other, ())
            if other == package or package in back or ANY in back:
                continue
            theirs = contents[other]
            for path in mine.keys() & theirs.keys():
                if "directory" not in (mine[path].kind, theirs[path].kind):
                    yield package, path
