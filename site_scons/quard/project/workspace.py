"""One board in this checkout: its choices, its packages' plans and sources."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import cached_property
from pathlib import Path

from quard.base.errors import QuardError
from quard.boards import native
from quard.boards.board import Board
from quard.boards.fragments import Fragments
from quard.boards.settings import Settings
from quard.boards.trees import Trees
from quard.ledger.ledger import RESULTS
from quard.ledger.outputs import Outputs
from quard.ledger.summary import Summary
from quard.plan import source
from quard.plan.resolve import Resolver
from quard.plan.resolved import Resolved
from quard.plan.source import Request
from quard.plan.unit import Unit, parted
from quard.project import places
from quard.project.host import Host
from quard.project.local_trees import LocalTrees
from quard.project.questions import questions
from quard.project.resolving import options_of_table, resolve
from quard.project.rooted import naming
from quard.recipes.catalog import Catalog, Package
from quard.sources import availability
from quard.sources.archives import Archives
from quard.sources.availability import Availability, Decision


class Workspace:
    """What builds of one board have in common; several threads may use it at once.

    trees -- where the board's files are
    host  -- the build machine
    edits -- package -> its checkout that is being edited (quard.project.edits)
    out   -- the board's folder
    """

    def __init__(
        self,
        project: Path,
        trees: Trees,
        board: Board,
        catalog: Catalog,
        settings: Settings,
        host: Host,
        edits: Mapping[str, Path] | None = None,
    ) -> None:
        self.project = project
        self.trees = trees
        self.board = board
        self.settings = settings
        self.host = host
        self.edits = edits or {}
        self.console = host.console
        self.summary = Summary(board.name)
        self.out = project / "out" / board.name
        self.fresh: frozenset[availability.Key] = frozenset()
        self._catalog = catalog
        own = Fragments(trees, board.configuration)
        self.fragments: dict[str, Fragments] = {}
        self._resolvers: dict[str, Resolver] = {}
        self._roots: Mapping[str, Resolved] = {}
        for root in (board.own, *board.roots):
            found = Fragments(trees, root.configuration, own) if root.name else own
            with naming(root.name):
                resolver = Resolver(
                    root,
                    catalog,
                    found,
                    strict=settings.strict_sources,
                    own=self._resolvers.get(""),
                    relied=options_of_table(root, trees),
                )
            self.fragments[root.name], self._resolvers[root.name] = found, resolver
        self.outputs = Outputs(self.out / RESULTS, host.stores)
        self._archives = Archives(host.sources, host.folders)

    def remember(self) -> None:
        """Save the parse cache for the next run."""
        self._catalog.remember()

    def board_files(self, unit: Unit) -> dict[str, str]:
        """Return name of a file in the build of a package -> that of the board's file."""
        package = self._roots[unit.folder].packages[unit.package]
        return {**package.board_files, **self.fragments[unit.folder].names(unit.package)}

    def require_places(self, units: Collection[Unit]) -> None:
        """Check that building these packages can write. Raises QuardError, see places."""
        names = tuple(unit.name for unit in units)
        roots = (*(root.name for root in self.board.roots), native.NAME)
        places.require(self.project / "out", self.board.name, names, self.host.stores.all, roots)
        self.require_sources({self.source_name(unit) for unit in units})

    def require_sources(self, names: Iterable[str]) -> None:
        """Check that fetching the sources of these packages can write. Raises QuardError.

        names -- see `source_name`
        """
        requests = (one for name in sorted(names) for one in self._sources(name))
        digests = (variant.sha256 for request in requests for variant in request.variants)
        places.require_sources(self.host.sources, digests)

    def decide(self, names: tuple[str, ...] = (), *, again: bool = False) -> tuple[Decision, ...]:
        """Decide the features that are wanted if available; see quard.sources.availability.

        names -- only these packages are requested, as NAME or ROOT/NAME; decisions for others
                 stay as they are
        """
        places = {
            "mirrors": self.settings.mirrors,
            "debian": self.settings.tools_mirrors,
            "folder": str(self.settings.sources_folder or ""),
            "offline": self.settings.offline,
            "override": sorted((*self.settings.override, *self.edits)),
            **({"sites": dict(self.settings.sites)} if self.settings.sites else {}),
            **({"sites of trees": dict(self.trees.sites)} if self.trees.sites else {}),
        }
        keeper = Availability(self._decisions, self._archives, self.host.fetcher, places)
        asked = questions(self._resolvers, self._catalog, names, self.requests)
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
    ) -> Mapping[str, Resolved]:
        """Return the packages of each root with their plans, see resolving.resolve.

        From then on, the sources of packages are those of their features that are on.

        extra -- further packages, as NAME or ROOT/NAME. Raises QuardError.
        """
        for name in self.settings.override:
            if not self._catalog[name].recipe.sources:
                raise QuardError(
                    f"{name} has no source that a local tree could replace",
                    detail="its files come from the cross toolchain or the recipe's folder",
                    reason="bad-setting",
                    hint=f"remove {name} from [override]; the board's file names the toolchain",
                )
        asked = map(parted, extra)
        self._roots = resolve(self._resolvers, self._native, decided, self.local_trees, asked)
        return self._roots

    def require_edits(self) -> None:
        """Check that builds may use the checkouts that are being edited.

        Raises QuardError, see edits.require_current.
        """
        if self.edits:
            from quard.project import edits  # noqa: PLC0415 - few runs have any

            packages = {name: self._on_board(name) for name in self.edits}
            requests = {name: self.own_requests(each) for name, each in packages.items()}
            edits.require_current(self.edits, self.settings.override, packages, requests)

    def _native(self, names: Iterable[str]) -> Resolver:
        """Return the resolver of packages for the build machine."""
        root = native.root(self.board.name, self.host.site.machine, names)
        fragments = Fragments(self.trees, root.configuration)
        self.fragments[root.name] = fragments
        catalog = self._catalog.of(root.configuration.target, self.trees)
        return Resolver(root, catalog, fragments, strict=self.settings.strict_sources)

    @cached_property
    def local_trees(self) -> LocalTrees:
        """The folders that packages are built from in place of archives."""
        return LocalTrees(self.settings.override, self.edits, self._catalog, self.out / "trees")

    def source_name(self, unit: Unit) -> str:
        """Return what names a package's source: the package, which is the same in all roots.

        Only where the board has another source, that for the build machine has a name of its own.
        """
        return unit.name if unit.native and unit.package in self.board.overrides else unit.package

    def fetch(self, name: str) -> None:
        """Fetch and verify one package's source ahead of its build; `name`: see `source_name`."""
        for request in self._sources(name):
            self.host.fetcher().fetch(request)

    def at_hand(self, name: str) -> bool:
        """Return whether one package's source is already here; `name`: see `source_name`."""
        return all(map(self._archives.at_hand, self._sources(name)))

    def _sources(self, name: str) -> tuple[Request, ...]:
        """Return the requests for what any of the roots builds a package from."""
        root, package = parted(name)
        differs = package in self.board.overrides
        found: dict[Request, None] = {}
        for each, resolved in self._roots.items():
            same = not differs or (each == native.NAME) == (root == native.NAME)
            if same and package in resolved.packages:
                found |= dict.fromkeys(self.requests(resolved.packages[package]))
        return tuple(found)

    def _on_board(self, name: str) -> Package:
        """Return a package as the board has it."""
        changed = name in self.board.overrides
        return self._resolvers[""].package(name) if changed else self._catalog[name]

    def requests(self, package: Package) -> tuple[Request, ...]:
        """Return the requests for a package's archives that no local tree replaces."""
        found = self._all_requests(package)
        if package.name in self.edits:
            own = self.own_requests(package)
            return tuple(one for one in found if one not in own)
        tree = package.name in self.settings.override
        return tuple(one for one in found if not (tree and one.into == source.TOP))

    def own_requests(self, package: Package) -> tuple[Request, ...]:
        """Return the requests for the archives that a package has whatever its features are.

        A checkout that is edited has these.
        """
        added = source.added(package.recipe)
        return tuple(one for one in self._all_requests(package) if one.into not in added)

    def _all_requests(self, package: Package) -> tuple[Request, ...]:
        return source.requests(package.name, package.recipe, strict=self.settings.strict_sources)

    def tell_restored(self, name: str, version: str, key: str) -> None:
        """Print and record that a package was restored; `key`: of its result."""
        self.summary.add_restored(name)
        origin, how = self.host.stores.origin(key), self.host.stores.kind(key)
        self.console.done(name, version, f"from {origin}", how, origin)
