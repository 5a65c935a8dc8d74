"""Where symbolic links lead, computed from their texts; the file system is not read."""

from __future__ import annotations

import posixpath
from collections.abc import Callable

MOST = 40
"""Links that Linux follows in one path before it gives up: path_resolution(7)."""


class Circle(Exception):
    """More links than Linux follows, most likely a cycle of links."""


class Outside(Exception):
    """A `..` that leaves the folder that it must stay in."""


def landing(path: str, text: str) -> str:
    """Return the path that a link points to, without following further links.

    Paths are relative to one root, without a leading slash; `..` stops at the root, as in Linux.
    """
    return posixpath.normpath(posixpath.join("/", posixpath.dirname(path), text)).lstrip("/")


def leads_out(path: str, text: str) -> bool:
    """Return whether a relative link leads above the root; absolute links start at the root."""
    plain = posixpath.normpath(posixpath.join(posixpath.dirname(path), text))
    return plain == ".." or plain.startswith("../")


def followed(path: str, text_of: Callable[[str], str | None], *, floor: int | None = None) -> str:
    """Return where a path leads after following every link in it.

    The result may not exist.

    text_of -- returns the text of the link at a path, None if there is no link
    floor   -- number of leading folders that `..` must not leave; None: `..` stops at the root
    Raises Circle, Outside.
    """
    done: list[str] = []
    ahead = _steps(path)
    links = 0
    while ahead:
        step = ahead.pop()
        if step == "..":
            if floor is not None and len(done) <= floor:
                raise Outside
            del done[-1:]
            continue
        done.append(step)
        text = text_of("/".join(done))
        if text is None:
            continue
        links += 1
        if links > MOST:
            raise Circle
        done = [] if text.startswith("/") else done[:-1]
        ahead += _steps(text)
    return "/".join(done)


def _steps(path: str) -> list[str]:
    """Return the components of a path in reverse order."""
    return [step for step in reversed(path.split("/")) if step not in ("", ".")]
