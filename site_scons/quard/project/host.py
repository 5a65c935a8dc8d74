"""The build machine: its stores, tools, sandbox and fetcher, made on first use."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from quard.boards.board import Board
from quard.boards.settings import Settings
from quard.boards.trees import parted
from quard.face.console import Console
from quard.process.stop import Stop
from quard.project.sharing import remote_cache
from quard.project.site import Site
from quard.project.tooling import Tooling
from quard.store.local import Store
from quard.store.stores import Stores

if TYPE_CHECKING:
    from quard.boards.trees import Trees
    from quard.execute.launcher import Launcher
    from quard.execute.package import Packager
    from quard.execute.workers import Workers
    from quard.plan.unit import Unit
    from quard.process.builduser import BuildUser
    from quard.process.jobserver import Jobserver
    from quard.process.sandbox import Mode
    from quard.process.slots import Slots
    from quard.project.sealing import Sealing
    from quard.sources.fetch import Fetcher


class Host:
    """The build machine as the builds of one board use it; several threads may use it at once.

    stores  -- the checkout's, the shared one, and the remote cache
    remote  -- the remote cache, if there is one
    sources -- folder of fetched archives
    folders -- further folders that archives are taken from
    stop    -- ends what runs
    reading -- limits how many look into the stores at a time
    tooling -- the tools of builds

    own -- the checkout, which has the pinned tools; None: the project is the checkout
    """

    def __init__(
        self,
        project: Path,
        board: Board,
        settings: Settings,
        site: Site,
        console: Console,
        trees: Trees | None = None,
    ) -> None:
        self.site = site
        self.console = console
        self.stop = Stop()
        self._work = project / "out" / board.name / "work"
        self._settings = settings
        self._sites = trees.sites if trees else {}
        self._making = threading.RLock()
        self.sources = site.cache / "sources"
        self.reading = threading.BoundedSemaphore(site.jobs)
        self.folders = (settings.sources_folder,) if settings.sources_folder else ()
        local = Store(project / "out" / "store", console.warn)
        self.remote = remote_cache(settings, site, console)
        self.stores = Stores(local, Store(site.cache / "store", console.warn), self.remote)
        if self.remote:
            self.stop.listen(self.remote.stop)
        self._elsewhere: Workers | None = None
        self.tooling = Tooling(
            project,
            trees.own if trees else project,
            project / "out" / board.name / "tools.json",
            board.configuration,
            settings,
            site,
            console,
            self.stop,
            self._require_sealed,
            trees.products.get(parted(board.target.file)[0]) if trees else None,
        )

    @property
    def durations(self) -> Path:
        """File of the times of builds that all checkouts share."""
        from quard.ledger import durations  # noqa: PLC0415 - a null build has none

        return self.site.cache / "store" / durations.FILE

    def builds_with(self, commands: tuple[str, ...], *, native: bool) -> str:
        """Return the identity of the tools that build a package, see Tooling."""
        return self.tooling.builds_with(commands, native=native)

    def takes(self, unit: Unit) -> str:
        """Return the identity of the machine's files that a package installs, see Tooling."""
        return self.tooling.takes(unit)

    def tool(self, name: str) -> str:
        """Return the identity of a tool that makes images, see Tooling."""
        return self.tooling.tool(name)

    @cached_property
    def _sealing(self) -> Sealing:
        from quard.project import sealing  # noqa: PLC0415

        tooling = self.tooling
        return sealing.find(self._settings.sandbox, tooling.available, fetch=tooling.fetches)

    def _require_sealed(self) -> None:
        self._sealing.require()

    def decide_sealing(self) -> None:
        """Determine whether builds are sealed; raise QuardError if they must be and cannot.

        Called before SCons compares nodes: it prints an error of a comparison in its own way.
        """
        _ = self._sealing

    @property
    def seals(self) -> bool:
        """Whether builds are sealed here; determined on first use."""
        return self._sealing.mode == "bwrap"

    @property
    def starts_sandbox(self) -> tuple[str, ...]:
        """The words that start bubblewrap; none: the machine's own."""
        return self._sealing.start

    def _builder(self) -> tuple[Mode, BuildUser | None]:
        """Return how builds are run and by which user; warn about what is not guaranteed."""
        if self.seals:
            return "bwrap", None
        if self.tooling.pinned:
            # Plain folders have the machine's tools: the key would not be that of the result.
            self._sealing.require(decided=True)
        from quard.process import trial  # noqa: PLC0415

        gcc = self.tooling.toolchain.commands["gcc"]
        user, warning = trial.unsealed(self._sealing.obstacle, self._work, str(gcc))
        self.console.warn(warning)
        return self._sealing.mode, user

    def sweep(self) -> None:
        """Remove unfinished work of killed builds."""
        self.stores.sweep()
        self.fetcher().sweep()

    def fetcher(self) -> Fetcher:
        """Return the fetcher of sources, made on first use."""
        with self._making:
            return self._fetcher

    @cached_property
    def _fetcher(self) -> Fetcher:
        from quard.sources.fetch import Fetcher  # noqa: PLC0415
        from quard.sources.mirrors import Locations  # noqa: PLC0415

        settings = self._settings
        fetcher = Fetcher(
            self.sources,
            Locations(
                self.folders,
                settings.mirrors,
                settings.offline,
                settings.tools_mirrors,
                settings.sites,
                self._sites,
            ),
            self.console.progress(),
            most=settings.largest_mib << 20,
        )
        self.stop.listen(fetcher.stop)
        return fetcher

    @property
    def packager(self) -> Packager:
        """The builder of packages, made on first use: a null build needs none."""
        with self._making:
            return self._packager

    @cached_property
    def _packager(self) -> Packager:
        # Loaded only when something is built: it would take 0.1 s of a null build.
        from quard.execute.machine import BuildMachine  # noqa: PLC0415
        from quard.execute.package import Packager  # noqa: PLC0415

        mode, user = self._builder()
        return Packager(
            self.stores,
            self.fetcher(),
            BuildMachine(
                toolchain=self.tooling.compiler,
                system=self.tooling.system,
                origins=self.tooling.origins,
                jobserver=self.jobserver,
                mode=mode,
                search=self.site.search,
                keep=self.site.keep,
                stop=self.stop,
                user=user,
                start=self._sealing.start,
                launcher=self._started_through,
            ),
            self._workers(mode),
        )

    def _started_through(self) -> Launcher | None:
        """Return the compiler launcher, made on first use: a run that only restores needs none."""
        with self._making:
            return self._launcher

    @cached_property
    def _launcher(self) -> Launcher | None:
        from quard.project.launching import launcher  # noqa: PLC0415

        settings, tell = self._settings, self.console.warn
        return launcher(settings, self.tooling, self.site, self.stop, tell, seals=self.seals)

    def _workers(self, mode: Mode) -> Workers | None:
        """Return the workers that build packages; None if all are built here."""
        if not self.jobs_elsewhere:
            return None
        from quard.project import elsewhere  # noqa: PLC0415

        if mode != "bwrap" or self.tooling.pinned is None:
            self.console.note(elsewhere.HERE)
            return None
        found = elsewhere.workers(
            self._settings,
            self.site,
            self.stores,
            self.tooling,
            self.slots,
            self.stop,
            self.console,
        )
        self.stop.listen(found.stop)
        self._elsewhere = found
        return found

    def finish(self) -> Iterator[str]:
        """End the use of servers; yield a line for each about what was sent there."""
        for each in (self.remote, self._elsewhere):
            if each and (said := each.finish()):
                yield said

    @property
    def jobs_elsewhere(self) -> int:
        """The number of packages that workers build at a time."""
        remote = self._settings.remote
        return remote.jobs if remote and not self._settings.offline else 0

    @property
    def jobserver(self) -> Jobserver:
        """The job tokens, made on first use."""
        with self._making:
            return self._jobserver

    @cached_property
    def _jobserver(self) -> Jobserver:
        from quard.process.jobserver import Jobserver  # noqa: PLC0415 - a null build runs nothing

        return Jobserver(self.site.jobs)

    @property
    def slots(self) -> Slots:
        """The job slots, made on first use: one for each job, and those of workers."""
        with self._making:
            return self._slots

    @cached_property
    def _slots(self) -> Slots:
        from quard.process.slots import Slots  # noqa: PLC0415 - a null build works on nothing

        slots = Slots(self.site.jobs, self.jobs_elsewhere, self.jobserver.token)
        self.stop.listen(slots.close)
        return slots

    @contextmanager
    def token(self) -> Iterator[None]:
        """Hold the right to run one process at a time."""
        with self.jobserver.token(check=self.stop.check):
            yield
