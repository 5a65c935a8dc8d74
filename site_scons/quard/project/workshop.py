"""The composition root: joins one board with one site's settings, without SCons."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from quard.base.errors import QuardError
from quard.base.programs import Programs
from quard.boards.board import Board
from quard.boards.fragments import Fragments
from quard.boards.settings import Settings, named_path
from quard.execute import toolchain
from quard.execute.toolchain import Toolchain
from quard.face.console import Console
from quard.image import tools
from quard.ledger.ledger import RESULTS
from quard.ledger.outputs import Outputs
from quard.ledger.summary import Summary
from quard.plan import source
from quard.plan.resolve import Resolved, Resolver, Tree
from quard.plan.source import Request
from quard.plan.unit import Unit, parted
from quard.process.jobserver import Jobserver
from quard.process.stop import Stop
from quard.project import places
from quard.project.questions import questions
from quard.recipes.catalog import Catalog, Package
from quard.sources import availability
from quard.sources.archives import Archives
from quard.sources.availability import Availability, Decision
from quard.sources.trees import Listing, scan
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


class Workshop:
    """Makes the packages of one board; several threads may use it at once."""

    def __init__(
        self,
        project: Path,
        board: Board,
        catalog: Catalog,
        settings: Settings,
        site: Site,
        console: Console,
    ) -> None:
        self.project = project
        self.board = board
        self.settings = settings
        self.site = site
        self.console = console
        self.summary = Summary(board.name)
        self.out = project / "out" / board.name
        self.stop = Stop()
        self._making = threading.Lock()
        self._opening = threading.Lock()
        self._tools: dict[str, str] = {}
        self.fresh: frozenset[availability.Key] = frozenset()
        self._catalog = catalog
        own = Fragments(project, board.configuration)
        self.fragments = {"": own}
        for root in board.roots:
            self.fragments[root.name] = Fragments(project, root.configuration, own)
        self._resolvers = {
            root.name: Resolver(
                root, catalog, self.fragments[root.name], strict=settings.strict_sources
            )
            for root in (board.own, *board.roots)
        }
        self.sources = site.cache / "sources"
        local = Store(project / "out" / "store", console.warn)
        self.stores = Stores(local, Store(site.cache / "store", console.warn))
        self.outputs = Outputs(self.out / RESULTS, self.stores)
        self._folders = (settings.sources_folder,) if settings.sources_folder else ()
        self._archives = Archives(self.sources, self._folders)

    def remember(self) -> None:
        """Save the parse cache for the next run."""
        self._catalog.remember()

    @cached_property
    def toolchain(self) -> Toolchain:
        """The board's cross compiler. Raises QuardError compiler-missing."""
        wanted = self.board.configuration.toolchain
        named = wanted.folder
        folder = named_path(self.project, named, self.site.home) if named else None
        return toolchain.find(wanted.prefix, folder, self.site.search, self._programs)

    @cached_property
    def _programs(self) -> Programs:
        return Programs(self.project / "out" / "programs.json")

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

        return trial.probe(self.settings.sandbox)

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
        user, warning = trial.unsealed(reason, self.out / "work", gcc)
        self.console.warn(warning)
        return mode, user

    def require_places(self, units: Collection[Unit]) -> None:
        """Check that building these packages can write. Raises QuardError, see places."""
        names = tuple(unit.name for unit in units)
        roots = (root.name for root in self.board.roots)
        places.require(self.project / "out", self.board.name, names, self.stores.all, roots)
        self.require_sources({unit.package for unit in units})

    def require_sources(self, names: Iterable[str]) -> None:
        """Check that fetching the sources of these packages can write. Raises QuardError."""
        places.require_sources(self.sources, names)

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

        settings = self.settings
        fetcher = Fetcher(
            self.sources,
            Locations(folders=self._folders, mirrors=settings.mirrors, offline=settings.offline),
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

    def decide(self, names: tuple[str, ...] = (), *, again: bool = False) -> tuple[Decision, ...]:
        """Decide the features that are wanted if available; see quard.sources.availability.

        names -- only these packages are requested, as NAME or ROOT/NAME; decisions for others
                 stay as they are
        """
        places = {
            "mirrors": self.settings.mirrors,
            "folder": str(self.settings.sources_folder or ""),
            "offline": self.settings.offline,
            "override": sorted(self.settings.override),
        }
        keeper = Availability(self._decisions, self._archives, self.fetcher, places)
        asked = questions(self._resolvers, self._catalog, names, self._replaceable)
        decisions = keeper.decide(asked, again=again, whole=not names, note=self.console.note)
        self.fresh = frozenset(keeper.fresh)
        return decisions

    @property
    def _decisions(self) -> Path:
        return self.out / "availability.json"

    def forget_decisions(self) -> None:
        """Make the next build decide again, and report that."""
        self._decisions.unlink(missing_ok=True)

    def recorded(self) -> dict[availability.Key, bool]:
        """Return the decisions of the last build, and off for features never decided."""
        known = {d.key: d.on for d in availability.recorded(self._decisions)}
        keys = (key for each in self._resolvers.values() for key in each.choices())
        return {key: known.get(key, False) for key in keys}

    def resolve(
        self, decided: Mapping[availability.Key, bool], extra: tuple[str, ...] = ()
    ) -> dict[str, Resolved]:
        """Return the packages of each root with their plans, those of the board's own root first.

        extra -- further packages, as NAME or ROOT/NAME. Raises QuardError.
        """
        for name in self.settings.override:
            if self._catalog[name].recipe.source is None:
                raise QuardError(
                    f"{name} has no source that a local tree could replace",
                    detail="its files come from the cross toolchain or the recipe's folder",
                    reason="bad-setting",
                    hint=f"remove {name} from [override]; the board's file names the toolchain",
                )
        asked, trees = [*map(parted, extra)], self._trees()
        return {
            root: each.resolve(decided, trees, [name for folder, name in asked if folder == root])
            for root, each in self._resolvers.items()
        }

    def _trees(self) -> dict[str, Tree]:
        return {
            name: Tree(found.digest, "configure" in found.entries)
            for name, found in self._listings.items()
        }

    def tree(self, name: str) -> Listing | None:
        """Return the local source tree that replaces a package's archive."""
        return self._listings.get(name)

    @cached_property
    def _listings(self) -> dict[str, Listing]:
        """The local source trees as this run finds them."""
        return {
            name: scan(folder, self.out / "trees" / f"{name}.json")
            for name, folder in sorted(self.settings.override.items())
        }

    def fetch(self, name: str) -> None:
        """Fetch and verify one package's source ahead of its build."""
        if request := self._replaceable(name):
            self.fetcher().fetch(request)

    def at_hand(self, name: str) -> bool:
        """Return whether one package's source is already here."""
        request = self._replaceable(name)
        return request is None or self._archives.at_hand(request)

    def _replaceable(self, name: str) -> Request | None:
        """Return a package's source; None if it has none or a local tree replaces it."""
        return None if name in self.settings.override else self.request(self._catalog[name])

    @contextmanager
    def token(self) -> Iterator[None]:
        """Hold the right to run one process at a time."""
        with self._jobserver.token():
            yield

    def request(self, package: Package) -> Request | None:
        """Return the request for a package's archive; None if it has none."""
        return source.request(package.name, package.recipe, strict=self.settings.strict_sources)
