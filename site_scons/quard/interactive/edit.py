"""Checking out a package's patched source, to edit it."""

from __future__ import annotations

import os
from collections.abc import Callable

from quard.base.errors import QuardError
from quard.interactive import series
from quard.interactive.repository import UNKNOWN, Repository
from quard.interactive.workfolder import WorkFolder
from quard.model import Folder
from quard.project import edits
from quard.project.build import BoardBuild
from quard.project.edits import Edit, Patched
from quard.sources.trees import scan

_SHOWN = 10


def edit(build: BoardBuild, name: str) -> None:
    """Make the checkout edit/NAME; with one there already, only say so. Raises QuardError."""
    workspace, work = build.workspace, WorkFolder(build, name, "edit")
    console = workspace.console
    if work.bare in workspace.edits:
        console.note(f"{work.bare} {work.version}: {work.shown} is there already")
        _explain(build, work)
        return
    _require_editable(build, work)
    checkout = _Checkout(build, work)
    with console.package(name, work.version) as report:
        try:
            dropped = checkout.make(report)
        finally:
            work.remove()
    console.note(f"{work.bare} {work.version}: its source is in {work.shown}")
    if dropped:
        console.note(f"left out, as builds do not see it: {', '.join(dropped[:_SHOWN])}")
    _explain(build, work)


def _explain(build: BoardBuild, work: WorkFolder) -> None:
    console, name = build.workspace.console, work.bare
    console.note(f"builds use it; commit your changes there, then run ./scons {name}-patch")


def _require_editable(build: BoardBuild, work: WorkFolder) -> None:
    name, top = work.bare, next(iter(work.package.recipe.sources), None)
    detail, hint = "", ""
    if isinstance(top, Folder):
        detail = f"it is built from the folder {top.path} beside its recipe"
        hint = "edit the files there: every build uses them as they are"
    elif top is None:
        detail = "its recipe names no source"
        hint = f"./scons info {name} says where its files come from"
    elif name in build.workspace.settings.override:
        detail = f"[override] names {build.workspace.settings.override[name]}"
        hint = f"edit that folder, or remove {name} from [override]"
    elif work.checkout.exists() or work.checkout.is_symlink():
        detail = f"{work.shown} is in the way: it is no folder"
        hint = f"move {work.shown} elsewhere"
    if detail:
        raise QuardError(
            f"{name} has no source to check out", detail=detail, reason="not-editable", hint=hint
        )


class _Checkout:
    """A checkout that is being made, hidden until it is complete."""

    def __init__(self, build: BoardBuild, work: WorkFolder) -> None:
        host = build.workspace.host
        self._work = work
        self._git = Repository(work.git, work.src, host.site.search, host.stop)
        self._git.require_git()
        places, patches = work.package.places(), work.package.patches()
        self._patches = {one.name: places[one.name].read_bytes() for one in patches}
        self._base = self._tip = ""
        self._made: list[Patched] = []
        self._dropped: list[str] = []

    def make(self, report: Callable[[str], None]) -> list[str]:
        """Make it; return the paths of the archive that it does not have. Raises QuardError."""
        work = self._work
        work.fill(self._patches.items(), self._commit, report)
        self._dropped += work.drop_version_control()  # a patch may make such a file as well
        report("commit")
        self._require_whole()
        self._git.run("update-index", "-q", "--refresh")
        edits.save(
            work.git,
            Edit(
                edits.recipe_of(work.package, work.requests),
                self._base,
                self._tip,
                tuple(self._made),
                {},
            ),
        )
        work.git.rename(work.src / edits.GIT)
        work.src.rename(work.checkout)
        return self._dropped

    def _commit(self, patch: str) -> None:
        """Commit the archives, or a patch that was applied; `patch` is its name."""
        git, work = self._git, self._work
        if not patch:
            self._dropped = work.drop_version_control()
            git.make()
            requests = work.requests
            archives = "".join(f"\n{one.variants[0].file}" for one in requests)
            message = f"{work.bare} {work.version}\n\nUnpacked from:{archives}\n"
            self._base = self._tip = git.commit(message.encode(), UNKNOWN, "")
            return
        content = self._patches[patch]
        commit = series.parse(patch, content)
        self._tip = git.commit(commit.message, commit.author, self._tip)
        self._made.append(series.read(git, self._tip).patched(patch, content))

    def _require_whole(self) -> None:
        """Raise QuardError not-editable unless git has all files."""
        listed = self._git.text("ls-files", "--stage", "-z").split("\0")
        files = {line.partition("\t")[2] for line in listed if line[:6] != "160000"}
        entries = scan(self._work.src).entries
        missing = [p for p, entry in entries.items() if entry.kind != "folder" and p not in files]
        if missing:
            raise QuardError(
                f"{self._work.bare} has files that git cannot have",
                detail="\n".join(map(os.fsdecode, missing[:_SHOWN])),
                reason="not-editable",
                hint="change them with a patch that is made by hand",
            )
