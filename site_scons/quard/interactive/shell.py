"""A shell in a package's sealed build environment."""

from __future__ import annotations

from collections.abc import Callable
from typing import IO

from quard.base.errors import QuardError
from quard.execute import kept
from quard.execute.builder import Build
from quard.interactive import buildfolder, terminfo
from quard.interactive.buildfolder import BuildFolder
from quard.plan.plan import KconfigStep
from quard.process import terminal
from quard.project.build import BoardBuild
from quard.project.workspace import Workspace

PLACE = buildfolder.SHELL


def shell(board: BoardBuild, name: str) -> None:
    """Run a shell on the user's terminal or with standard input. Raises QuardError.

    It runs in the folder of the package's last build if that failed, else in one of its own.
    """
    workspace = board.workspace
    version = board.plan(name).version
    log_path = board.place(name, PLACE).log
    log_path.parent.mkdir(parents=True, exist_ok=True)
    with workspace.host.token(), log_path.open("w+b") as log:
        with workspace.console.package(name, version) as report:
            build, told = _build(board, name, log, report)
        shown = build.work.src.relative_to(workspace.project)
        workspace.console.note(f"{name} {version}: a shell in {shown}, {told}")
        workspace.console.note("`exit` or Ctrl-D leaves it")
        env = {**build.env, "PS1": f"{name} \\w\\$ "}
        if workspace.host.site.terminal:
            env["TERM"] = workspace.host.site.terminal
            terminfo.lend(workspace, build.work)
        command = terminal.heeding(("bash", "--noprofile", "--norc"))
        with terminal.lent():
            build.sandbox.run(command, env, log, foreground=True)


def _build(
    board: BoardBuild, name: str, log: IO[bytes], report: Callable[[str], None]
) -> tuple[Build, str]:
    """Return the build whose environment the shell has, and a description of its folder."""
    workspace, packager = board.workspace, board.workspace.host.packager
    job, last = board.job(name), board.place(name)
    if kept.failed(last.work, packager.bases(job, last)):
        build = packager.build(job.plan, last.work, log, last.shown, report)
        if buildfolder.whole(build.work):
            kept.forget(last.work)
            return build, "where its last build failed; the next one starts from scratch"
    own = BuildFolder(packager, job, board.place(name, PLACE), log, report)
    if own.ready:
        return own.build, "as it was left"
    if old := own.set_aside():
        shown = old.relative_to(workspace.project)
        workspace.console.note(f"{name}: the work for another recipe is now in {shown}")
    own.prepare()
    _configure(workspace, own)
    return own.build, "freshly unpacked and patched"


def _configure(workspace: Workspace, own: BuildFolder) -> None:
    """Make `.config`, so that `make` works at once; a failure can be examined in the shell."""
    build = own.build
    for step in build.plan.steps:
        if isinstance(step, KconfigStep):
            config = build.configurator(step)
            try:
                buildfolder.note(build.work.root, config.fill())
            except QuardError as error:
                if workspace.host.stop.requested:
                    raise
                workspace.console.warn(error.message)
