"""How builds are sealed on this machine, or why they cannot be."""

from __future__ import annotations

from collections.abc import Callable

from quard.base.errors import QuardError
from quard.base.record import Record, record
from quard.process import bubblewrap, trial
from quard.process.sandbox import Mode
from quard.project.toolset import UNAVAILABLE
from quard.tools.finding import unavailable
from quard.tools.pinned import PinnedTools

_BWRAP = "bwrap"
_DECIDED = "remove the obstacle; or let ./scons source decide again which tools builds use"


@record
class Sealing(Record):
    """How commands are run.

    obstacle -- why they are not sealed
    start    -- words that start bubblewrap; none: the machine's own
    fault    -- why the pinned bubblewrap could not be fetched, where there is no other
    """

    mode: Mode
    obstacle: str
    start: tuple[str, ...] = ()
    fault: QuardError | None = None

    def require(self, *, decided: bool = False) -> None:
        """Raise QuardError if commands are not sealed, one of those in UNAVAILABLE.

        decided -- builds use the pinned tools, because commands were sealed before
        """
        if self.fault:
            raise self.fault
        if self.obstacle and decided:
            raise unavailable(f"builds cannot be sealed any more: {self.obstacle}", _DECIDED)
        if self.obstacle:
            raise unavailable(f"builds cannot be sealed on this machine: {self.obstacle}")


def find(wanted: str, tools: Callable[[], PinnedTools | None], *, fetch: bool) -> Sealing:
    """Return how builds are sealed: with the machine's bubblewrap, or with the pinned one.

    wanted -- auto, bwrap or none, as in the settings
    tools  -- returns the pinned tools; None if there are none
    fetch  -- download the pinned bubblewrap if it is needed; else it counts as one that works
    Raises QuardError: as trial.probe does, and those of packages that are damaged.
    """
    if wanted == "none":
        return Sealing(*trial.probe(wanted))
    start, fault = bubblewrap.own(), None
    if not start:
        try:
            found = tools()
            if found and not fetch and found.lacks_tool(_BWRAP):
                return Sealing("bwrap", "")
            start = found.start_tool(_BWRAP) if found else ()
        except QuardError as error:
            if error.reason not in UNAVAILABLE:
                raise
            fault = error
    return Sealing(*trial.probe(wanted, start, fault.message if fault else ""), start, fault)
