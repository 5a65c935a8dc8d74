"""The small files in which a package's result is written down, and reading them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quard.base import canonical
from quard.base.errors import QuardError
from quard.base.files import is_sha256
from quard.plan.plan import Plan

UNSEALED = "unsealed"
"""Name of a file that is in a folder of results if any of them may not have been made sealed."""
RECORD = 3
"""Version of the record's form, and with it of the interface's; part of every key: a result whose
interface was written down in another way would look changed to all that depend on it."""


@dataclass(frozen=True)
class Results:
    """Where a package's small result files lie.

    interface -- what dependants can observe; they depend on it and on nothing else
    runtime   -- what is installed on the target; the root file system depends on it
    deploy    -- what lies beside the images (a kernel, firmware); the images depend on it
    record    -- everything about the result, its archive too; no other package's key depends on it
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
    plan: Plan, toolchain: str, *, archive: str, sealed: bool, interfaces: Mapping[str, str]
) -> dict[str, Any]:
    """Return everything that a result depends on; its digest is the result's key.

    toolchain  -- the toolchain's fingerprint
    archive    -- digest of the archive that is unpacked; "" where there is none
    sealed     -- whether it is made sealed
    interfaces -- package -> digest of its interface, for all of the plan's needs and links
    """
    return {
        "record": RECORD,
        "plan": plan.instructions(),
        "archive": archive,
        "toolchain": toolchain,
        "sealed": sealed,
        "interfaces": dict(interfaces),
    }


def acceptable(now: Mapping[str, Any], archives: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    """Yield what a result may have been made from to be taken for `now`, the best first.

    What was made sealed is good wherever it is used; what was not, only where it cannot be sealed.

    archives -- those that the plan accepts, whichever `now` names
    """
    for archive in archives:
        for sealed in (True,) if now["sealed"] else (True, False):
            yield {**now, "archive": archive, "sealed": sealed}


def as_before(
    now: Mapping[str, Any], before: Mapping[str, Any] | None, archives: Sequence[str]
) -> Mapping[str, Any]:
    """Return `now` with the archive of the last result, if that one is still accepted.

    What differs from `before` is then a reason to make the package again.
    """
    archive = before["archive"] if before else ""
    return {**now, "archive": archive if archive in archives else archives[0]}


def made_from(results: Results) -> Mapping[str, Any] | None:
    """Return what the last result was made from; None where that is not known."""
    try:
        found = canonical.unsealed(results.depends.read_bytes())
    except OSError:
        return None
    return found if found and found.get("record") == RECORD else None


class LostResult(QuardError):
    """A package's result that was there is damaged or gone; producing it again brings it back."""

    def __init__(self, package: str, message: str, *, detail: str, reason: str) -> None:
        again = "run the same command again: the package is then made again"
        super().__init__(message, detail=detail, reason=reason, hint=again)
        self.package = package


def lost_blob(package: str, sha256: str) -> LostResult:
    """Return the error for a part of a package that the store does not have any more."""
    return LostResult(
        package,
        f"the store has lost a part of {package}",
        detail=f"blob {sha256} is missing or damaged",
        reason="blob-missing",
    )


def look(path: Path, *way: str) -> str | None:
    """Return the SHA-256 that is found in a result file by these keys, one inside the other.

    None if the file is damaged. Raises FileNotFoundError.
    """
    try:
        found = json.loads(path.read_bytes())
        for key in way:
            found = found[key]
        return found if is_sha256(found) else None
    except FileNotFoundError:
        raise
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def read(path: Path, *way: str) -> str:
    """Return what `look` does. A damaged file is removed: raises LostResult result-damaged."""
    try:
        found = look(path, *way)
    except FileNotFoundError:
        found = None
    if found is None:
        path.unlink(missing_ok=True)
        raise LostResult(
            path.name.removesuffix(".json").rpartition(".")[0],
            f"the result file {path.name} is damaged",
            detail=f"no {' of '.join(reversed(way))} in {path}",
            reason="result-damaged",
        )
    return found
