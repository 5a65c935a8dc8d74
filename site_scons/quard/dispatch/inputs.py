"""A package's build as the input of an action: everything that its program finds below /."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

from quard.base.canonical import canonical
from quard.base.record import Record, record
from quard.dispatch import layout
from quard.dispatch.engine import PROGRAM, engine
from quard.dispatch.folder import Folder, Link, named, of_system, text
from quard.execute.job import Job
from quard.execute.place import JobPlace
from quard.execute.sources import Archives
from quard.ledger.results import lost_blob
from quard.process.sandbox import ACCOUNTS, INSIDE, merged
from quard.process.system import System
from quard.store.local import Store
from quard.store.stores import EMPTY, Stores

_PYTHON_UNUSED = ("usr/share",)
"""In the system whose Python runs the program."""
_ENVIRONMENT = (
    ("LC_ALL", "C.UTF-8"),
    ("PATH", layout.SEARCH),
    ("PYTHONHASHSEED", "0"),
    ("PYTHONHOME", f"/{layout.PYTHON}/usr"),
    ("PYTHONPATH", f"/{layout.ENGINE}"),
)


@record
class Order(Record):
    """What a worker is asked to do.

    root -- what is below /
    words -- the command; `env` is its environment
    outputs -- paths of what it makes
    shared -- folders of it that other actions have as well
    """

    root: Folder
    words: tuple[str, ...]
    env: tuple[tuple[str, str], ...]
    outputs: tuple[str, ...]
    shared: tuple[Folder, ...]


class Inputs:
    """Describes actions; several threads may use it at once.

    stores -- have the parts of other packages
    python -- returns the system whose Python runs an action's program
    """

    def __init__(self, stores: Stores, python: Callable[[], System]) -> None:
        self._stores = stores
        self._find_python = python
        self._lock = threading.Lock()
        self._systems: dict[Path, Folder] = {}

    def order(
        self, job: Job, place: JobPlace, archives: Archives, system: System, prefix: str
    ) -> Order:
        """Return the action that builds a package.

        system -- the pinned tools that the build sees
        prefix -- of the commands of its compiler
        Raises LostResult, QuardError changed-while-building, OSError.
        """
        root = Folder()
        with self._lock:
            python = self._system(self._python, _PYTHON_UNUSED)
            shared = self._system(system), self._engine, python
        for path, folder in zip(
            ("usr", layout.ENGINE, f"{layout.PYTHON}/usr"), shared, strict=True
        ):
            root.put(path, folder)
        for path, target in merged(system).items():
            root.put(path, Link(target))
        for name, content in ACCOUNTS.items():
            root.put(f"etc/{name}", text(content.encode()))
        root.put(INSIDE[1:], Folder())
        for reference in (*job.plan.patches, *job.plan.files):
            root.put(f"{layout.FILES}/{reference.name}", text(place.read(reference)))
        for archive in archives.values():
            path = layout.archive(archive.sha256, archive.file)
            root.put(path, named(archive.path, archive.sha256))
        root.put(layout.STORE, self._parts(job, place))
        root.put(layout.DATA, text(canonical(_data(job, place, archives, prefix)).encode()))
        names = (*layout.parts(job.plan), layout.LOG, layout.RESULT)
        outputs = tuple(sorted(f"{layout.OUT}/{name}" for name in names))
        return Order(root, self._words, _ENVIRONMENT, outputs, shared)

    @cached_property
    def _engine(self) -> Folder:
        return engine()

    @cached_property
    def _python(self) -> System:
        return self._find_python()

    @cached_property
    def _words(self) -> tuple[str, ...]:
        """The command: the dynamic loader of the system with Python starts it there."""
        system, here = self._python, f"/{layout.PYTHON}/"
        start = system.start(system.place("/usr/bin/python3"))
        words = (word.replace(f"{system.folder}/", here) for word in start)
        return (*words, "-B", "-s", "-P", "-m", PROGRAM)

    def _system(self, system: System, leave_out: tuple[str, ...] = ()) -> Folder:
        """Return the folder usr of a system."""
        if system.folder not in self._systems:
            usr = of_system(system, leave_out).entries["usr"]
            assert isinstance(usr, Folder)
            self._systems[system.folder] = usr
        return self._systems[system.folder]

    def _parts(self, job: Job, place: JobPlace) -> Folder:
        """Return a store with the parts that the build sees of other packages."""
        wanted = {sha256: (place.needs[name], "dev") for name, sha256 in job.dev.items()}
        for each, sha256 in job.native.items():
            name, _, part = each.partition(":")
            wanted[sha256] = (place.natives[name], part)
        wanted.pop(EMPTY, None)
        self._stores.gather(wanted)
        found = Folder()
        for sha256, (name, part) in sorted(wanted.items()):
            path = self._stores.blob(sha256)
            if path is None:
                raise lost_blob(name, part, sha256)
            found.put(Store(Path()).path(sha256).as_posix(), named(path, sha256))
        return found


def _data(job: Job, place: JobPlace, archives: Archives, prefix: str) -> dict[str, Any]:
    return {
        "job": job.as_json(),
        "archives": [[into, each.sha256, each.file] for into, each in archives.items()],
        "needs": dict(place.needs),
        "natives": dict(place.natives),
        "prefix": prefix,
        "shown": place.shown,
    }
