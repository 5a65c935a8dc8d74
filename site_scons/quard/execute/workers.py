"""What a packager asks of workers elsewhere, see quard.dispatch.workers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from quard.execute.job import Job
from quard.execute.place import JobPlace
from quard.execute.sources import Archives
from quard.process.system import System

Facts = dict[str, Any]
"""What the record of a package says."""


class Workers(Protocol):
    """Builds packages elsewhere; several threads may use it at once."""

    def build(
        self,
        job: Job,
        place: JobPlace,
        archives: Archives,
        tools: tuple[System, str],
        report: Callable[[str], None],
        *,
        fresh: bool,
    ) -> Facts | None:
        """Have a package built; put its blobs into the store, write its log, return its record.

        tools  -- the system that the build sees, and the prefix of its compiler's commands
        report -- called with the name of each phase
        fresh  -- build it even if the server has the result
        None if it must be built here, which is reported. Raises LostResult, QuardError interrupted.
        """

    def finish(self) -> str:
        """Return a line about what was sent to them; "" if nothing was."""
