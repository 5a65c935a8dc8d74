"""The functions of a run's actions: a unit's work, with errors shown as one block."""

from __future__ import annotations

from collections.abc import Callable

from SCons.Environment import Base
from SCons.Node import Node
from SCons.Node.FS import File

from quard.base.errors import QuardError
from quard.project.recovery import NotMadeAgain, Recovery
from quard.project.workspace import Workspace

from . import ahead
from .action import Function
from .faults import as_quard_error
from .guard import Guard


class Actions:
    """Makes the functions of one run; several threads may call these at once."""

    def __init__(self, workspace: Workspace, guard: Guard, recovery: Recovery) -> None:
        self._workspace = workspace
        self._guard = guard
        self._recovery = recovery
        self._failed: list[Node] = []
        self._active: set[str] = set()

    def restored(self, node: Node) -> bool:
        """Return whether a target is a package that could be restored at once.

        While anything is being made, nothing is: SCons would notice later that this has ended.
        What cannot be restored, for whatever reason, is made by its action, which reports faults.
        """
        unit = getattr(node.attributes, "quardroot_unit", None)
        if unit is None or self._active or not isinstance(node, File):
            return False
        try:
            return self._recovery.restored(unit, lambda: self._guard.started([node]))
        except (QuardError, OSError):
            return False

    def act(self, name: str, work: Callable[[], None], *, counts: bool = True) -> Function:
        """Return the function of an action that does some work.

        counts -- it makes something: its failure is a failure of the build
        """

        def function(target: list[Node], source: list[Node], env: Base) -> str | None:
            del source, env
            from quard.process.slots import NotBegun  # noqa: PLC0415 - a null build has none

            files = [node for node in target if isinstance(node, File)]
            self._active.add(name)
            try:
                self._guard.started(files)
                self._recovery.run(work)
            except NotBegun:
                self._guard.failed(files)
                if not self._workspace.host.stop.requested:
                    ahead.wait_for_end(self._failed)
            except Exception as fault:
                if ahead.ends_with_failure():
                    self._workspace.host.slots.close()  # it may have had no slot
                self._failed += target
                return self._failure(name, fault, files, counts=counts)
            finally:
                self._active.discard(name)
            return None

        return function

    def _failure(self, name: str, fault: Exception, files: list[File], *, counts: bool) -> str:
        """Report why a target could not be made; return that in one line, for SCons."""
        workspace, failed = self._workspace, name
        if workspace.host.stop.requested:
            if counts:
                workspace.summary.add_unfinished(name)
            return f"{name}: interrupted"
        if isinstance(fault, NotMadeAgain):
            failed, fault, counts = fault.package, fault.error, True
        error = as_quard_error(fault, workspace.out / "logs" / f"{name}.traceback")
        self._guard.failed(files)
        if counts:
            workspace.summary.add_failed(failed)
        workspace.console.error(error)
        return f"{name}: {error.message}"
