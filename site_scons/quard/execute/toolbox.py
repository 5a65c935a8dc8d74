"""The tools folder of a build: commands, and compiler drivers that may start a launcher."""

from __future__ import annotations

from quard.base.files import make_empty
from quard.base.record import Record, record
from quard.execute import sysroot
from quard.execute.drivers import write_drivers
from quard.execute.launcher import Launcher
from quard.execute.toolchain import Toolchain
from quard.plan.plan import Plan
from quard.process.sandbox import Sandbox

_STARTED = "launcher"
"""File in a work folder whose drivers start a launcher."""


@record
class Toolbox(Record):
    """The tools of one build.

    launcher -- what starts the compilers; None: nothing does
    search   -- the PATH of the build machine's own commands
    """

    plan: Plan
    toolchain: Toolchain
    sandbox: Sandbox
    launcher: Launcher | None
    search: str

    def fill(self) -> None:
        """Fill the folder, which is empty."""
        work, inside, system = self.sandbox.work, self.sandbox.inside, self.sandbox.system
        if self.launcher:
            (work.root / _STARTED).touch()
        sysroot.tools(work, self.plan.tools, self.search, inside, system)
        write_drivers(work, self.toolchain, self.plan, inside, self.launcher)

    def renew(self) -> None:
        """Fill the folder of an earlier build again if its drivers start a launcher, or are to.

        A launcher is in no key, so that its settings may have changed. The site file stays: the
        compiler cannot be asked again in a folder with sources, and make may start the script.
        """
        work = self.sandbox.work
        started, site = work.root / _STARTED, work.tools / sysroot.SITE
        if not (self.launcher or started.exists()):
            return
        told = site.read_bytes() if site.exists() else None
        make_empty(work.tools)
        self.fill()
        if told is not None:
            site.write_bytes(told)
        if not self.launcher:
            started.unlink()
