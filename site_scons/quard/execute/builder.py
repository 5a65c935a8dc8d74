"""One plan -> one staging folder -> blobs: the steps of a package's build, in order."""

from __future__ import annotations

import posixpath
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from quard.base.errors import QuardError
from quard.base.files import FileRef, make_empty, remove_tree
from quard.execute import (
    diagnosis,
    effect,
    files,
    kconfig,
    laid,
    licenses,
    patch,
    sources,
    sysroot,
    taken,
)
from quard.execute.buildlog import BuildLog, quoted
from quard.execute.copying import copy
from quard.execute.inputs import BuildInputs
from quard.execute.machine import BuildMachine
from quard.execute.native import new_stage
from quard.execute.options import require_known
from quard.execute.toolbox import Toolbox
from quard.plan.late import late
from quard.plan.plan import (
    BUILD,
    CopyStep,
    HeadersStep,
    KconfigStep,
    LinkStep,
    Plan,
    RunStep,
    Step,
    ToolchainStep,
    WriteStep,
)
from quard.process.sandbox import Sandbox, Work
from quard.sources.trees import Entry

_MAKE_FAILED = 2
"""make(1): make encountered an error; a killed make has another status."""


class StepFailed(QuardError):
    """A command of the plan failed; the work folder is kept for inspection."""


