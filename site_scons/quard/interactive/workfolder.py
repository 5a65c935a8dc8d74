"""The folder in which a package's source is unpacked and patched for editing, and for comparing."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from quard.base.files import remove_tree, replace
from quard.execute import patched
from quard.plan.unit import parted
from quard.project import edits
from quard.project.build import BoardBuild
from quard.recipes.catalog import Package
from quard.sources.trees import IGNORED


class WorkFolder:
    """A hidden folder beside the checkouts of a project; what a killed run has left is removed.

    name -- of the package, as NAME or ROOT/NAME
    """

    def __init__(self, build: BoardBuild, name: str, verb: str) -> None:
        self._build, self._name, self._verb = build, name, verb
        root, self.bare = parted(name)
        self.package: Package = build.roots[root].packages[self.bare]
        self.version = self.package.recipe.version
        self.requests = build.workspace.own_requests(self.package)
        self.top = build.workspace.project / edits.FOLDER
        self.checkout = self.top / self.bare
        self.root = self.top / f".{self.bare}"
        self.src = self.root / "src"
        self.git = self.root / "git"

    @property
    def shown(self) -> str:
        return f"{edits.FOLDER}/{self.bare}"

    def fill(
        self,
        patches: Iterable[tuple[str, bytes]],
        done: Callable[[str], None],
        report: Callable[[str], None],
    ) -> None:
        """Unpack the archives and apply patches, given as name and text.

        done -- see patched.lay_out. Raises QuardError.
        """
        host = self._build.workspace.host
        place = self._build.place(self._name, self._verb)
        plan = self._build.plan(self._name)
        place.log.parent.mkdir(parents=True, exist_ok=True)
        self._hide()
        self.remove()
        report("fetch")
        found = {one.into: host.fetcher().fetch(one).path for one in self.requests}
        with host.token(), place.log.open("w+b") as log:
            build = host.packager.build(plan, self.root, log, place.shown, report)
            report("unpacking")
            patched.lay_out(build, found, patches, host.stop.check, done)

    def remove(self) -> None:
        """Remove the folder; of a checkout that the user keeps elsewhere, only the link to it."""
        if self.root.is_symlink():
            self.root.unlink()
        else:
            remove_tree(self.root)

    def drop_version_control(self) -> list[str]:
        """Remove folders and files that are no part of a source for builds; return their paths."""
        found = []
        for place, folders, files in os.walk(self.src):
            for name in sorted(IGNORED.intersection((*folders, *files))):
                path = Path(place, name)
                found.append(path.relative_to(self.src).as_posix())
                if name in folders and not path.is_symlink():
                    remove_tree(path)
                    folders.remove(name)
                else:
                    path.unlink()
        return sorted(found)

    def _hide(self) -> None:
        """Keep the checkouts out of the commits of the project."""
        ignore = self.top / ".gitignore"
        if not ignore.exists():
            replace(ignore, b"*\n")
