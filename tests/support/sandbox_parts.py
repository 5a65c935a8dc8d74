"""One package's folders for the tests of the sandbox, and commands run there."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from quard.execute import drivers, sysroot
from quard.execute.toolchain import COMMANDS, Toolchain
from quard.plan.plan import Plan
from quard.process.sandbox import Mode, Sandbox, Work
from quard.process.system import MACHINE

MODES: tuple[Mode, ...] = ("bwrap", "none")
PREFIX = "riscv64-linux-gnu-"
COMPILER = Toolchain(
    prefix=PREFIX,
    commands={name: Path(shutil.which(PREFIX + name) or "missing") for name in COMMANDS},
    folder=None,
    sysroot=None,
    version="",
    fingerprint="",
)


class Place:
    """One package's folders with its tools, and commands run there."""

    def __init__(
        self, root: Path, mode: Mode, *, keep: tuple[int, ...] = (), hardening: tuple[str, ...] = ()
    ) -> None:
        self.work = Work(root / "a folder")
        self.work.make()
        self.box = Sandbox(mode=mode, work=self.work, keep=keep)
        self.env = {"PATH": f"{self.box.inside}/tools", "LC_ALL": "C"}
        triple, search = PREFIX.rstrip("-"), os.environ["PATH"]
        sysroot.tools(self.work, (), search, self.box.inside, MACHINE)
        plan = Plan(name="thing", version="1.0", triple=triple, hardening=hardening)
        drivers.write_drivers(self.work, COMPILER, plan, self.box.inside)

    def run(self, *argv: str, stdin: Path | None = None) -> tuple[int, str]:
        log = self.work.root / "log"
        with log.open("wb") as file:
            status = self.box.run(argv, self.env, file, stdin=stdin)
        return status, log.read_text(errors="replace")

    def sh(self, script: str) -> str:
        """Run a script that must succeed and return what it printed."""
        status, text = self.run("bash", "-c", script)
        assert status == 0, text
        return text.strip()
