"""Work folders that outlive their build, so that the next one of the package goes on in them.

Only for packages that are built again and again with small changes: those that Kconfig
configures, and local source trees. What such a build gives stays in the checkout: a shared store
takes only what was built from nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from quard import canonical
from quard.execute.trees import Entry

_STAMP = "kept.json"


def base(depends: Mapping[str, Any], place: Path | None) -> str:
    """Return the hash over what may not change between two builds in one folder.

    That is everything a result depends on but the configuration's lines and the state of a local
    tree, which the build itself follows up.

    depends -- as Packager.depends returns it
    place   -- the work folder's path where builds see it (they are not sealed), else None
    """
    plan = {**depends["plan"], "tree": bool(depends["plan"]["tree"])}
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
    try:
        found = json.loads(stamp.read_text(encoding="utf-8", errors="surrogateescape"))
        stamp.unlink()
        if found["base"] != wanted:
            return None
        return {path: Entry(kind, content) for path, (kind, content) in found["tree"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        stamp.unlink(missing_ok=True)
        return None


def keep(work: Path, name: str, tree: Mapping[str, Entry]) -> None:
    """Note that a build with the base `name`, from the local tree `tree`, ended well."""
    temporary = work / (_STAMP + ".part")
    entries = {path: [entry.kind, entry.content] for path, entry in tree.items()}
    temporary.write_text(json.dumps({"base": name, "tree": entries}), encoding="utf-8")
    temporary.replace(work / _STAMP)
