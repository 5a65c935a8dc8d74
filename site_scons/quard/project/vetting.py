"""Which units of the images were checked before a build, so that a null build checks none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from quard.base import canonical
from quard.base.files import replacing
from quard.plan.image import RootfsPlan, ScriptPlan
from quard.plan.unit import Unit


def vet(units: Iterable[Unit], passed: Path, check: Callable[[Unit], None]) -> None:
    """Check run.sh and the roots of which something has changed, run.sh first.

    passed -- file with keys of what was looked at in the last successful checks
    check  -- finds errors in a unit; what it raises is raised
    """
    found = sorted(_keys([*units]), key=lambda each: isinstance(each[0].plan, RootfsPlan))
    before = recorded(passed).split()
    new = [unit for unit, key in found if key not in before]
    for unit in new:
        check(unit)
    if new:
        record(passed, "\n".join(key for _, key in found))


def _keys(units: Iterable[Unit]) -> Iterator[tuple[Unit, str]]:
    """Yield run.sh and each root, with keys: a root's formats have plans of their own."""
    folders: dict[str, list[str]] = {}
    for unit in units:
        folders.setdefault(unit.folder, []).append(unit.plan.identity)
    for unit in units:
        if isinstance(unit.plan, ScriptPlan):
            yield unit, unit.plan.identity
        elif isinstance(unit.plan, RootfsPlan):
            yield unit, canonical.digest([unit.folder, *folders[unit.folder]])


def recorded(path: Path) -> str:
    """Return a short text that was recorded before, empty if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def record(path: Path, text: str) -> None:
    """Record a short text."""
    with replacing(path) as part:
        part.write_text(text, encoding="utf-8")
