"""What a run did, package by package: for `summary.json` and the build's last lines."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Built:
    """A package that was built: how long that took, in seconds, and what asked for it."""

    name: str
    seconds: float
    why: tuple[str, ...]


@dataclass
class Summary:
    """Collects the outcomes of one run; several threads may add to it."""

    board: str
    built: list[Built] = field(default_factory=list)
    restored: list[str] = field(default_factory=list)
    images: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add_built(self, name: str, seconds: float, why: tuple[str, ...]) -> None:
        with self._lock:
            self.built.append(Built(name, seconds, why))

    def add_restored(self, name: str) -> None:
        with self._lock:
            self.restored.append(name)

    def add_image(self, name: str) -> None:
        with self._lock:
            self.images.append(name)

    def add_failed(self, name: str) -> None:
        with self._lock:
            self.failed.append(name)

    def as_json(self, current: tuple[str, ...], seconds: float) -> dict[str, Any]:
        """Return the content of summary.json.

        current -- packages that were found to be up to date
        seconds  -- of the whole run
        """
        return {
            "board": self.board,
            "seconds": round(seconds, 2),
            "built": [
                {"name": b.name, "seconds": round(b.seconds, 2), "why": list(b.why)}
                for b in sorted(self.built, key=lambda b: b.name)
            ],
            "restored": sorted(self.restored),
            "up_to_date": sorted(current),
            "images": sorted(self.images),
            "failed": sorted(self.failed),
        }

    def line(self, seconds: float, *, whole: bool = True) -> str:
        """Return the run's last line for people; `whole` tells that it did all it was to do."""
        parts = []
        if self.built:
            parts.append(f"{len(self.built)} built")
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
        return f"{self.board}: {', '.join(parts)} in {seconds:.1f} s"
