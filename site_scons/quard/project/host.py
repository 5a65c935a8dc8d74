"""The build machine: its stores, compiler, sandbox and fetcher, made on first use."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from quard.base.programs import Programs
from quard.boards.board import Board
from quard.boards.settings import Settings, named_path
from quard.execute import toolchain
from quard.execute.toolchain import Toolchain
from quard.face.console import Console
from quard.image import tools
from quard.process.jobserver import Jobserver
from quard.process.stop import Stop
from quard.store.local import Store
from quard.store.stores import Stores

if TYPE_CHECKING:
    from quard.execute.package import Packager
    from quard.process.builduser import BuildUser
    from quard.process.sandbox import Mode
    from quard.sources.fetch import Fetcher


@dataclass(frozen=True, kw_only=True)
class Site:
    """What the outermost layer read from the machine.

    cache  -- folder of the store and of fetched archives
    home   -- the user's home folder; None if there is none
    search -- the PATH
    jobs   -- number of parallel processes
    keep   -- descriptors that builds inherit
    force  -- packages to build even if nothing changed
    terminal -- type (TERM) of the terminal on standard input and output; empty if there is none
    """

    cache: Path
    home: Path | None
    search: str
    jobs: int
    keep: tuple[int, ...] = ()
    force: frozenset[str] = frozenset()
    terminal: str = ""


class Host:
    """The build machine as the builds of one board use it; several threads may use it at once.

    stores  -- the checkout's and the shared one
    sources -- folder of fetched archives
    folders -- further folders that archives are taken from
    stop    -- ends what runs
    """

    def __init__(
        self, project: Path, board: Board, settings: Settings, site: Site, console: Console
    ) -> None:
        self.site = site
        self.console = console
        self.stop = Stop()
        self._project = project
        self._compiler = board.configuration.toolchain
        self._work = project / "out" / board.name / "work"
        self._settings = settings
        self._making = threading.Lock()
        self._opening = threading.Lock()
        self._tools: dict[str, str] = {}
        self.sources = site.cache / "sources"
        self.folders = (settings.sources_folder,) if settings.sources_folder else ()
        local = Store(project / "out" / "store", console.warn)
        self.stores = Stores(local, Store(site.cache / "store", console.warn))

    @cached_property
    def toolchain(self) -> Toolchain:
        """The board's cross compiler. Raises QuardError compiler-missing."""
        named = self._compiler.folder
        folder = named_path(self._project, named, self.site.home) if named else None
        return toolchain.find(self._compiler.prefix, folder, self.site.search, self._programs)

    @cached_property
    def _programs(self) -> Programs:
        return Programs(self._project / "out" / "programs.json")

    def tool(self, name: str) -> str:
        """Return the identity of a tool that makes images; see `quard.image.tools`."""
        with self._opening:
            if name not in self._tools:
                self._tools[name] = tools.identity(name, self._programs)
            return self._tools[name]

    @property
    def fingerprint(self) -> str:
        """The cross compiler's identity in the keys of packages."""
        return self.toolchain.fingerprint

    def require_compiler(self) -> None:
        """Find the cross compiler early, so that an error is reported. Raises QuardError."""
        _ = self.toolchain

    @cached_property
    def _sandbox(self) -> tuple[Mode, str]:
        from quard.process import trial  # noqa: PLC0415

        return trial.probe(self._settings.sandbox)

    @property
    def seals(self) -> bool:
        """Whether builds are sealed here; determined on first use."""
        return self._sandbox[0] == "bwrap"

    def _builder(self) -> tuple[Mode, BuildUser | None]:
        """Return how builds are run and by which user; warn about what is not guaranteed."""
        mode, reason = self._sandbox
        if mode == "bwrap":
            return mode, None
        from quard.process import trial  # noqa: PLC0415

        gcc = self.toolchain.command("gcc")
        user, warning = trial.unsealed(reason, self._work, gcc)
        self.console.warn(warning)
        return mode, user

    def sweep(self) -> None:
        """Remove unfinished work of killed builds."""
        self.stores.sweep()
        self.fetcher().sweep()

    def fetcher(self) -> Fetcher:
        """Return the fetcher of sources, made on first use."""
        with self._opening:
            return self._fetcher

    @cached_property
    def _fetcher(self) -> Fetcher:
        from quard.sources.fetch import Fetcher  # noqa: PLC0415
        from quard.sources.mirrors import Locations  # noqa: PLC0415

        settings = self._settings
        fetcher = Fetcher(
            self.sources,
            Locations(folders=self.folders, mirrors=settings.mirrors, offline=settings.offline),
            self.console.progress,
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
        from quard.execute.builder import BuildMachine  # noqa: PLC0415
        from quard.execute.package import Packager  # noqa: PLC0415

        mode, user = self._builder()
        return Packager(
            self.stores,
            self.fetcher(),
            BuildMachine(
                toolchain=self.toolchain,
                jobserver=self._jobserver,
                mode=mode,
                search=self.site.search,
                keep=self.site.keep,
                stop=self.stop,
                user=user,
            ),
        )

    @cached_property
    def _jobserver(self) -> Jobserver:
        return Jobserver(self.site.jobs)

    @contextmanager
    def token(self) -> Iterator[None]:
        """Hold the right to run one process at a time."""
        with self._jobserver.token():
            yield
