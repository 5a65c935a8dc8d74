"""Work folders that outlive their build, so that the next one of the package goes on in them.

Only for packages that are built again and again with small changes: those that Kconfig
configures, and local source trees. What such a build gives stays in the checkout: a shared store
takes only what was built from nothing.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from quard.base import canonical
from quard.base.errors import QuardError
from quard.base.files import replacing
from quard.execute import checkpoint
from quard.sources.trees import Entry

_STAMP = "kept.json"
_MARK = "failed"
"""File of a folder whose build failed, with that build's base."""


def base(depends: Mapping[str, Any], place: Path | None) -> str:
    """Return the hash over what may not change between two builds in one folder.

    That is everything a result depends on but the configuration's lines and the state of a local
    tree, which the build itself follows up.

    depends -- as results.depends returns it
    place   -- the work folder's path where builds see it (they are not sealed), else None
    """
    plan = {**depends["plan"], "tree": bool(depends["plan"]["tree"]), "licenses": []}
    lines: set[str] = set()
    steps = []
    for step in plan["steps"]:
        settings = step.get("kconfig")
        if settings is None:
            steps.append(step)
        else:
            lines |= set(settings["fragments"])
            steps.append({**step, "kconfig": {**settings, "fragments": [], "lines": []}})
            plan["features"] = {}
    plan["steps"] = steps
    plan["files"] = [file for file in plan["files"] if file[0] not in lines]
    return canonical.digest({**depends, "plan": plan, "place": str(place or "")})


def claim(work: Path, wanted: str) -> dict[str, Entry] | None:
    """Return what the folder's sources were made from, if a build with the base `wanted` may go on.

    From now on the folder counts as unfinished: a build that is killed is not gone on with. None
    where there is nothing to go on with.
    """
    stamp = work / _STAMP
    (work / _MARK).unlink(missing_ok=True)
    try:
        found = canonical.unsealed(stamp.read_bytes())
    except OSError:
        return None
    stamp.unlink()
    if not found or found["base"] != wanted:
        return None
    return {path: Entry(kind, content) for path, (kind, content) in found["tree"].items()}


def keep(work: Path, name: str, tree: Mapping[str, Entry]) -> None:
    """Note that a build with the base `name`, from the local tree `tree`, ended well."""
    entries = {path: [entry.kind, entry.content] for path, entry in tree.items()}
    text = canonical.sealed({"base": name, "tree": entries}, indent=None)
    with replacing(work / _STAMP) as part:
        part.write_text(text, encoding="ascii")


@contextmanager
def marking(work: Path, name: str) -> Iterator[None]:
    """Mark the folder that a failed build with the base `name` leaves behind."""
    try:
        yield
    except QuardError:
        if work.is_dir():
            (work / _MARK).write_text(name, encoding="utf-8")
        raise


def failed(work: Path, wanted: Container[str]) -> bool:
    """Tell whether a build with a base in `wanted` failed in this folder, the last one here."""
    try:
        return (work / _MARK).read_text(encoding="utf-8") in wanted
    except OSError:
        return False


def forget(work: Path) -> None:
    """Have no build go on in this folder: somebody else has worked in it."""
    (work / _STAMP).unlink(missing_ok=True)
    checkpoint.forget(work)
