"""Packages that are being edited: checkouts of their sources, which builds use in their place.

`./scons NAME-edit` makes the folder edit/NAME of the project, a git repository. While it exists,
NAME is built from it. `./scons NAME-patch` writes its commits as patches and removes it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from quard.base import canonical
from quard.base.errors import QuardError
from quard.base.files import FileRef, replace
from quard.base.names import NAME
from quard.base.record import Record, record
from quard.ledger.board_files import gone
from quard.plan.source import Request
from quard.recipes.catalog import Package

FOLDER = "edit"
"""The folder of the project that has the checkouts."""
GIT = ".git"
_STATE = "quardroot.json"
"""File in a checkout's repository: what the checkout was made from."""


@record
class Patched(Record):
    """A patch that became a commit.

    file    -- its name
    sha256  -- of its text
    subject -- of the commit
    text    -- SHA-256 of the patch that is made from the unchanged commit
    change  -- SHA-256 of the commit's change alone
    """

    file: str
    sha256: str
    subject: str
    text: str
    change: str


@record
class Edit(Record):
    """What a checkout was made from.

    recipe  -- the version and the sources of the recipe, see `recipe_of`
    base    -- name of the commit with the unpacked sources
    tip     -- name of the commit of the last patch
    patches -- those of the recipe, in their order
    pending -- names and SHA-256 of the patches that an interrupted NAME-patch has begun to write
    """

    recipe: Mapping[str, Any]
    base: str
    tip: str
    patches: tuple[Patched, ...]
    pending: Mapping[str, str]


def folders(project: Path) -> dict[str, Path]:
    """Return the checkouts of a project, by package, sorted. Raises OSError."""
    top = project / FOLDER
    try:
        names = sorted(os.listdir(top))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    return {name: top / name for name in names if NAME.match(name) and (top / name).is_dir()}


def recipe_of(package: Package, requests: Iterable[Request]) -> dict[str, Any]:
    """Return what a checkout of a package depends on besides its patches."""
    sources = [[one.into, [each.sha256 for each in one.variants]] for one in requests]
    return {"version": package.recipe.version, "sources": sources}


def save(git: Path, edit: Edit) -> None:
    """Write what a checkout was made from into its repository. Raises OSError."""
    data = {
        "recipe": edit.recipe,
        "base": edit.base,
        "tip": edit.tip,
        "patches": [vars(one) for one in edit.patches],
        "pending": dict(edit.pending),
    }
    replace(git / _STATE, canonical.sealed(data).encode("ascii"))


def load(name: str, folder: Path) -> Edit:
    """Return what a checkout was made from. Raises QuardError no-edit."""
    try:
        found = canonical.unsealed((folder / GIT / _STATE).read_bytes())
    except OSError:
        found = None
    if found is None:
        raise QuardError(
            f"{FOLDER}/{name} is not a checkout that ./scons {name}-edit has made",
            detail=f"{folder / GIT / _STATE} is missing or damaged",
            reason="no-edit",
            hint=f"move {FOLDER}/{name} elsewhere, then run ./scons {name}-edit",
        )
    patches = tuple(Patched(**one) for one in found["patches"])
    return Edit(found["recipe"], found["base"], found["tip"], patches, found["pending"])


def require_current(
    edits: Mapping[str, Path],
    override: Iterable[str],
    packages: Mapping[str, Package],
    requests: Mapping[str, Iterable[Request]],
) -> None:
    """Check that builds may use these checkouts.

    packages -- by name, as the board has them
    requests -- by package, those of its recipe
    Raises QuardError: no-edit, not-editable, edit-outdated.
    """
    for name in sorted({*edits}.intersection(override)):
        raise QuardError(
            f"{name} has two folders that replace its source",
            detail=f"{FOLDER}/{name} and the one in [override]",
            reason="not-editable",
            hint=f"remove {name} from [override], or finish with ./scons {name}-patch",
        )
    for name, folder in edits.items():
        edit, package = load(name, folder), packages[name]
        changes = [*differences(edit, package, requests[name])]
        if changes and edit.pending:
            raise QuardError(
                f"./scons {name}-patch was interrupted",
                reason="edit-outdated",
                hint=f"run ./scons {name}-patch again",
            )
        if changes:
            raise outdated(name, edit, changes)


def differences(edit: Edit, package: Package, requests: Iterable[Request]) -> list[str]:
    """Return what has changed in a recipe since the checkout was made, in words."""
    now, old = recipe_of(package, requests), edit.recipe
    found = []
    if now["version"] != old["version"]:
        found.append(f"version: {old['version']} is now {now['version']}")
    elif now != old:
        found.append("the hash of a source")
    before = {one.file: one.sha256 for one in edit.patches}
    after = {one.name: one.sha256 for one in package.patches()}
    places = package.board_files
    for file in sorted({*before, *after}):
        if before.get(file) != after.get(file):
            what = "changed" if file in before and file in after else "new"
            shown = places.get(file, file) if file in after else gone(file, places)
            found.append(f"{shown}: {what if file in after else 'removed'}")
    return found


def outdated(name: str, edit: Edit, changes: Iterable[str]) -> QuardError:
    """Return the error for a recipe that has changed since its checkout was made."""
    place = f"{FOLDER}/{name}"
    return QuardError(
        f"the recipe of {name} has changed since {place} was made",
        detail="\n".join(changes),
        reason="edit-outdated",
        hint=f"save your commits with `git -C {place} format-patch -o FOLDER {edit.tip[:12]}`,"
        f" remove {place}, run ./scons {name}-edit, and apply them again with git am",
    )


def matches(patches: Iterable[FileRef], edit: Edit) -> bool:
    """Return whether each patch is one of the recipe or one that NAME-patch has begun to write."""
    known = {(one.file, one.sha256) for one in edit.patches} | {*edit.pending.items()}
    return all((one.name, one.sha256) in known for one in patches)
