"""Checkpoint before installation, so that the next build need not compile again.

After the last step that compiles, the work folder is listed: every path with its type, mode, size,
change time and inode. If installing or splitting fails, or the build is killed or interrupted
there, the next build of the package compares the folder with the list. It removes added files, and
if nothing else differs, it resumes at the first step that installs, with a new staging folder. The
result equals that of a clean build, since its steps find the same files:

- the plan up to that point, the archive, the local tree, the interfaces of the inputs, the
  toolchain and the patches are part of the base, as they are part of a result's key. Only what
  comes later may differ: the steps that install, what is dropped, and recipe files that no earlier
  step names;
- `make install` may write into the source folder. Files that it adds are removed (libtool's
  relinked copies, lists of installed files). If it, or anything else, changes or removes a file,
  the build starts from scratch;
- a build that wrote to the staging folder earlier leaves no list.

As with incremental builds, such a result stays in the checkout.
"""

from __future__ import annotations

import os
import posixpath
import stat
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from quard.base import canonical
from quard.base.files import remove_tree, replace
from quard.base.space import enough_space
from quard.plan.plan import Plan, RunStep
from quard.process.sandbox import Work

_STAMP = "compiled.json"
_LOG = "compiled.log"
"""The output of the earlier steps."""
_FOLDERS = ("home", "src", "sysroot", "tools")
_TICK = 0.02
"""Seconds, longer than a tick of the kernel's clock: later writes then have a later time."""

Facts = list[int | str]
_UNREADABLE: Facts = ["unreadable"]
"""Marks a folder that only root could read, under its name with a trailing slash."""


def base(depends: Mapping[str, Any], plan: Plan, place: Path | None) -> str:
    """Return the hash over everything that the folder depends on before the first install step.

    depends -- as Job.basis returns it
    place   -- the work folder's path where builds see it (they are not sealed), else None
    """
    early = plan.steps[: plan.installs]
    text = str([[step.as_json() for step in early], plan.env])
    named = [f.entry for f in plan.files] if "{files}" in text or plan.tracks else []
    before = {
        **depends["plan"],
        "steps": [step.as_json() for step in early],
        "files": named,
        "drop": [],
        "parts": {},
        "deploys": False,
        "licenses": [],
    }
    return canonical.digest({**depends, "plan": before, "place": str(place or "")})


def note(work: Work, plan: Plan, name: str, log: Path) -> None:
    """List a folder in which nothing has been installed yet, if a build may resume from there.

    name -- the build's base
    log  -- the output of its steps
    Raises QuardError disk-full.
    """
    if plan.installs == 0 or any(work.stage.iterdir()):
        return
    listing = dict(_listing(work)) if _may_change(plan) else None
    if listing is not None and _UNREADABLE in listing.values():
        return
    with enough_space(work.root):
        (work.root / _LOG).write_bytes(log.read_bytes())
        text = canonical.sealed({"base": name, "listing": listing})
        replace(work.root / _STAMP, text.encode("ascii"))
    if listing is not None:
        time.sleep(_TICK)


def restore(work: Work, wanted: str) -> bytes | None:
    """Restore a folder to its list if the build with the base `wanted` can resume there.

    Returns the output of its steps, or None if the build must start from scratch. A killed call
    can be repeated.
    """
    try:
        found = canonical.unsealed((work.root / _STAMP).read_bytes())
        log = (work.root / _LOG).read_bytes()
    except OSError:
        return None
    if not found or found["base"] != wanted:
        return None
    if not all((work.root / name).is_dir() for name in (*_FOLDERS, "etc")):
        return None
    listing = found["listing"]
    if listing is not None and not _as_listed(work, listing):
        return None
    return log


def noted(work: Path) -> bool:
    """Return whether a folder has a list."""
    return (work / _STAMP).exists()


def forget(work: Path) -> None:
    """Remove the list, since the folder is about to change: no build resumes from it."""
    (work / _STAMP).unlink(missing_ok=True)


def _may_change(plan: Plan) -> bool:
    """Return whether a folder must be compared: a step that installs may write into it.

    Kbuild's folders are reused again and again without a list. Listing a kernel's hundred thousand
    files takes seconds, so only a recipe's own commands require it.
    """
    late = plan.steps[plan.installs :]
    own = any(isinstance(step, RunStep) and not step.modular for step in late)
    return not plan.tracks or own


def _as_listed(work: Work, listing: Mapping[str, Facts]) -> bool:
    """Remove files added since a folder was listed; return whether all else is the same."""
    there = dict(_listing(work))
    come = [path for path in there if path not in listing and posixpath.dirname(path) in listing]
    for path, facts in listing.items():
        if path not in there or _identity(there[path]) != _identity(facts):
            return False
    for path in come:
        if there[path][0] == "folder":
            remove_tree(work.root / path)
        else:
            (work.root / path).unlink()
    for path, facts in reversed(list(listing.items())):
        if facts[0] == "folder" and (work.root / path).lstat().st_mtime_ns != facts[-1]:
            moment = int(facts[-1])
            os.utime(work.root / path, ns=(moment, moment))
    return True


def _identity(facts: Facts) -> Facts:
    """Return the facts of a path that must not change; a folder's time changes with its content."""
    return facts[:-1] if facts[0] == "folder" else facts


def _listing(work: Work) -> Iterator[tuple[str, Facts]]:
    """Yield every path in the work folder that a build reads; folders before their content."""
    for name in _FOLDERS:
        yield name, _facts(os.lstat(work.root / name), "")
        yield from _below(work.root / name, name)


def _below(folder: Path, prefix: str) -> Iterator[tuple[str, Facts]]:
    pending = [(str(folder), prefix)]
    while pending:
        place, path = pending.pop()
        try:
            entries = list(os.scandir(place))
        except PermissionError:
            yield f"{path}/", _UNREADABLE
            continue
        for entry in entries:
            status = entry.stat(follow_symlinks=False)
            inner = f"{path}/{entry.name}"
            target = os.readlink(entry.path) if stat.S_ISLNK(status.st_mode) else ""
            yield inner, _facts(status, target)
            if stat.S_ISDIR(status.st_mode):
                pending.append((entry.path, inner))


def _facts(status: os.stat_result, target: str) -> Facts:
    mode = stat.S_IMODE(status.st_mode)
    if stat.S_ISDIR(status.st_mode):
        return ["folder", mode, status.st_mtime_ns]
    if stat.S_ISLNK(status.st_mode):
        return ["link", target, status.st_mtime_ns]
    kind = stat.S_IFMT(status.st_mode)
    return [kind, mode, status.st_size, status.st_ino, status.st_mtime_ns]
