"""One package's Kconfig configuration: editing, trials, saving as a fragment."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from quard.base import given
from quard.base.errors import QuardError
from quard.base.files import replace
from quard.execute.kconfig import FEATURES, ConfigLine, Configurator, merge, values, vanished
from quard.interactive import buildfolder, terminfo
from quard.interactive.buildfolder import BuildFolder
from quard.interactive.fragment import Change, Minimal, Stack, changes, lost, minimal
from quard.plan.kconfig import kconfig_step
from quard.plan.late import late
from quard.plan.unit import parted
from quard.process import terminal
from quard.process.stop import REASON
from quard.project.build import BoardBuild

_REMEMBERED = 8
"""How many refreshes are cached: enough for the next command to start without one."""
_INTERRUPTED = 130
_TELLING = f'trap "exit {_INTERRUPTED}" INT; "$@"'
"""Shell text: reports a Ctrl-C in its status. make does not always do so: its own wait(2) in the
signal handler may fail, and then it exits as if a command had failed."""


class ConfigEditor:
    """A configuration during editing and trials.

    pending -- `.config` as a person has written it, not yet saved; None if there is none
    without -- the configuration of a build without the saved fragment
    before  -- the configuration of a build with the present fragment

    While trials use `.config`, a person's text is kept in a file of its own.
    """

    def __init__(self, build: BoardBuild, name: str) -> None:
        workspace = build.workspace
        root, self._package = parted(name)
        self.name = name
        self.pending: str | None = None
        self._from_shell = False
        self._workspace = workspace
        self._plan = build.plan(name)
        self._board = workspace.board.name
        self._images = self._package in build.roots[root].image
        self._fragments = workspace.fragments[root]
        self._shown = self._fragments.edited(self._package)
        self._fragment = workspace.trees.path(self._shown)
        self._phase: Callable[[str], None] | None = None
        folder = workspace.out / buildfolder.CONFIGURE
        self._root = folder / name
        self._aside = folder / f"{name}.edited"
        self._shell = workspace.out / buildfolder.SHELL / name
        self._folder: BuildFolder
        self._config: Configurator
        self._stack: Stack
        self._kept: tuple[ConfigLine, ...]

    def progress(self, phase: str) -> None:
        """Show the current phase, while the live view has a row for it."""
        if self._phase is not None:
            self._phase(phase)

    @contextmanager
    def _busy(self) -> Iterator[None]:
        """Show a row in the live view; it is removed while another program has the terminal."""
        with self._workspace.console.package(self.name, self._plan.version) as report:
            self._phase = report
            try:
                yield
            finally:
                self._phase = None

    def open(self, found: BuildFolder) -> None:
        """Fill the folder, unless it is ready, and determine the configuration of a build."""
        self._folder = found
        self.pending = self._find_pending()
        if self.pending is not None:
            self._aside.parent.mkdir(parents=True, exist_ok=True)
            _write(self._aside, self.pending)
        if not found.ready:
            shown = self._root.relative_to(self._workspace.project)
            self._workspace.console.note(f"{self.name} {self._plan.version}: preparing {shown}")
        step = kconfig_step(self._plan)
        assert step is not None, "the verb has looked"
        with self._busy():
            found.prepare()
            buildfolder.note(self._root, "")
            self._config = found.build.configurator(step)
            requests = self._config.requests()
            kept = self._fragments.edited_name(self._package)
            self._kept = tuple(r for r in requests if r.origin == kept)
            self._stack = Stack(
                base=self._base(),
                below=tuple(r for r in requests if r.origin not in (kept, FEATURES)),
                above=tuple(r for r in requests if r.origin == FEATURES),
                refresh=self._config.refresh,
                known=self._recall(),
            )
            self.progress("configure")
            self.without = self._stack.config(())
            self.before = self._stack.config(self._kept)
            self._vanished = vanished(self.before, merge(self._kept))

    @property
    def now(self) -> str:
        """The configuration in its edited state, completed by the refresh."""
        if self.pending is None:
            return self.before
        with self._busy():
            return self._stack.complete(self.pending)

    def edit(self) -> None:
        """Run upstream's menuconfig on the user's terminal. Raises QuardError menuconfig-failed."""
        start = self.now
        thrown = lost(values(self.before), values(self.pending or self.before), values(start))
        self._config.write(start)
        status = self._run_editor()
        edited = self._config.read()
        if values(edited) != values(start):
            self.pending, self._from_shell = edited, False
            _write(self._aside, edited)
            # The editor writes what a refresh would write: both use the same upstream code.
            self._stack.known[edited] = edited
            self.save(self.before, edited)
            self._warn("was edited but is not in the result", thrown)
        elif status == _INTERRUPTED:
            raise QuardError("interrupted; nothing was changed", reason=REASON)
        elif status:
            raise QuardError(
                f"{self.name}'s menuconfig did not work",
                detail=f"status: {status}; its own output is above",
                reason="menuconfig-failed",
                hint="it needs the headers of ncurses, a terminal of at least 80 x 19 characters,"
                " and a terminal type that it knows (TERM=xterm fits most)",
            )
        else:
            self._say("nothing was changed")
            if self.pending is not None:
                place = self._place(self._shell if self._from_shell else self._root)
                self._say(
                    f"{place} was edited; ./scons {self.name}-savedefconfig saves the changes"
                )

    def save(self, start: str, edited: str) -> None:
        """Save the edit as the fewest lines that produce it, and report the outcome.

        start -- the configuration that a build had so far
        """
        with self._busy():
            found = minimal(
                self._stack, start, edited, lambda lines: self.progress(f"fewest lines: {lines}")
            )
        wrote = self._write_fragment(found)
        self.pending, self.before = None, found.config
        if buildfolder.edited(self._shell) is not None:
            buildfolder.note(self._shell, _read(self._shell / "src/.config"))
        self._tell(found, changes(start, found.config), wrote)

    def leave(self) -> None:
        """Leave `.config` as a person has written it, or else as a build has it now."""
        ours = self.pending is None or self._from_shell
        left = self.before if ours else self.pending or ""
        self._config.write(left)
        self._warn(f"of {self._shown} is not in the result", self._vanished)
        known = list(self._stack.known.items())[-_REMEMBERED:]
        _write(self._root / "refreshed.json", json.dumps(known))
        buildfolder.note(self._root, left if ours else buildfolder.UNSAVED)
        self._aside.unlink(missing_ok=True)

    def _run_editor(self) -> int:
        build, step = self._folder.build, self._config.step
        words = (late(word, build.sandbox.folders) for word in (*step.make, "menuconfig"))
        env = {**build.env, "TERM": self._workspace.host.site.terminal}
        terminfo.lend(self._workspace, build.work)
        command = terminal.heeding(("sh", "-c", _TELLING, "sh", *words))
        system = self._workspace.host.tooling.editor(self._plan)
        sandbox = dataclasses.replace(build.sandbox, system=system)
        with terminal.lent():
            return sandbox.run(command, env, self._folder.log, foreground=True)

    def _find_pending(self) -> str | None:
        """Return an edit that was not saved. Raises QuardError two-edits."""
        if self._aside.exists():
            return _read(self._aside)
        here, there = buildfolder.edited(self._root), buildfolder.edited(self._shell)
        if here is not None and there is not None and values(here) != values(there):
            raise QuardError(
                f"{self.name}'s configuration was edited in two places",
                detail=f"{self._place(self._root)}\n{self._place(self._shell)}",
                reason="two-edits",
                hint="remove the one that you do not need",
            )
        self._from_shell = here is None
        return there if here is None else here

    def _place(self, root: Path) -> str:
        """Return the path of an environment's `.config`, for people."""
        return str((root / "src/.config").relative_to(self._workspace.project))

    def _base(self) -> str:
        """Return the base configuration; it is the same as long as the folder exists."""
        path = self._root / "base.config"
        if not path.exists():
            _write(path, self._config.start())
        return _read(path)

    def _recall(self) -> dict[str, str]:
        with suppress(OSError, ValueError, TypeError):  # missing or damaged: refreshed again
            return dict(json.loads(_read(self._root / "refreshed.json")))
        return {}

    def _write_fragment(self, found: Minimal) -> bool:
        """Write the lines found to the fragment; return whether that changed it."""
        path = self._fragment
        before = _read(path) if path.exists() else ""
        text = fragment_text(self.name, self._board, found)
        if text == before:
            return False
        if text:
            _write(path, text)
        else:
            path.unlink()
            with suppress(OSError):  # other packages' fragments may be there too
                path.parent.rmdir()
        return True

    def _tell(self, found: Minimal, changed: tuple[Change, ...], wrote: bool) -> None:
        """Report what was changed and saved, what was not, and what a build has to do."""
        note = self._workspace.console.note
        self._say(f"{len(changed) or 'no'} {'symbol' if len(changed) == 1 else 'symbols'} changed")
        for change in changed:
            note(str(change))
        count = len(found.lines)
        if not wrote:
            self._say(f"{self._shown} is unchanged")
        elif count:
            self._say(f"{self._shown} now has {count} {'line' if count == 1 else 'lines'}")
        else:
            self._say(f"{self._shown} was removed: nothing differs from the recipe")
        if wrote:
            images = " and the images" if self._images else ""
            note(f"the next build rebuilds {self.name}{images}")
        self._warn("was edited but is not in the result", found.lost)
        for request in found.broken:
            text = f"{self.name}: {request} of {request.origin} is not in the result"
            self._workspace.console.warn(f"{text}: a build would fail")

    def _warn(self, what: str, lines: Iterable[tuple[ConfigLine, str]]) -> None:
        for request, shown in lines:
            text = f"{self.name}: {request} {what}; found: {shown}"
            fixed = request.symbol in {other.symbol for other in self._stack.above}
            self._workspace.console.warn(f"{text}{', because a feature sets it' if fixed else ''}")

    def _say(self, text: str) -> None:
        self._workspace.console.note(f"{self.name}: {text}")


def fragment_text(name: str, board: str, found: Minimal) -> str:
    """Return the text of the fragment for an edit, empty for none."""
    if not found.lines:
        return ""
    head = f"# {name} on {board}: `./scons BOARD={board} {name}-menuconfig` overwrites this file."
    return "\n".join([head, *map(str, found.lines)]) + "\n"


def _read(path: Path) -> str:
    """Return a file's text; bytes that are not text are preserved."""
    return given.text(path, errors="surrogateescape")


def _write(path: Path, text: str) -> None:
    replace(path, text.encode(errors="surrogateescape"))
