"""The part of this build system that an action needs: what its program imports."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from quard.dispatch.folder import File, Folder, text

TOP = Path(__file__).resolve().parents[2]
PROGRAM = "quard.dispatch.inside"
_DATA = "quard/execute/start"
"""Files that modules read; see quard.execute.drivers."""


def engine() -> Folder:
    """Return the modules that the program imports, and the files that these read."""
    found = Folder()
    for path in (*modules(PROGRAM), *sorted((TOP / _DATA).iterdir())):
        found.put(str(path.relative_to(TOP)), _file(path))
    return found


def _file(path: Path) -> File:
    return text(path.read_bytes())


def modules(name: str) -> tuple[Path, ...]:
    """Return the files of a module and of all that it imports when it runs, sorted."""
    waiting, found = [name], set[Path]()
    while waiting:
        for path in _files(waiting.pop()):
            if path not in found:
                found.add(path)
                waiting += _imported(ast.parse(path.read_bytes()).body)
    return tuple(sorted(found))


def _files(name: str) -> Iterator[Path]:
    """Yield the files of a module and of the packages around it; none if it is a mere name."""
    place = TOP
    for word in name.split("."):
        place /= word
        for path in (place / "__init__.py", place.with_suffix(".py")):
            if path.is_file():
                yield path


def _imported(body: list[ast.stmt]) -> Iterator[str]:
    """Yield the names that statements import, but not those that only types need."""
    for node in body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            yield from _imported(node.orelse)
        else:
            for inner in ("body", "orelse", "finalbody", "handlers", "cases"):
                yield from _imported(getattr(node, inner, []))
