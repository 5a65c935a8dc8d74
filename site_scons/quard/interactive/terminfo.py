"""The description of the user's terminal for programs that run in a package's build, terminfo(5).

Builds see none, or only those of the pinned packages. The machine's own is preferred: terminals
bring descriptions that no distribution has. It is copied into the home folder of the build, where
ncurses looks first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from quard.base import given
from quard.base.errors import QuardError
from quard.base.files import replace
from quard.process.sandbox import Work
from quard.project.workspace import Workspace

_STANDARD = ("/etc/terminfo", "/lib/terminfo", "/usr/share/terminfo", "/usr/lib/terminfo")
_LARGEST = 1 << 15
"""Size limit of a compiled description in bytes, term(5)."""


def lend(workspace: Workspace, work: Work) -> None:
    """Copy the description of the terminal of this run into a build's home folder.

    Without one, programs work as on a terminal that can do little, or say that they do not know it.
    """
    site = workspace.host.site
    found = find(site.terminal, site.described)
    if found is None:
        found = _pinned(workspace)
    if found is not None:
        copy(found, site.terminal, work.home)


def folders(environ: Mapping[str, str], home: Path | None) -> tuple[Path, ...]:
    """Return the folders of the machine that may have descriptions, in the order of ncurses."""
    return tuple(Path(text) for text in _folders(environ, home) if text.startswith("/"))


def _folders(environ: Mapping[str, str], home: Path | None) -> Iterator[str]:
    yield environ.get("TERMINFO", "")  # a description itself in another form: not a path
    if home is not None:
        yield str(home / ".terminfo")
    for text in environ.get("TERMINFO_DIRS", "").split(":"):
        yield from (text,) if text else _STANDARD
    yield from _STANDARD


def find(kind: str, places: Iterable[Path]) -> bytes | None:
    """Return the first description of a kind of terminal; None if there is none.

    kind -- its name; it names no file outside of these folders
    """
    for path in (place / name for place in places for name in _names(kind)):
        try:
            return given.content(path, _LARGEST)
        except OSError:
            continue  # missing or unreadable: ncurses tries the next one as well
    return None


def copy(description: bytes, kind: str, home: Path) -> None:
    """Write a description below a home folder. Raises OSError."""
    replace(home / ".terminfo" / _names(kind)[0], description)


def _names(kind: str) -> tuple[str, ...]:
    """Return where a description is below a folder: by its first character, or by its code."""
    if kind in ("", ".", "..") or "/" in kind or "\0" in kind:
        return ()
    return (f"{kind[0]}/{kind}", f"{ord(kind[0]):x}/{kind}")


def _pinned(workspace: Workspace) -> bytes | None:
    """Return the description that the pinned packages have of the terminal of this run."""
    try:
        system = workspace.host.tooling.terminals()
    except QuardError as error:
        if workspace.host.stop.requested:
            raise
        workspace.console.warn(error.message)
        return None
    kind = workspace.host.site.terminal
    return find(kind, (system.place(place) for place in _STANDARD if place.startswith("/usr")))
