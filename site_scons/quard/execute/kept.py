"""Incremental build directories: work folders that the next build of the package reuses.

Only for packages that are rebuilt often with small changes: those with a Kconfig configuration,
and local source trees. The result of such a build stays in the checkout: a shared store accepts
only results of builds from scratch.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from quard.base import canonical
from quard.base.errors import QuardError
from quard.base.files import replace
from quard.execute import checkpoint
from quard.plan.plan import PUT
from quard.sources.trees import Entry

_STAMP = "kept.json"
_MARK = "failed"
"""File in a folder whose build failed, with that build's base."""


def base(depends: Mapping[str, Any], place: Path | None) -> str:
    """Return the hash over what must not change between two builds in one folder.

    That is everything a result depends on except the configuration's lines, the device trees of
    a board, and the state of a local tree: the build itself detects their changes. Those of the
    recipe's own folders in the tree are detected where Kconfig configures the package.

    depends -- as Job.basis returns it
    place   -- the work folder's path where builds see it (they are not sealed), else None
    """
    plan = {**depends["plan"], "tree": bool(depends["plan"]["tree"]), "licenses": [], "parts": {}}
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
            if "folders" in plan:
                plan["folders"] = [into for into, _ in plan["folders"]]
        if tuple(step.get("run", ())[: len(PUT)]) == PUT:
            lines.add(step["run"][len(PUT)].removeprefix("{files}/"))
    plan["steps"] = steps
    plan["files"] = [file for file in plan["files"] if file[0] not in lines]
    return canonical.digest({**depends, "plan": plan, "place": str(place or "")})


def claim(work: Path, wanted: str) -> dict[str, Entry] | None:
    """Return the tree of the folder's sources if a build with the base `wanted` may continue there.

    From now on the folder counts as unfinished: a killed build is not continued. None if there
    is nothing to continue.
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
    """Note that a build with the base `name`, from the local tree `tree`, succeeded."""
    entries = {path: [entry.kind, entry.content] for path, entry in tree.items()}
    text = canonical.sealed({"base": name, "tree": entries})
    replace(work / _STAMP, text.encode("ascii"))


@contextmanager
def marking(work: Path, name: str) -> Iterator[None]:
    """Mark the folder if the build with the base `name` fails in the block."""
    try:
        yield
    except QuardError:
        if work.is_dir():
            (work / _MARK).write_text(name, encoding="utf-8")
        raise


def failed(work: Path, wanted: Container[str]) -> bool:
    """Return whether the last build in this folder failed and had a base in `wanted`."""
    try:
        return (work / _MARK).read_text(encoding="utf-8") in wanted
    except OSError:
        return False


def concerns(work: Path) -> bool:
    """Return whether a build may continue in this folder, or the last one there has failed."""
    return (work / _STAMP).exists() or (work / _MARK).exists() or checkpoint.noted(work)


def forget(work: Path) -> None:
    """Let no build continue in this folder, since it was changed from outside."""
    (work / _STAMP).unlink(missing_ok=True)
    checkpoint.forget(work)
