"""A package's sealed build environment in a persistent folder: for shells and configurations."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import IO

from quard.base import canonical
from quard.base.files import remove_tree, replace
from quard.execute.job import Job
from quard.execute.package import Packager
from quard.execute.place import JobPlace
from quard.process.sandbox import Work

CONFIGURE, SHELL = "configure", "shell"
"""The kinds of such folders: for editing configurations, and for shells."""
_STAMP = "buildfolder.json"
UNSAVED = "unsaved"
"""In the stamp: a person has written the folder's `.config`."""


class BuildFolder:
    """The environment in a place's work folder: patched source, sysroot and tools.

    log -- receives the commands' output
    """

    def __init__(
        self,
        packager: Packager,
        job: Job,
        place: JobPlace,
        log: IO[bytes],
        report: Callable[[str], None],
    ) -> None:
        # "unpack" would report to the console that a package is being built.
        self.build = packager.build(
            job.plan,
            place.work,
            log,
            place.shown,
            lambda phase: report("unpacking" if phase == "unpack" else phase),
        )
        self.log = log
        self._packager = packager
        self._job = job
        self._place = place
        self._report = report

    @property
    def ready(self) -> bool:
        """Whether the folder was filled for exactly the current plan."""
        wanted = [self._stamp(base) for base in self._packager.bases(self._job, self._place)]
        return whole(self.build.work) and _read(self.build.work.root).get("base") in wanted

    def _stamp(self, base: str) -> str:
        plan = self._job.plan
        return canonical.digest([base, plan.tree, *plan.folders])

    def prepare(self) -> None:
        """Fill the folder, unless it is ready; update the plan's own files.

        Raises QuardError for any failure.
        """
        if not self.ready:
            base = self._packager.prepare(self._job, self._place, self.build, self._report)
            _write(self.build.work.root, {"base": self._stamp(base)})
        self.build.take_files(self._place.read)

    def set_aside(self) -> Path | None:
        """Move away a folder that was filled for another plan, replacing one moved earlier.

        Returns its new path; None if there was none.
        """
        root = self.build.work.root
        if self.ready or not _read(root):
            return None
        old = root.with_name(f"{root.name}.old")
        remove_tree(old)
        root.rename(old)
        return old


def whole(work: Work) -> bool:
    """Return whether an environment's folder is complete."""
    parts = (work.src, work.stage, work.sysroot, work.files, work.tools, work.home, work.etc)
    return all(folder.is_dir() for folder in parts)


def edited(root: Path) -> str | None:
    """Return the `.config` in an environment's folder if a person has written it, else None."""
    noted = _read(root).get("config", "")
    if not noted:
        return None
    try:
        opened = os.open(root / "src/.config", os.O_RDONLY | os.O_NOFOLLOW)
        with os.fdopen(opened, encoding="utf-8", errors="surrogateescape") as file:
            text = file.read()
    except FileNotFoundError:
        return None
    return None if _digest(text) == noted else text


def note(root: Path, config: str) -> None:
    """Note what `.config` in an environment's folder is: text of ours, UNSAVED, or "" for neither.

    From now on, respectively: only another text counts as edited, any text does, none does.
    """
    noted = config if config in ("", UNSAVED) else _digest(config)
    _write(root, {**_read(root), "config": noted})


def _digest(text: str) -> str:
    return sha256(text.encode(errors="surrogateescape")).hexdigest()


def _read(root: Path) -> dict[str, str]:
    try:
        found = json.loads((root / _STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}  # missing or damaged: the folder is filled again
    return found if isinstance(found, dict) else {}


def _write(root: Path, stamp: dict[str, str]) -> None:
    replace(root / _STAMP, json.dumps(stamp).encode())
