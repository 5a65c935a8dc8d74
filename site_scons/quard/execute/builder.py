"""One plan -> one staging folder -> blobs: the steps of a package's build, in order."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from quard.errors import QuardError
from quard.execute import kconfig, patch, sysroot, unpack
from quard.execute.jobserver import Jobserver
from quard.execute.sandbox import Sandbox, Work
from quard.execute.stop import Stop
from quard.execute.toolchain import Toolchain
from quard.plan.plan import (
    CopyStep,
    FileRef,
    KconfigStep,
    LinkStep,
    Plan,
    RunStep,
    Step,
    ToolchainStep,
)
from quard.plan.render import late

_TAIL = 25
"""Lines of a log that are shown when a step fails: enough for a compiler's message."""
_ANSWERS = 1 << 16
"""Empty lines offered to a configuration program that asks: more than any has questions."""


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What all builds of one run share.

    search -- the PATH of the build machine's own commands
    keep   -- descriptors that every command inherits
    stop   -- tells when the run is to end
    """

    toolchain: Toolchain
    jobserver: Jobserver
    mode: str
    search: str
    keep: tuple[int, ...]
    stop: Stop


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """Where the things lie that a plan names by hash.

    archive -- the verified source, or None
    tree    -- a local source tree in its place, or None
    patches -- in the plan's order
    files   -- name -> path
    lay_out -- fills the sysroot folder with the dependencies' files
    """

    archive: Path | None
    tree: Path | None
    patches: tuple[Path, ...]
    files: Mapping[str, Path]
    lay_out: Callable[[Path], None]


class Build:
    """One package under way.

    log    -- open file that takes everything the commands print
    shown  -- the log's path as messages give it
    report -- called with the name of each phase as it begins
    """

    def __init__(
        self,
        plan: Plan,
        machine: Machine,
        work: Work,
        log: IO[bytes],
        shown: str,
        report: Callable[[str], None],
    ) -> None:
        self.plan = plan
        self._machine = machine
        self.work = work
        self._log = log
        self._shown = shown
        self._report = report
        toolchain = machine.toolchain
        self.sandbox = Sandbox(
            mode="bwrap" if machine.mode == "bwrap" else "none",
            work=work,
            show=(toolchain.folder,) if toolchain.folder else (),
            keep=(*machine.keep, *machine.jobserver.fds),
            stop=machine.stop,
        )
        folders = self.sandbox.folders
        self.env = sysroot.environment(
            folders,
            self.sandbox.inside,
            machine.jobserver.makeflags,
            plan.cflags,
            {name: late(text, folders) for name, text in plan.env},
        )

    def run(self, inputs: Inputs) -> None:
        """Build the package into the staging folder. Raises QuardError for whatever fails."""
        self.prepare(inputs)
        for step in self.plan.steps:
            self._machine.stop.check()
            self._report(step.phase)
            self._step(step)

    def prepare(self, inputs: Inputs) -> None:
        """Fill the work folder up to and including the patches."""
        self._report("unpack")
        self.work.make()
        source_name = f"{self.plan.name}-{self.plan.version}"
        sysroot.tools(
            self.work,
            self._machine.toolchain,
            self.plan.triple,
            self.plan.tools,
            self._machine.search,
            source_name,
            self.sandbox.inside,
        )
        sysroot.own_sysroot(self.work, self._machine.toolchain)
        inputs.lay_out(self.work.sysroot)
        for name, path in sorted(inputs.files.items()):
            shutil.copy(path, self.work.files / name)
        if inputs.tree:
            shutil.copytree(
                inputs.tree,
                self.work.src,
                symlinks=True,
                dirs_exist_ok=True,
                ignore=shutil.ignore_patterns(".git"),
            )
        elif inputs.archive:
            self.work.src.rmdir()
            unpack.unpack(inputs.archive, self.work.src)
        if inputs.patches:
            self._report("patch")
            patch.apply(inputs.patches, self._patch)

    def _step(self, step: Step) -> None:
        match step:
            case RunStep(phase, argv):
                self._run(phase, argv)
            case CopyStep():
                self._copy(step)
            case LinkStep(_, path, target):
                link = self.work.stage / path
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(target)
            case KconfigStep():
                self._configure(step)
            case ToolchainStep():
                self._take(step)

    def _run(self, phase: str, argv: Sequence[str], stdin: Path | None = None) -> None:
        """Run one command of the plan. Raises QuardError PHASE-failed."""
        command = tuple(late(word, self.sandbox.folders) for word in argv)
        self._log.write(f"==> {phase}: {_quoted(command)}\n".encode())
        self._log.flush()
        status = self.sandbox.run(command, self.env, self._log, stdin=stdin)
        if status:
            raise QuardError(
                f"{self.plan.name} {self.plan.version}: {phase} failed",
                detail=f"command: {_quoted(command)}\nstatus: {status}\nlog: {self._shown}\n"
                + self._tail(),
                reason=f"{phase}-failed",
                hint=f"read {self._shown}",
            )

    def _patch(self, argv: Sequence[str], stdin: Path) -> subprocess.CompletedProcess[bytes]:
        """Run patch(1) in the sandbox and return what it printed."""
        output = self.work.root / "patch.log"
        with output.open("w+b") as log:
            status = self.sandbox.run(argv, self.env, log, stdin=stdin)
            log.seek(0)
            text = log.read()
        self._log.write(text)
        return subprocess.CompletedProcess(tuple(argv), status, text, b"")

    def _copy(self, step: CopyStep) -> None:
        files = "{files}/"
        source = (
            self.work.files / step.source.removeprefix(files)
            if step.source.startswith(files)
            else self.work.src / step.source
        )
        destination = self.work.stage / step.destination
        destination.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copyfile(source, destination)
        except FileNotFoundError as error:
            raise QuardError(
                f"{self.plan.name}: the build made no {step.source}",
                detail=f"log: {self._shown}\n" + self._tail(),
                reason="install-failed",
                hint="correct the recipe's Install(...)",
            ) from error
        destination.chmod(int(step.mode, 8))

    def _configure(self, step: KconfigStep) -> None:
        """Make `.config` and hold it against what was asked for."""
        requests: list[kconfig.Request] = []
        for name in step.fragments:
            text = (self.work.files / name).read_text(encoding="utf-8")
            requests += kconfig.parse(text, name)
        for line in step.lines:
            requests += kconfig.parse(line, "the board's features")
        merged = kconfig.merge(requests)
        answers = self.work.root / "answers"
        answers.write_text("\n" * _ANSWERS)
        config = self.work.src / ".config"
        self._run(step.phase, (*step.make, step.base), answers)
        config.write_text(kconfig.lay_over(config.read_text(), merged))
        self._run(step.phase, (*step.make, step.refresh), answers)
        kconfig.check(config.read_text(), merged, self.plan.name)

    def _take(self, step: ToolchainStep) -> None:
        """Copy the toolchain's own target libraries; links by their plain names go along."""
        folder = self.work.stage / "usr/lib"
        folder.mkdir(parents=True)
        for name in (*step.libraries, Path(step.loader).name):
            found = self._machine.toolchain.library(name)
            shutil.copyfile(found, folder / name)
            (folder / name).chmod(0o755)

    def _tail(self) -> str:
        self._log.flush()
        lines = Path(self._log.name).read_text(errors="replace").splitlines()
        return "\n".join(["--- last lines of the log", *lines[-_TAIL:]])


def files_of(references: Sequence[FileRef], paths: Mapping[str, Path]) -> dict[str, Path]:
    """Return the paths of a plan's files by name."""
    return {reference.name: paths[reference.name] for reference in references}


def _quoted(command: Sequence[str]) -> str:
    return subprocess.list2cmdline(command)