class Build:
    """The build of one package.

    log    -- open file for everything that the commands print; `shown` is its path for messages
    report -- called with the name of each phase as it begins
    licenses -- the licence files of the source with their hashes, None for a missing one
    orderly -- whether the last command that failed was a make that reported an error and exited,
               so that the files in the folder are complete
    """

    def __init__(
        self,
        plan: Plan,
        machine: BuildMachine,
        work: Work,
        log: IO[bytes],
        shown: str,
        report: Callable[[str], None],
    ) -> None:
        self.plan = plan
        self._machine = machine
        self.work = work
        self._log = BuildLog(log, shown)
        self._report = report
        self.licenses: Mapping[str, str | None] = {}
        self.orderly = False
        self.toolchain = toolchain = machine.toolchain(plan)
        self._launcher = launcher = machine.launcher()
        self.sandbox = Sandbox(
            mode=machine.mode,
            work=work,
            show=(toolchain.folder,) if toolchain.folder else (),
            keep=(*machine.keep, *machine.jobserver.fds),
            stop=machine.stop,
            user=machine.user,
            system=machine.system(plan),
            start=machine.start,
            bound=launcher.bound(plan) if launcher else (),
        )
        self.tools = Toolbox(plan, toolchain, self.sandbox, launcher, machine.search)
        folders = self.sandbox.folders
        # A later build may resume in the folder after a failure: leave no incomplete files.
        resumes = plan.keeps and not plan.tracks
        self._makeflags = " --eval=.DELETE_ON_ERROR:" if resumes else ""
        makeflags = machine.jobserver.makeflags + self._makeflags
        further = {name: late(text, folders) for name, text in plan.env}
        self.env = sysroot.environment(folders, self.sandbox.inside, makeflags, plan, further)

    def run(self, inputs: BuildInputs) -> None:
        """Build the package into the staging folder. Raises QuardError for any failure."""
        goes_on = False
        if inputs.compiled:
            self._install_again(inputs)
        else:
            goes_on = inputs.kept is not None and self.resume(inputs, inputs.kept)
            if not goes_on:
                self.prepare(inputs)
        self._look_for_licenses(upstream=inputs.upstream)
        if not inputs.compiled:
            early = self.plan.steps[: self.plan.installs]
            self._steps(step for step in early if not goes_on or _repeated(step))
            self._log.file.flush()
            inputs.made()
        self._steps(self.plan.steps[self.plan.installs :])
        if self._launcher and (said := self._launcher.note(self.work)):
            self.note(said)

    def _steps(self, steps: Iterable[Step]) -> None:
        for step in steps:
            if isinstance(step, RunStep) and step.modular and not self._modular():
                continue
            self._machine.stop.check()
            self._report(step.phase)
            self._step(step)

    def _install_again(self, inputs: BuildInputs) -> None:
        """Install into a new staging folder what an earlier build has compiled."""
        self._report("update")
        self.note("update: continues where the last build was about to install")
        remove_tree(self.work.root / "debug")
        new_stage(self.work, native=self.plan.native)
        self.tools.renew()
        self.take_files(inputs.read)

    def resume(self, inputs: BuildInputs, kept: Mapping[str, Entry]) -> bool:
        """Update an incremental build directory to the inputs; return whether that is possible.

        Its sysroot stays: the interfaces of everything in it are unchanged.
        """
        self._report("update")
        if not laid.update(self.work.src, kept, inputs, tracks=self.plan.tracks):
            return False
        self.note("update: continues in the folder of the last build")
        make_empty(self.work.home)
        new_stage(self.work, native=self.plan.native)
        self.tools.renew()
        self.take_files(inputs.read)
        self.sandbox.hand_over()
        return True

    def prepare(self, inputs: BuildInputs) -> None:
        """Fill the work folder up to and including the patches."""
        self._report("unpack")
        self.sandbox.renew()
        self.tools.fill()
        self._machine.answers.give(self.plan, self.toolchain, self.sandbox, self.note)
        inputs.lay_out(self.work)
        new_stage(self.work, native=self.plan.native)
        self.take_files(inputs.read)
        if inputs.tree:
            copy(inputs.tree, self.work.src)
        sources.lay_out(inputs.archives, self.work.src, self._machine.stop.check)
        self.sandbox.hand_over(fresh=True)
        if self.plan.patches:
            self._report("patch")
            folder = self.work.root / "patches"
            folder.mkdir()
            for reference in self.plan.patches:
                (folder / reference.name).write_bytes(inputs.read(reference))
            patch.apply([folder / p.name for p in self.plan.patches], self.run_patch)
        if inputs.folders:
            laid.lay_out(inputs.folders, self.work.src)
            self.sandbox.hand_over()

    def _look_for_licenses(self, *, upstream: bool) -> None:
        """Hash the licence files; log missing ones, an error for upstream's own archive."""
        self.licenses = licenses.hashes(self.work.src, self.plan.licenses)
        if upstream:
            licenses.require(f"{self.plan.name} {self.plan.version}", self.work.src, self.licenses)
        for path, sha256 in self.licenses.items():
            if sha256 is None:
                self.note(f"licence: the source lacks {path}")

    def note(self, text: str) -> None:
        """Add a line of our own to the log."""
        self._log.note(text)

    def take_files(self, read: Callable[[FileRef], bytes]) -> None:
        """Fill the files' folder with exactly the plan's files.

        read -- returns the content of a file, verified
        """
        files.lay_out(self.plan, self.work.files, read)

    def _step(self, step: Step) -> None:
        match step:
            case RunStep(phase, argv):
                with effect.expected(self.plan, step, self.work.stage, self._log.shown):
                    self.call(phase, argv, serial=step.serial)
            # These also run in the sandbox: a link that the build made must not lead outside.
            case CopyStep(phase, source, destination, mode, _):
                self.call(phase, ("install", "-D", "-m", mode, source, f"{{stage}}/{destination}"))
            case LinkStep(phase, path, target):
                self.call(phase, ("mkdir", "-p", f"{{stage}}/{posixpath.dirname(path)}"))
                self.call(phase, ("ln", "-s", target, f"{{stage}}/{path}"))
            case WriteStep(phase, path, text):
                given = self.work.root / "written"
                given.write_text(late(text, self.sandbox.folders), encoding="utf-8")
                self.call(phase, ("tee", path), given)
            case KconfigStep():
                self.configurator(step).make(self.plan.name)
            case ToolchainStep() | HeadersStep():
                taken.take(self.work.stage, self.toolchain, step)
                self.sandbox.hand_over()

    def call(
        self, phase: str, argv: Sequence[str], stdin: Path | None = None, *, serial: bool = False
    ) -> None:
        """Run one command of the plan. Raises QuardError PHASE-failed."""
        command = tuple(late(word, self.sandbox.folders) for word in argv)
        self.note(f"{phase}: {quoted(command)}")
        start = self._log.size()
        one = {"MAKEFLAGS": self._makeflags} if serial else {}
        with self._jobs() as jobs:
            env = {**self.env, **jobs, **one}
            status = self.sandbox.run(command, env, self._log.file, stdin=stdin)
        if phase == "configure":
            require_known(self.plan, command, self._log, start, self.work.src / BUILD)
        if status:
            self.orderly = (command[0], status) == ("make", _MAKE_FAILED)
            raise self._failed(phase, command, status, start)

    @contextmanager
    def _jobs(self) -> Iterator[Mapping[str, str]]:
        """Hold the tokens for the jobs of ninja, if the package may call it."""
        if sysroot.NINJA not in self.plan.tools:
            yield {}
            return
        with self._machine.jobserver.share(self._machine.stop.check) as jobs:
            yield {sysroot.JOBS: str(jobs)}

    def _failed(self, phase: str, command: Sequence[str], status: int, start: int) -> StepFailed:
        """Return the error for a command; its output begins at `start` of the log."""
        found = diagnosis.diagnose(
            command,
            status,
            self._log.printed(start),
            self.work,
            self.sandbox.system.search(self._machine.search),
            self.sandbox.inside,
        )
        shown = self._log.shown
        said = f"{found.text}\n" if found else ""
        return StepFailed(
            f"{self.plan.name} {self.plan.version}: {phase} failed",
            detail=f"command: {quoted(command)}\nstatus: {status}\nlog: {shown}\n{said}"
            + self._log.tail(),
            reason=found.reason if found and found.certain else f"{phase}-failed",
            hint=found.hint if found else f"read {shown}",
        )

    def run_patch(self, argv: Sequence[str], stdin: Path) -> subprocess.CompletedProcess[bytes]:
        """Run patch(1) in the sandbox and return what it printed."""
        output = self.work.root / "patch.log"
        with output.open("w+b") as log:
            status = self.sandbox.run(argv, self.env, log, stdin=stdin)
            log.seek(0)
            text = log.read()
        self._log.file.write(text)
        return subprocess.CompletedProcess(tuple(argv), status, text, b"")

    def configurator(self, step: KconfigStep) -> kconfig.Configurator:
        """Return the object that makes `.config` in this build's folder."""
        return kconfig.Configurator(
            step, self.work, lambda argv, given: self.call(step.phase, argv, given)
        )

    def _modular(self) -> bool:
        """Return whether the configuration that the build has made requests modules."""
        made = (step for step in self.plan.steps if isinstance(step, KconfigStep))
        return any(kconfig.modular(self.configurator(step).read()) for step in made)

    @property
    def lost(self) -> bool:
        """Whether make wanted a file without a rule: a header that no longer exists."""
        return "No rule to make target" in self._log.tail()


def _repeated(step: Step) -> bool:
    """Return whether a step is run again in a folder that already had a build."""
    return step.phase in ("build", "install") or isinstance(step, KconfigStep)
