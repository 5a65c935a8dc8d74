"""Options that a project does not know: an error, so that no setting of a recipe is silently lost.

CMake only warns about them. The texts below are those of CMake and Meson in the C locale.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from quard.base.errors import QuardError
from quard.base.names import nearest
from quard.execute.buildlog import BuildLog, quoted
from quard.plan.plan import Plan

_CMAKE = re.compile(
    rb"^  Manually-specified variables were not used by the project:\n\n((?:    \S+\n)+)",
    re.MULTILINE,
)
_MESON = re.compile(rb"ERROR: Unknown options?: \"([^\"\n]*)\"")
_CACHED = re.compile(r"^([A-Za-z_][A-Za-z0-9_]*):", re.MULTILINE)
_CACHE = "CMakeCache.txt"


def require_known(plan: Plan, argv: Sequence[str], log: BuildLog, start: int, folder: Path) -> None:
    """Raise QuardError unknown-build-option if a configure command was given one.

    start  -- where the command's output begins in the log
    folder -- of the build
    """
    if names := _unknown(argv, lambda: log.printed(start)):
        raise QuardError(
            f"{plan.name} {plan.version}: the project does not know every option",
            detail=f"{_described(names, folder)}\ncommand: {quoted(argv)}\nlog: {log.shown}",
            reason="unknown-build-option",
            hint="correct or remove them in the recipe: in `configure` and the features' `on` and"
            " `off`",
        )


def _unknown(argv: Sequence[str], log: Callable[[], bytes]) -> tuple[str, ...]:
    """Return the options that a command was given and its project does not know, sorted.

    log -- returns the command's output
    """
    found: set[str] = set()
    if argv[0] == "cmake":
        for match in _CMAKE.finditer(log()):
            found.update(word.decode() for word in match[1].split())
    elif argv[0] == "meson":
        for match in _MESON.finditer(log()):
            found.update(word.strip() for word in match[1].decode().split(","))
    return tuple(sorted(found))


def _described(names: Sequence[str], folder: Path) -> str:
    """Return the unknown options as lines, each with a similar one that the project knows.

    folder -- of the build; CMake lists the project's options there
    """
    known: list[str] = []
    cache = folder / _CACHE
    if cache.is_file() and not cache.is_symlink():
        text = cache.read_text(encoding="utf-8", errors="replace")
        known = [name for name in _CACHED.findall(text) if name not in names]
    lines = []
    for name in names:
        near = nearest(name, known)
        lines.append(f"{name}: did you mean {near[0]}?" if near else name)
    return "\n".join(lines)
