"""Resolving a root: its packages and their plans, from the catalogue and decided features."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property

from quard.base.errors import QuardError
from quard.base.record import Record, record
from quard.boards.configuration import Choice
from quard.boards.fragments import Fragments
from quard.boards.root import Root
from quard.model import DEPLOY, Kconfig, Permission, Unhardened, User
from quard.plan.choices import check_c_library, check_fragments, check_names, check_parts
from quard.plan.compose import Inputs, compiles, compose
from quard.plan.natives import Natives, for_build
from quard.plan.plan import CopyStep, Plan
from quard.plan.unit import PROGRAMS
from quard.recipes import lint
from quard.recipes.catalog import Catalog, Package
from quard.recipes.graph import ALL, Edges, Graph, build, packages, parted


@record
class Tree(Record):
    """A local source folder that is built instead of a recipe's archive.

    digest     -- of its content
    configured -- it has a configure script, as releases do and developers' checkouts do not
    """

    digest: str
    configured: bool


@record
class Resolved(Record):
    """The packages of a root.

    graph  -- their order
    image  -- names of the packages in the image, in build order
    plans  -- by name
    """

    root: Root
    graph: Graph
    image: tuple[str, ...]
    packages: Mapping[str, Package]
    plans: Mapping[str, Plan]

    def deployed(self, name: str) -> tuple[str, ...]:
        """Return the names of the files that a package puts beside the images."""
        prefix = DEPLOY + "/"
        return tuple(
            step.destination.removeprefix(prefix)
            for step in self.plans[name].steps
            if isinstance(step, CopyStep) and step.destination.startswith(prefix)
        )

    @property
    def deploying(self) -> tuple[str, ...]:
        """The packages that put files beside the images."""
        return tuple(name for name in self.image if self.plans[name].deploys)

    @cached_property
    def whole(self) -> frozenset[str]:
        """The packages that the image has with their programs.

        The root lists them, or a recipe names them in `runtime`. Of packages that are only needed,
        the image has the libs.
        """
        brought = (each for n in self.image for each in self.graph.edges[n].brought)
        return frozenset(self.root.packages).union(name for name, part in brought if part == ALL)

    @property
    def layers(self) -> tuple[tuple[str, str], ...]:
        """The parts of packages in the image, as (package, part), in build order."""
        return tuple(each for each in self._target_parts if self._has(*each))

    @property
    def left_out(self) -> tuple[tuple[str, str], ...]:
        """The parts of the image's packages that are not in it, as (package, part)."""
        return tuple(each for each in self._target_parts if not self._has(*each))

    @property
    def _target_parts(self) -> tuple[tuple[str, str], ...]:
        return tuple((n, part) for n in self.image for part in self.plans[n].target_parts)

    def _has(self, name: str, part: str) -> bool:
        """Return whether the image has a part: a need without a name brings all but programs."""
        if name in self.whole or (name, part) in self._brought:
            return True
        return part != PROGRAMS and (name, "") in self._brought

    @cached_property
    def _brought(self) -> frozenset[tuple[str, str]]:
        return frozenset(each for n in self.image for each in self.graph.edges[n].brought)

    @property
    def users(self) -> tuple[tuple[str, User], ...]:
        """The accounts of the image's packages.

        Accounts are for programs: of a package without these, the image has those that a
        permission of any package names.
        """
        owners = {name for _, p in self.permissions for name in (p.owner, p.group)}
        return tuple(
            (n, user)
            for n in self.image
            for user in self.packages[n].recipe.users
            if self._has(n, PROGRAMS) or user.name in owners
        )

    @property
    def permissions(self) -> tuple[tuple[str, Permission], ...]:
        """The owners and modes that the image's packages set."""
        return tuple((n, p) for n in self.image for p in self.packages[n].recipe.permissions)

    @property
    def unhardened(self) -> tuple[tuple[str, Unhardened], ...]:
        """Files that may lack defences, the root's exceptions first."""
        own = (("", exception) for exception in self.root.unhardened)
        recipes = ((n, e) for n in self.image for e in self.packages[n].recipe.unhardened)
        return (*own, *recipes)


