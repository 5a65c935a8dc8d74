"""Where symbolic links lead, told from their texts alone: nothing here looks at a file system."""

from __future__ import annotations

import posixpath
from collections.abc import Callable

MOST = 40
"""Links that Linux follows in one path before it gives up: path_resolution(7)."""


class Circle(Exception):
    """More links than Linux follows: most likely they lead to each other."""


class Outside(Exception):
    """A `..` that goes above the folder that must not be left."""


def landing(path: str, text: str) -> str:
    """Return the path that a link's text means, without following further links.

    Paths are below one root, without a leading slash; `..` stops at the root, as in the kernel.
    """
    return posixpath.normpath(posixpath.join("/", posixpath.dirname(path), text)).lstrip("/")


def leads_out(path: str, text: str) -> bool:
    """Tell whether a relative link leads above the root; absolute ones mean the root itself."""
    plain = posixpath.normpath(posixpath.join(posixpath.dirname(path), text))
    return plain == ".." or plain.startswith("../")


def followed(path: str, text_of: Callable[[str], str | None], *, floor: int | None = None) -> str:
    """Return where a path leads when every link on the way is followed.

    The result may not exist.

    text_of -- the text of the link at a path, None for all that is no link
    floor   -- folders of the path that `..` must not leave; None: `..` stops at the root
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
    """Return what a path consists of, the first step last."""
    return [step for step in reversed(path.split("/")) if step not in ("", ".")]
