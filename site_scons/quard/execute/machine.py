"""What all builds of one run share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from pathlib import Path

from quard.base.record import Record, record
from quard.execute.answers import Book
from quard.execute.launcher import Launcher
from quard.execute.toolchain import Toolchain
from quard.plan.plan import Plan
from quard.process.builduser import BuildUser
from quard.process.jobserver import Jobserver
from quard.process.sandbox import Mode
from quard.process.stop import Stop
from quard.process.system import System
from quard.tools.origins import Origin


@record(kw_only=True)
class BuildMachine(Record):
    """What all builds of one run share.

    toolchain -- returns the compiler of a plan
    system -- returns the system whose tools the build of a plan uses
    origins -- returns the packages that have files of the tools of a plan, as its build sees them
    search -- the PATH of the build machine's own commands
    keep   -- descriptors that every command inherits
    stop   -- whether the run is cancelled
    user   -- who runs the commands of builds that are not sealed, if not the current user
    start  -- words that start bubblewrap; none: the machine's own
    answers -- what configure scripts are told about each compiler
    launcher -- returns what sealed builds start the compiler through; None: nothing
    """

    toolchain: Callable[[Plan], Toolchain]
    system: Callable[[Plan], System]
    origins: Callable[[Plan, Iterable[Path]], Mapping[Path, Origin]]
    jobserver: Jobserver
    mode: Mode
    search: str
    keep: tuple[int, ...]
    stop: Stop
    user: BuildUser | None = None
    start: tuple[str, ...] = ()
    answers: Book = field(default_factory=Book)
    launcher: Callable[[], Launcher | None] = lambda: None
