"""The small files in which a package's result is written down, and reading them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quard.errors import QuardError
from quard.plan.plan import Plan

RECORD = 1
"""Version of the record's form; part of every key."""


@dataclass(frozen=True)
class Results:
    """Where a package's small result files lie.

    interface -- what dependants can observe; they depend on it and on nothing else
    runtime   -- what is installed on the target; the root file system depends on it
    deploy    -- what lies beside the images (a kernel, firmware); the images depend on it
    record    -- everything about the result; no other package's key depends on it
    depends   -- what the result was made from: the plan, the toolchain, the interfaces
    earlier   -- the interface before this one, to tell dependants what changed
    """

    folder: Path
    name: str

    @property
    def interface(self) -> Path:
        return self.folder / f"{self.name}.interface.json"

    @property
    def runtime(self) -> Path:
        return self.folder / f"{self.name}.runtime.json"

    @property
    def deploy(self) -> Path:
        return self.folder / f"{self.name}.deploy.json"

    @property
    def record(self) -> Path:
        return self.folder / f"{self.name}.record.json"

    @property
    def depends(self) -> Path:
        return self.folder / f"{self.name}.depends.json"

    @property
    def earlier(self) -> Path:
        return self.folder / f"{self.name}.earlier.json"

    def targets(self, deploys: bool) -> tuple[Path, ...]:
        """Return the files that a build system watches."""
        common = (self.interface, self.runtime)
        return (*common, self.deploy) if deploys else common


def depends(
    plan: Plan, toolchain: str, *, sealed: bool, interfaces: Mapping[str, str]
) -> dict[str, Any]:
    """Return everything that a result depends on; its digest is the result's key.

    toolchain  -- the toolchain's fingerprint
    interfaces -- package -> digest of its interface, for all of the plan's needs and links
    """
    return {
        "record": RECORD,
        "plan": plan.as_json(),
        "toolchain": toolchain,
        "sealed": sealed,
        "interfaces": dict(interfaces),
    }


def made_from(results: Results) -> Mapping[str, Any] | None:
    """Return what the last result was made from; None where that is not known."""
    try:
        found = json.loads(results.depends.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and found.get("record") == RECORD else None


def read(path: Path) -> Any:
    """Return the content of a result file. A damaged one is removed: QuardError result-damaged."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        path.unlink(missing_ok=True)
        raise QuardError(
            f"the result file {path.name} is damaged",
            detail=str(error),
            reason="result-damaged",
            hint="run the same command again: it is made anew",
        ) from error
