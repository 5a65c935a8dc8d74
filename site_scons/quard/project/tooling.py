"""The tools of one board's builds: the pinned ones or the machine's own, and their identities.

A null build only asks for identities. What it does not need is loaded on use.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from quard.base.programs import Programs
from quard.boards.configuration import Configuration
from quard.boards.settings import Settings, named_path
from quard.project.site import Site
from quard.project.toolset import Toolset
from quard.tools import finding
from quard.tools.pinned import PinnedTools

if TYPE_CHECKING:
    from quard.execute.toolchain import Toolchain
    from quard.face.console import Console
    from quard.plan.plan import Plan
    from quard.plan.unit import Unit
    from quard.process.stop import Stop
    from quard.process.system import System
    from quard.tools.fetching import Packages
    from quard.tools.lock import LockedPackage
    from quard.tools.origins import Origin
    from quard.tools.roots import Roots


class Tooling:
    """What builds and makes images for one board; several threads may use it at once.

    own      -- the checkout, which has the names and lock files of the pinned tools
    decision -- file that keeps which tools the board's builds use
    seal    -- raises QuardError if commands cannot be sealed here
    beside  -- folder of the product tree that has the board's target, if one has it
    fetches -- whether this run downloads pinned tools that are missing
    """

    def __init__(
        self,
        project: Path,
        own: Path,
        decision: Path,
        configuration: Configuration,
        settings: Settings,
        site: Site,
        console: Console,
        stop: Stop,
        seal: Callable[[], None],
        beside: Path | None = None,
    ) -> None:
        self._project = project
        self._own = own
        self._decision = decision
        self._configuration = configuration
        self._settings = settings
        self._site = site
        self._console = console
        self._stop = stop
        self._seal = seal
        self._beside = beside
        self.fetches = False
        self._verifies = False
        self._choosing = threading.Lock()
        self._asking = threading.Lock()
        self._known: dict[str, str] = {}

    def choose(self, *, fetch: bool, again: bool = False) -> None:
        """Decide early which tools builds use. Raises QuardError.

        fetch -- download pinned tools that are missing
        again -- try to, even if that has failed before, and read all files of the pinned tools;
                 sources are fetched, nothing is built
        """
        self.fetches = fetch
        self._verifies = again
        with self._choosing:
            self._pinned = self._toolset.decide(self._console.note, again=again, fetch=fetch)

    def provide(self, units: Iterable[Unit]) -> None:
        """Have all pinned tools here that make these units, edit their configurations, open
        shells, and debug.

        Raises QuardError.
        """
        from quard.plan.kconfig import kconfig_step  # noqa: PLC0415
        from quard.plan.plan import Plan  # noqa: PLC0415

        if self.pinned is None:
            return
        self.pinned.provide_debugger()
        self.pinned.terminals()
        for unit in units:
            if isinstance(unit.plan, Plan):
                self.system(unit.plan)
                if kconfig_step(unit.plan):
                    self.editor(unit.plan)
            else:
                for name in unit.plan.made_by:
                    self.start(name)

    @property
    def pinned(self) -> PinnedTools | None:
        """The pinned tools; None if builds use the machine's own."""
        with self._choosing:
            return self._pinned

    @cached_property
    def _pinned(self) -> PinnedTools | None:
        return self._toolset.decide(self._console.note, again=False, fetch=False)

    @cached_property
    def _toolset(self) -> Toolset:
        settings = self._settings
        places = {
            "root": settings.tools_root,
            "mirrors": settings.tools_mirrors,
            "offline": settings.offline,
            "sandbox": settings.sandbox,
        }
        return Toolset(self._decision, settings.tools_root, self._find, self._seal, places)

    @property
    def unsaid(self) -> str:
        """A line that says why the machine's own tools are used, if that has not been printed."""
        return self._toolset.unsaid

    def available(self) -> PinnedTools | None:
        """Return the pinned tools, whether builds use them or not; None if there are none, or if
        the settings exclude them. Raises QuardError.
        """
        return None if self._settings.tools_root == "machine" else self._find()

    def _find(self) -> PinnedTools | None:
        own, board, cache = self._own, self._configuration, self._cache
        return finding.find(own, board, cache, lambda: self._roots, self._programs, self._beside)

    @property
    def _cache(self) -> Path:
        """The folder of packages and roots."""
        return self._site.cache / "tools"

    @cached_property
    def _roots(self) -> Roots:
        from quard.tools import listing  # noqa: PLC0415
        from quard.tools.roots import Roots  # noqa: PLC0415

        look = listing.Thorough() if self._verifies else listing.quick
        return Roots(self._cache, self._fetch, self._console.note, self._stop, look)

    def _fetch(self, package: LockedPackage) -> Path:
        return self._packages.fetch(package)

    @cached_property
    def _packages(self) -> Packages:
        from quard.sources.fetch import Fetcher  # noqa: PLC0415 - a null build needs none
        from quard.sources.mirrors import Locations  # noqa: PLC0415
        from quard.tools.fetching import Packages  # noqa: PLC0415

        settings = self._settings
        locations = Locations(
            offline=settings.offline, debian=settings.tools_mirrors, sites=settings.sites
        )
        fetcher = Fetcher(self._cache / "debs", locations, self._console.progress(many=True))
        self._stop.listen(fetcher.stop)
        return Packages(fetcher)

    @cached_property
    def toolchain(self) -> Toolchain:
        """The board's cross compiler. Raises QuardError compiler-missing."""
        from quard.execute import toolchain  # noqa: PLC0415

        named = self._configuration.toolchain
        if pinned := self.pinned:
            return toolchain.pinned(named.prefix, pinned.system())
        folder = named_path(self._project, named.folder, self._site.home) if named.folder else None
        return toolchain.find(named.prefix, folder, self._site.search, self._programs)

    @cached_property
    def native_toolchain(self) -> Toolchain:
        """The build machine's own compiler. Raises QuardError compiler-missing, no-natives."""
        from quard.boards import native  # noqa: PLC0415
        from quard.execute import toolchain  # noqa: PLC0415

        prefix = native.configuration(self._site.machine).toolchain.prefix
        if pinned := self.pinned:
            return toolchain.pinned(prefix, pinned.system(native=True))
        return toolchain.find(prefix, None, self._site.search, self._programs)

    def compiler(self, plan: Plan) -> Toolchain:
        """Return the compiler of a package. Raises QuardError compiler-missing."""
        return self.native_toolchain if plan.native else self.toolchain

    def origins(self, plan: Plan, files: Iterable[Path]) -> Mapping[Path, Origin]:
        """Return the packages that have these files of the tools that build a plan.

        files -- absolute paths as the build sees them
        """
        from quard.tools import origins  # noqa: PLC0415

        if pinned := self.pinned:
            return pinned.origins(plan.made_by, files)
        return origins.installed(files)

    @cached_property
    def _programs(self) -> Programs:
        return Programs(self._project / "out" / "programs.json")

    def builds_with(self, commands: tuple[str, ...], *, native: bool) -> str:
        """Return the identity of the tools that build a package in its key.

        commands -- those that it calls besides the common ones
        native   -- it is built for the build machine
        """
        if pinned := self.pinned:
            return pinned.identity(commands, native=native)
        return (self.native_toolchain if native else self.toolchain).fingerprint

    def takes(self, unit: Unit) -> str:
        """Return the identity of files of the machine's own tools that a package installs."""
        if self.pinned:
            return ""
        from quard.plan.plan import Plan  # noqa: PLC0415

        plan = unit.plan
        if not isinstance(plan, Plan) or not plan.taken:
            return ""
        from quard.execute import tracked  # noqa: PLC0415

        return tracked.identity(plan, self.compiler(plan), self._programs)

    def updates(self, unit: Unit, name: str, before: str) -> tuple[str, ...]:
        """Return what changed in the pinned tools of a unit since they had a digest.

        name -- of the tools in the basis of a result (ledger.why_tools)
        """
        if pinned := self.pinned:
            commands, native = unit.plan.made_by, unit.native
            return pinned.updates(self._cache, name, commands, before, native=native)
        return ()

    def system(self, plan: Plan) -> System:
        """Return the system whose tools the build of a plan uses."""
        from quard.process.system import MACHINE  # noqa: PLC0415

        return self.pinned.system(plan.made_by, native=plan.native) if self.pinned else MACHINE

    def editor(self, plan: Plan) -> System:
        """Return the system in which the Kconfig editor of a plan is compiled and run."""
        return self.pinned.editor(plan.made_by) if self.pinned else self.system(plan)

    def terminals(self) -> System:
        """Return the system that has descriptions of terminals."""
        from quard.process.system import MACHINE  # noqa: PLC0415

        return self.pinned.terminals() if self.pinned else MACHINE

    def tool(self, name: str) -> str:
        """Return the identity of a tool that makes images."""
        if self.pinned and (found := self.pinned.tool_identity(name)):
            return found
        from quard.image import tools  # noqa: PLC0415

        with self._asking:
            if name not in self._known:
                self._known[name] = tools.identity(name, self._programs)
            return self._known[name]

    def emulator(self, out: Path, qemu: str) -> None:
        """Update the start script of QEMU, if it is pinned, in a board's folder.

        qemu -- name of the program that emulates its machine
        Raises QuardError if it cannot be fetched.
        """
        from quard.machine import launcher  # noqa: PLC0415

        words = self.pinned.start_tool(qemu) if self.pinned else ()
        launcher.update(out / launcher.FOLDER, qemu, launcher.qemu(words))

    def debugger(self, out: Path) -> None:
        """Update the start script of gdb, if it is pinned. Raises QuardError as `emulator` does."""
        from quard.machine import launcher  # noqa: PLC0415

        words = self.pinned.start_tool(launcher.GDB) if self.pinned else ()
        launcher.update(out / launcher.FOLDER, launcher.GDB, launcher.gdb(words))

    def start(self, name: str) -> tuple[str, ...]:
        """Return the words that start a tool that makes images; none if it is missing."""
        from quard.image import tools  # noqa: PLC0415

        return (self.pinned.start_tool(name) if self.pinned else ()) or tools.start(name)
