"""Which tools the builds of a board use: the pinned ones, or the machine's own.

With [tools] root = "auto", the pinned tools are used where commands can be sealed and the packages
are here or can be downloaded. A build decides once and keeps the decision in a file: if a mirror
could not be reached for a day, everything would be built with other tools, and again afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from quard.base import canonical
from quard.base.errors import QuardError
from quard.base.files import replace
from quard.tools.pinned import PinnedTools

UNAVAILABLE = ("no-source", "tools-noexec", "tools-unavailable")
"""Reasons for which `auto` uses the machine's own tools."""


class Toolset:
    """Decides for one board.

    path   -- file that keeps the decision
    wanted -- auto, pinned or machine, as in the settings
    find   -- returns the pinned tools, see quard.tools.finding
    seal   -- raises QuardError if commands cannot be sealed here
    places -- all settings about where packages come from
    """

    def __init__(
        self,
        path: Path,
        wanted: str,
        find: Callable[[], PinnedTools | None],
        seal: Callable[[], None],
        places: Mapping[str, Any],
    ) -> None:
        self._path = path
        self._wanted = wanted
        self._find = find
        self._seal = seal
        self.unsaid = ""
        """A line that says why the machine's own tools are used, if `note` did not get it."""
        self._places = places

    def decide(
        self, note: Callable[[str], None], *, again: bool, fetch: bool
    ) -> PinnedTools | None:
        """Return the pinned tools if builds use them.

        note  -- called with a line of text where a new decision is for the machine's own tools
        again -- decide even if there is a decision
        fetch -- download what is missing, and keep the decision; else all packages count as here
        Raises QuardError if they are required and cannot be used.
        """
        if self._wanted == "machine":
            return None
        try:
            tools = self._find()
        except QuardError as error:
            self._without(error, note, "", fetch)
            return None
        if tools is None:
            return None
        of = canonical.digest({"tools": tools.identity(), **self._places})
        old = self._read()
        if old and old["of"] == of and not again and (old["pinned"] or self._wanted == "auto"):
            self.unsaid = "" if old["pinned"] else _said(old["why"])
            return tools if old["pinned"] else None
        try:
            self._require(tools, fetch)
        except QuardError as error:
            self._without(error, note, of, fetch)
            return None
        if fetch:
            self._write({"pinned": True, "why": "", "of": of})
        return tools

    def _require(self, tools: PinnedTools, fetch: bool) -> None:
        self._seal()
        if fetch:
            tools.provide()

    def _without(
        self, error: QuardError, note: Callable[[str], None], of: str, fetch: bool
    ) -> None:
        """Use the machine's own tools, unless the error is another one or they are excluded."""
        if error.reason not in UNAVAILABLE or self._wanted == "pinned":
            raise error
        old = self._read()
        new = {"pinned": False, "why": error.message, "of": of}
        self.unsaid = _said(error.message)
        if fetch and old != new:
            note(self.unsaid)
            self.unsaid = ""
            self._write(new)

    def _read(self) -> dict[str, Any] | None:
        """Return the decision in the file; None if it is missing, damaged, or of another version.

        pinned -- whether the pinned tools are used
        why    -- why not
        of     -- a digest over what was decided about
        """
        try:
            found = canonical.unsealed(self._path.read_bytes())
        except OSError:
            return None
        whole = isinstance(found, dict) and found.keys() == {"pinned", "why", "of"}
        return found if whole else None

    def _write(self, decision: Mapping[str, Any]) -> None:
        replace(self._path, canonical.sealed(decision).encode())


def _said(why: str) -> str:
    return f"note: this machine's own tools are used: {why} (./scons source decides again)"
