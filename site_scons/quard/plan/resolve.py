"""Resolving a root: its packages and their plans, from the catalogue and decided features."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial

from quard.base.errors import QuardError
from quard.boards.configuration import Choice
from quard.boards.fragments import Fragments
from quard.boards.root import Root
from quard.model import KERNEL, Kconfig, KernelModule
from quard.plan.choices import (
    check_c_library,
    check_fragments,
    check_image,
    check_names,
    check_parts,
)
from quard.plan.compose import Inputs, compose
from quard.plan.edges import edges
from quard.plan.features import Decided, settled, with_features
from quard.plan.kernel import Options, of_recipe, relied
from quard.plan.natives import Natives, for_build, require_native
from quard.plan.plan import Plan
from quard.plan.resolved import Resolved
from quard.plan.source import Tree
from quard.recipes import checked
from quard.recipes.catalog import Catalog, Package
from quard.recipes.graph import Edges, Graph, build, parted

_ARCHIVES = Tree()


class Resolver:
    """Determines a root's packages and their plans.

    Features with the choice `if-available` are decided by quard.sources.availability and passed
    as `decided`.

    strict -- only upstream's archives are accepted
    own    -- for a named root: that of the board's own root
    relied -- returns the kernel options that something else than packages relies on, as
              (name for messages, option)
    """

    def __init__(
        self,
        root: Root,
        catalog: Catalog,
        fragments: Fragments,
        *,
        strict: bool = False,
        own: Resolver | None = None,
        relied: Callable[[], Options] = tuple,
    ) -> None:
        self._strict = strict
        self._own = own
        self._others = relied
        self._graphs: dict[object, Graph] = {}
        self._root = root
        self._configuration = root.configuration
        self._catalog = catalog
        self._fragments = fragments
        check_names(root, catalog)
        check_fragments(root, fragments, catalog)
        if root.configuration.overrides:
            from quard.recipes.overriding import check  # noqa: PLC0415 - few boards need it

            check(root.configuration.overrides, catalog)

    def settled(self, user: Package, needs: set[str], *, seen: bool) -> set[str]:
        """Return needs of a package with packages in place of roles, see Roles.settled."""
        known = self._catalog.known
        if needs <= known or known.issuperset(parted(need)[0] for need in needs):
            return needs
        from quard.plan.roles import Roles  # noqa: PLC0415 - few recipes name a role

        return Roles(self._root, self._catalog).settled(user, needs, seen=seen)

    def choices(self) -> dict[tuple[str, str], Choice]:
        """Return the features whose choice is `if-available`, with that choice."""
        return {key: c for key, c in self._configuration.features.items() if c == "if-available"}

    def graph(self, decided: Decided, extra: Iterable[str] = ()) -> Graph:
        """Return the graph of the root's packages and `extra` ones.

        Raises QuardError: unknown-package, dependency-cycle, and any error of reading a recipe.
        """
        asked = tuple(sorted(decided.items())), tuple(extra)
        if asked not in self._graphs:
            self._graphs[asked] = self._build((*self._root.packages, *asked[1]), decided)
        return self._graphs[asked]

    def _build(self, roots: tuple[str, ...], decided: Decided) -> Graph:
        read: list[Package] = []

        def found(name: str) -> Edges:
            package = self.package(name)
            read.append(self._catalog[name])
            edges = self._edges(package, decided)
            if self._configuration.native:
                self._require_natives(name, (*edges.needs, *edges.runtime))
            return edges

        try:
            return build(roots, found)
        except QuardError as error:
            if error.reason == "unknown-package":
                checked.require(read, self._catalog)  # which names the recipe
            raise

    def natives(self, decided: Decided, extra: Iterable[str] = ()) -> frozenset[str]:
        """Return the packages for the build machine that builds call. Raises as `resolve` does."""
        graph = self.graph(decided, extra)
        callers = [name for name in graph.order if graph.edges[name].natives]
        checked.require((self._catalog[name] for name in callers), self._catalog)
        for name in callers:
            self._require_natives(name, graph.edges[name].natives)
        return frozenset(each for name in callers for each in graph.edges[name].natives)

    def _require_natives(self, user: str, names: Iterable[str]) -> None:
        """Raise QuardError no-native for what a package needs for the build machine in vain."""
        for name in names:
            require_native(self._catalog[name], self._catalog[user])

    def resolve(
        self,
        decided: Decided,
        trees: Mapping[str, Tree],
        extra: Iterable[str] = (),
        natives: Natives | None = None,
        options: Options = (),
    ) -> Resolved:
        """Return the root's packages with their plans. Raises QuardError as `graph` and lint.

        natives -- the packages for the build machine, if any of these packages needs one
        options -- those that packages of other roots rely on in this root's kernel
        """
        graph = self.graph(decided, extra)
        checked.require((self._catalog[name] for name in graph.order), self._catalog)
        packages = {name: self.featured(name, decided) for name in graph.order}
        if self._configuration.native:
            natives = Natives(graph, {name: p.recipe for name, p in packages.items()})
        check_c_library(packages.values(), self._configuration.target)
        options = (*options, *self._options(decided))
        plans = {}
        for name, package in packages.items():
            inputs = self._inputs(package, graph, trees.get(name, _ARCHIVES), natives)
            if relied := self._relied(package, decided, options):
                inputs = replace(inputs, relied=relied)
            plans[name] = self._compose(package, decided, inputs)
        check_parts(graph, plans, packages)
        image = graph.closure(self._root.packages)
        if not self._configuration.native:
            recipes = {name: packages[name].recipe for name in image}
            check_image(self._root, graph, recipes)
        return Resolved(
            root=self._root,
            graph=graph,
            image=image,
            packages=packages,
            plans=plans,
            options=options,
        )

    def _compose(self, package: Package, decided: Decided, inputs: Inputs) -> Plan:
        return compose(
            package.name,
            package.recipe,
            configuration=self._configuration,
            features=self._features(package, decided),
            inputs=inputs,
        )

    def options(self, decided: Decided) -> Options:
        """Return the kernel options that the packages of the image rely on.

        Raises QuardError as `graph` and lint.
        """
        image = self.graph(decided).closure(self._root.packages)
        checked.require((self._catalog[name] for name in image), self._catalog)
        return self._options(decided)

    def _options(self, decided: Decided) -> Options:
        if self._configuration.native:
            return ()
        found = [*self._others()]
        for name in self.graph(decided).closure(self._root.packages):
            package = self._catalog[name]
            features = partial(self._features, package, decided)
            found += of_recipe(name, package.recipe, features, self._root.formats)
        return tuple(found)

    def has_kernel(self, decided: Decided) -> bool:
        """Return whether the root has a kernel of its own. Raises as `graph`.

        That is a package with the role of the kernel, unless it is there for modules alone.
        """
        image = self.graph(decided).closure(self._root.packages)
        recipes = [self._catalog[name].recipe for name in image]
        if any(isinstance(recipe, KernelModule) for recipe in recipes):
            return bool(self._kernel(decided))
        return any(KERNEL in recipe.provides for recipe in recipes)

    def _kernel(self, decided: Decided) -> str:
        """Return the package that is the root's own kernel, "" if there is none."""

        def found(name: str) -> Edges:
            package = self.package(name)
            module = isinstance(package.recipe, KernelModule)
            return Edges() if module else self._edges(package, decided)

        order = build(self._root.packages, found).order
        return next((n for n in order if KERNEL in self._catalog[n].recipe.provides), "")

    def _modules_kernel(self, package: Package, decided: Decided) -> tuple[str, ...]:
        """Return the kernel that a package needs, which is none unless it is a module of one."""
        if not isinstance(package.recipe, KernelModule) or self._configuration.native:
            return ()
        if found := self._kernel(decided) or (self._own and self._own._kernel(decided)):
            return (found,)
        raise QuardError(
            f"{package.name} is a module of the kernel, and the board has no kernel",
            reason="no-kernel",
            hint=f'add a package with provides=["{KERNEL}"], such as linux, to `packages` in'
            f" {self._root.file}",
        )

    def _relied(self, package: Package, decided: Decided, options: Options) -> tuple[str, ...]:
        """Return what packages add to the configuration of a package, if it is the kernel."""
        recipe = package.recipe
        if not options or KERNEL not in recipe.provides or not isinstance(recipe, Kconfig):
            return ()
        on = self._features(package, decided)
        lines = (line for f in recipe.features for line in (f.on if on[f.name] else f.off))
        above = {**self._fragments.texts(package.name), "the board's features": "\n".join(lines)}
        below = {f"{package.file}: {name}": package.text(name) for name in recipe.fragments}
        return relied(package.name, options, below, above)

    def package(self, name: str) -> Package:
        """Return a package with its recipe for this root."""
        found = self._catalog[name]
        if self._configuration.native:
            checked.require((found,), self._catalog)
            return for_build(found)
        if override := self._configuration.overrides.get(name):
            from quard.recipes.overriding import overridden  # noqa: PLC0415 - few boards need it

            return overridden(found, override, self._fragments.trees)
        return found

    def featured(self, name: str, decided: Decided) -> Package:
        """Return a package with what its features that are on add to its recipe."""
        return with_features(self.package(name), self._configuration, decided)

    def _inputs(
        self, package: Package, graph: Graph, tree: Tree, natives: Natives | None
    ) -> Inputs:
        name, native = package.name, self._configuration.native
        tree, configured = tree.for_recipe(package.recipe), isinstance(package.recipe, Kconfig)
        seen: tuple[str, ...] = ()
        if native and natives:
            seen = natives.seen_by(name)
        elif natives:
            seen = natives.seen(graph.edges[name].natives)
        return Inputs(
            patches=() if tree.digest else package.patches(),
            files=package.files(),
            fragments=self._fragments.references(package.name) if configured else (),
            tree=tree.digest,
            folders=tree.folders,
            whole=tree.whole,
            generate=bool(tree.digest) and not (tree.configured or tree.whole),
            strict=self._strict,
            sysroot=() if native else graph.sysroot(name),
            linked=() if native else graph.linked(name),
            exported=() if native else graph.exported(graph.edges[name].exports),
            devicetrees=package.devicetrees,
            natives=seen,
            beside=partial(_beside, package),
        )

    def _features(self, package: Package, decided: Decided) -> dict[str, bool]:
        return settled(package, self._configuration, decided)

    def _edges(self, package: Package, decided: Decided) -> Edges:
        return edges(
            package,
            self._features(package, decided),
            self._configuration,
            self.settled,
            self._modules_kernel(package, decided),
        )


def _beside(package: Package, file: str) -> tuple[str, str]:
    """Return the name in messages and the text of a file beside a recipe."""
    return f"{package.file.rpartition('/')[0]}/{file}", package.text(file)