class Resolver:
    """Determines a root's packages and their plans.

    Features with the choice `if-available` are decided by quard.sources.availability and passed
    as `decided`.

    strict -- only upstream's archives are accepted
    """

    def __init__(
        self, root: Root, catalog: Catalog, fragments: Fragments, *, strict: bool = False
    ) -> None:
        self._strict = strict
        self._graphs: dict[object, Graph] = {}
        self._root = root
        self._configuration = root.configuration
        self._catalog = catalog
        self._fragments = fragments
        check_names(root, catalog)
        check_fragments(fragments, catalog)

    def choices(self) -> dict[tuple[str, str], Choice]:
        """Return the features whose choice is `if-available`, with that choice."""
        return {key: c for key, c in self._configuration.features.items() if c == "if-available"}

    def graph(self, decided: Mapping[tuple[str, str], bool], extra: Iterable[str] = ()) -> Graph:
        """Return the graph of the root's packages and `extra` ones.

        Raises QuardError: unknown-package, dependency-cycle, and any error of reading a recipe.
        """
        asked = tuple(sorted(decided.items())), tuple(extra)
        if asked not in self._graphs:
            self._graphs[asked] = self._build((*self._root.packages, *asked[1]), decided)
        return self._graphs[asked]

    def _build(self, roots: tuple[str, ...], decided: Mapping[tuple[str, str], bool]) -> Graph:
        read: list[Package] = []

        def edges(name: str) -> Edges:
            package = self._package(name)
            read.append(self._catalog[name])
            return self._edges(package, decided)

        try:
            return build(roots, edges)
        except QuardError as error:
            if error.reason == "unknown-package":
                lint.require(read, self._catalog)  # which names the recipe
            raise

    def natives(
        self, decided: Mapping[tuple[str, str], bool], extra: Iterable[str] = ()
    ) -> frozenset[str]:
        """Return the packages for the build machine that builds call. Raises as `resolve` does."""
        graph = self.graph(decided, extra)
        callers = [name for name in graph.order if graph.edges[name].natives]
        lint.require((self._catalog[name] for name in callers), self._catalog)
        return frozenset(each for name in callers for each in graph.edges[name].natives)

    def resolve(
        self,
        decided: Mapping[tuple[str, str], bool],
        trees: Mapping[str, Tree],
        extra: Iterable[str] = (),
        natives: Natives | None = None,
    ) -> Resolved:
        """Return the root's packages with their plans. Raises QuardError as `graph` and lint.

        natives -- the packages for the build machine, if any of these packages needs one
        """
        graph = self.graph(decided, extra)
        lint.require((self._catalog[name] for name in graph.order), self._catalog)
        packages = {name: self._package(name) for name in graph.order}
        if self._configuration.native:
            natives = Natives(graph, {name: p.recipe for name, p in packages.items()})
        check_c_library(packages.values(), self._configuration.target)
        plans = {
            name: compose(
                name,
                package.recipe,
                configuration=self._configuration,
                features=self._features(package, decided),
                inputs=self._inputs(package, graph, trees.get(name), natives),
            )
            for name, package in packages.items()
        }
        check_parts(graph, plans, packages)
        return Resolved(
            root=self._root,
            graph=graph,
            image=graph.closure(self._root.packages),
            packages=packages,
            plans=plans,
        )

    def _package(self, name: str) -> Package:
        """Return a package with its recipe for this root."""
        found = self._catalog[name]
        if self._configuration.native:
            lint.require((found,), self._catalog)
            return for_build(found)
        return found

    def _inputs(
        self, package: Package, graph: Graph, tree: Tree | None, natives: Natives | None
    ) -> Inputs:
        name, native = package.name, self._configuration.native
        configured = isinstance(package.recipe, Kconfig)
        seen: tuple[str, ...] = ()
        if native and natives:
            seen = natives.seen_by(name)
        elif natives:
            seen = natives.seen(graph.edges[name].natives)
        return Inputs(
            patches=() if tree else package.patches(),
            files=package.files(),
            fragments=self._fragments.references(package.name) if configured else (),
            tree=tree.digest if tree else "",
            generate=tree is not None and not tree.configured,
            strict=self._strict,
            sysroot=() if native else graph.sysroot(name),
            linked=() if native else graph.linked(name),
            natives=seen,
        )

    def _features(
        self, package: Package, decided: Mapping[tuple[str, str], bool]
    ) -> dict[str, bool]:
        settled = {}
        for feature in package.recipe.features:
            key = (package.name, feature.name)
            choice = self._configuration.features.get(key)
            if choice == "if-available":
                settled[feature.name] = decided[key]
            else:
                settled[feature.name] = feature.default if choice is None else choice == "on"
        return settled

    def _edges(self, package: Package, decided: Mapping[tuple[str, str], bool]) -> Edges:
        recipe = package.recipe
        needs, runtime, natives = set(recipe.needs), set(recipe.runtime), set(recipe.natives)
        settled = self._features(package, decided)
        for feature in recipe.features:
            if settled[feature.name]:
                needs.update(feature.needs)
                runtime.update(feature.runtime)
                natives.update(feature.natives)
        if self._configuration.native:
            # A build may run whatever it sees of the build machine: all of it is a need.
            needs, natives = needs | natives, set()
        brought = {*map(parted, needs)}
        brought |= {(name, part or ALL) for name, part in map(parted, runtime)}
        # An image has the C library if its root lists it: static programs do without.
        library = self._configuration.target.package
        if library and compiles(recipe) and package.name != library:
            needs.add(library)
        return Edges(
            needs=packages(needs),
            exports=tuple(sorted({*packages(needs)}.intersection(recipe.exports))),
            natives=packages(natives),
            runtime=packages(runtime),
            brought=tuple(sorted(brought)),
        )
