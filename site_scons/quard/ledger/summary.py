"""What a run did, per package: for `summary.json` and the last lines of a build."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

from quard.base.record import Record, record

_NAMES = ("restored", "up_to_date", "images", "failed")


def last(path: Path) -> dict[str, Any] | None:
    """Return the content of a summary.json; None if it is missing or incomplete."""
    try:
        found = json.loads(path.read_bytes())
        whole = isinstance(found["seconds"], float | int) and all(
            isinstance(name, str) for kind in _NAMES for name in found[kind]
        )
        for package in found["built"]:
            Built(str(package["name"]), float(package["seconds"]), tuple(map(str, package["why"])))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return found if whole else None


@record
class Built(Record):
    """A package that was built.

    seconds -- how long that took
    why     -- the reasons
    worker  -- name of the worker of a server that built it; "" if this machine did
    """

    name: str
    seconds: float
    why: tuple[str, ...]
    worker: str = ""

    def as_json(self) -> dict[str, Any]:
        found = {"name": self.name, "seconds": round(self.seconds, 2), "why": list(self.why)}
        return {**found, "worker": self.worker} if self.worker else found


class Summary:
    """Collects the outcomes of one run; several threads may add to it."""

    def __init__(self, board: str) -> None:
        self.board = board
        self.built: list[Built] = []
        self.restored: list[str] = []
        self.images: list[str] = []
        self.failed: list[str] = []
        self.unfinished: list[str] = []
        self._lock = threading.Lock()

    def add_built(self, built: Built) -> None:
        with self._lock:
            self.built.append(built)

    def add_restored(self, name: str) -> None:
        with self._lock:
            self.restored.append(name)

    def add_image(self, name: str) -> None:
        with self._lock:
            self.images.append(name)

    def add_failed(self, name: str) -> None:
        with self._lock:
            if name not in self.failed:
                self.failed.append(name)

    def add_unfinished(self, name: str) -> None:
        with self._lock:
            self.unfinished.append(name)

    @property
    def used_slots(self) -> bool:
        """Whether a package was built in a job slot of this machine."""
        return any(not each.worker for each in self.built)

    @property
    def says_something(self) -> bool:
        """Whether anything was made or failed."""
        return bool(self.built or self.restored or self.images or self.failed)

    def as_json(
        self,
        current: tuple[str, ...],
        seconds: float,
        *,
        interrupted: bool = False,
        idle: float | None = None,
    ) -> dict[str, Any]:
        """Return the content of summary.json.

        current -- packages that were up to date; some may have been rebuilt or restored since
        seconds  -- of the whole run
        interrupted -- the user ended it
        idle -- share of the job slots' time without work; None if no package was built in one
        """
        done = {*self.restored, *(b.name for b in self.built)}
        return {
            "board": self.board,
            "seconds": round(seconds, 2),
            "built": [each.as_json() for each in sorted(self.built, key=lambda b: b.name)],
            "restored": sorted(self.restored),
            "up_to_date": sorted(set(current) - done),
            "images": sorted(self.images),
            "failed": sorted(self.failed),
            "idle": None if idle is None else round(idle, 4),
            "interrupted": interrupted,
            "unfinished": sorted(self.unfinished),
        }

    def line(self, seconds: float, *, whole: bool = True, idle: float | None = None) -> str:
        """Return the run's last line for people; `whole` if it did everything requested."""
        parts = []
        if self.built:
            away = sum(bool(each.worker) for each in self.built)
            parts.append(f"{len(self.built)} built" + (f" ({away} by workers)" if away else ""))
        if self.restored:
            parts.append(f"{len(self.restored)} from the store")
        if self.images:
            parts.append(f"{len(self.images)} image files made")
        if self.failed:
            parts.append(f"failed: {', '.join(sorted(self.failed))}")
        if not whole and not self.failed:
            parts.append("interrupted")
        if not parts:
            return f"{self.board}: everything is up to date"
        unused = "" if idle is None else f", {100 * idle:.1f} % idle"
        return f"{self.board}: {', '.join(parts)} in {seconds:.1f} s{unused}"
