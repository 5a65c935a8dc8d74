"""The options of SCons that decide what a run does, also where SCons is not loaded.

The module is not named after them: SCons would call an attribute `options` of the tool.
"""

from __future__ import annotations

from quard.base.record import Record, record


@record
class Options(Record):
    """Options of a command line.

    jobs     -- how many actions run at a time: -j, by default the number of processors
    silent   -- -s: only requested output is printed
    clean    -- -c: results are removed
    no_exec  -- -n: nothing is done
    question -- -q: nothing is done, the status says whether there is something to do
    """

    jobs: int
    silent: bool = False
    clean: bool = False
    no_exec: bool = False
    question: bool = False

    @property
    def works(self) -> bool:
        """Whether a run makes anything."""
        return not (self.clean or self.dry)

    @property
    def dry(self) -> bool:
        """Whether a run does nothing, and so must not be recorded."""
        return self.no_exec or self.question
