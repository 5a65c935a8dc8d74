"""Starting more units with SCons than there are job slots.

SCons starts as many actions as it has jobs, each with what it finds first. Units look into the
stores and fetch their sources before they take a job slot, and the most urgent of those that wait
for a slot gets the next one. For that, SCons has to start some more.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

import SCons.Script
from SCons.Node import Node
from SCons.Node import failed as node_failed

from quard.ledger.results import LostResult

_MORE = 16
"""Units that look for results, fetch sources or wait for a slot, besides those in the slots."""
_PATIENCE = 10.0
_POLL = 0.02
"""Seconds."""


def start_more(elsewhere: int) -> None:
    """Let SCons start more units than there are job slots; with one job it starts one at a time.

    elsewhere -- number of job slots of workers
    """
    jobs = SCons.Script.GetOption("num_jobs") + elsewhere
    if jobs > 1:
        set_jobs(jobs + _MORE)


def set_jobs(count: int) -> None:
    """Set how many actions SCons runs at a time: SetOption does not replace a -j that was given."""
    SCons.Script.SetOption("num_jobs", count)
    if values := SCons.Script.Main.OptionsParser.values:
        values.num_jobs = count


def ends_with_failure() -> bool:
    """Return whether a failed unit ends the run: nothing else is begun then."""
    return not (SCons.Script.GetOption("keep_going") or SCons.Script.GetOption("ignore_errors"))


def is_fatal(fault: Exception) -> bool:
    """Return whether the fault of a unit ends the run; a result that is lost is made again."""
    return not isinstance(fault, LostResult) and ends_with_failure()


def wait_for_end(failed: Iterable[Node]) -> None:
    """Wait until SCons starts no more units, because it knows that one of these has failed.

    A unit that was not begun is no failure, so its action may end without one; but until then SCons
    would start what is made from it.
    """
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        if any(node.get_state() == node_failed for node in failed):
            return
        time.sleep(_POLL)
