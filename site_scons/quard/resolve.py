"""Board + catalog + settled features -> the packages of one build with their plans."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from quard import given, lint
from quard.board import Board, Choice
from quard.catalog import Catalog, Package, unknown
from quard.errors import QuardError
from quard.graph import Edges, Graph, build
from quard.model import DEPLOY, Kconfig, Permission, Unhardened, User
from quard.plan.compose import Inputs, compose
from quard.plan.plan import CopyStep, FileRef, Plan


@dataclass(frozen=True)
class Tree:
    """A local folder that is built in place of a recipe's archive.

    digest     -- over all that is in it
    configured -- it has a configure script, as releases do and developers' checkouts do not
    """

    folder: Path
    digest: str
    configured: bool


@dataclass(frozen=True)
class Resolved:
    """The packages of a board.

    graph  -- their order
    image  -- names that make up the image, in building order
    plans  -- by name
    """

    board: Board
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
    def users(self) -> tuple[tuple[str, User], ...]:
        """The accounts that the image's packages need."""
        return tuple((n, user) for n in self.image for user in self.packages[n].recipe.users)

    @property
    def permissions(self) -> tuple[tuple[str, Permission], ...]:
        """The owners and modes that the image's packages ask for."""
        return tuple((n, p) for n in self.image for p in self.packages[n].recipe.permissions)

    @property
    def unhardened(self) -> tuple[tuple[str, Unhardened], ...]:
        """What may go without defences, the board's own exceptions first."""
        own = (("", exception) for exception in self.board.unhardened)
        recipes = ((n, e) for n in self.image for e in self.packages[n].recipe.unhardened)
        return (*own, *recipes)


class Resolver:
    """Answers which packages a board has and what they look like.

    Features that the board wants only if available are settled elsewhere (quard.availability) and
    come in as `decided`.

    strict -- upstream's archives alone are accepted
    """

    def __init__(
        self, project: Path, board: Board, catalog: Catalog, *, strict: bool = False
    ) -> None:
        self._strict = strict
        self._project = project
        self._board = board
        self._catalog = catalog
        self._check_names()

    def choices(self) -> dict[tuple[str, str], Choice]:
        """Return the board's choice for each if-available feature of a package it can reach."""
        return {key: c for key, c in self._board.features.items() if c == "if-available"}

    def graph(self, decided: Mapping[tuple[str, str], bool], extra: Iterable[str] = ()) -> Graph:
        """Return the graph of the board's packages and `extra` ones.

        Raises QuardError: unknown-package, dependency-cycle, and all that a recipe can have wrong.
        """
        return build(
            (*self._board.packages, *extra), lambda name: self._edges(self._catalog[name], decided)
        )

    def resolve(
        self,
        decided: Mapping[tuple[str, str], bool],
        trees: Mapping[str, Tree],
        extra: Iterable[str] = (),
    ) -> Resolved:
        """Return the board's packages with plans. Raises QuardError as `graph` and lint do."""
        graph = self.graph(decided, extra)
        packages = {name: self._catalog[name] for name in graph.order}
        lint.require(packages.values(), self._catalog)
        plans = {
            name: compose(
                name,
                package.recipe,
                target=self._board.target,
                features=self._features(package, decided),
                cflags=self._board.cflags,
                hardening=self._board.hardening,
                inputs=self._inputs(package, graph, trees.get(name)),
            )
            for name, package in packages.items()
        }
        return Resolved(
            board=self._board,
            graph=graph,
            image=graph.closure(self._board.packages),
            packages=packages,
            plans=plans,
        )

    def _inputs(self, package: Package, graph: Graph, tree: Tree | None) -> Inputs:
        return Inputs(
            patches=() if tree else package.patches(),
            files=package.files(),
            fragments=self._fragments(package),
            tree=tree.digest if tree else "",
            generate=tree is not None and not tree.configured,
            strict=self._strict,
            sysroot=graph.sysroot(package.name),
            linked=graph.linked(package.name),
        )

    def _check_names(self) -> None:
        """Refuse a board that names a package or feature that does not exist."""
        for package, feature in self._board.features:
            known = tuple(f.name for f in self._catalog[package].recipe.features)
            if feature not in known:
                raise unknown(
                    "feature", feature, known, f"packages/{package}/recipe.py declares them"
                )
        for package in self._board.packages:
            self._catalog[package]
        self._check_fragments()

    def _check_fragments(self) -> None:
        """Refuse a fragment that no build would look at."""
        kept = self._project / kept_fragment(self._board, "*")
        found = dict.fromkeys(self._board.fragments, f"configs/{self._board.name}.toml")
        found |= {p.stem: kept_fragment(self._board, p.stem) for p in kept.parent.glob(kept.name)}
        for package, where in sorted(found.items()):
            if not isinstance(self._catalog[package].recipe, Kconfig):
                raise QuardError(
                    f"{where} has a configuration fragment for {package},"
                    " which Kconfig does not configure",
                    reason="bad-board",
                    hint="take it out; a recipe's features and arguments are what sets it up",
                )

    def _features(
        self, package: Package, decided: Mapping[tuple[str, str], bool]
    ) -> dict[str, bool]:
        settled = {}
        for feature in package.recipe.features:
            key = (package.name, feature.name)
            choice = self._board.features.get(key)
            if choice == "if-available":
                settled[feature.name] = decided[key]
            else:
                settled[feature.name] = feature.default if choice is None else choice == "on"
        return settled

    def _edges(self, package: Package, decided: Mapping[tuple[str, str], bool]) -> Edges:
        recipe = package.recipe
        needs, runtime = set(recipe.needs), set(recipe.runtime)
        settled = self._features(package, decided)
        for feature in recipe.features:
            if settled[feature.name]:
                needs.update(feature.needs)
                runtime.update(feature.runtime)
        return Edges(
            needs=tuple(sorted(needs)),
            exports=tuple(sorted(needs.intersection(recipe.exports))),
            runtime=tuple(sorted(runtime)),
        )

    def _fragments(self, package: Package) -> tuple[FileRef, ...]:
        if not isinstance(package.recipe, Kconfig):
            return ()
        return tuple(
            FileRef(inner, _hash(self._project / path, path))
            for inner, path in fragments(self._project, self._board, package.name).items()
        )


def fragments(project: Path, board: Board, package: str) -> dict[str, str]:
    """Return the board's fragments of a package, in the order in which they are laid over.

    They are the paths below the project by the name that a build has for each.
    """
    listed = board.fragments.get(package, ())
    found = {fragment_name(number, path): path for number, path in enumerate(listed)}
    kept = kept_fragment(board, package)
    if os.path.lexists(project / kept):
        found[kept_name(package)] = kept
    return found


def kept_fragment(board: Board, package: str) -> str:
    """Return the path, below the project, of what was edited in a package's configuration."""
    return f"configs/{board.name}/{package}.fragment"


def kept_name(package: str) -> str:
    """Return the name under which a build sees that."""
    return f"board-{package}.fragment"


def fragment_name(number: int, path: str) -> str:
    """Return the name under which a build sees one of the fragments that a board's file lists."""
    return f"board-{number}-{Path(path).name}"


def _hash(path: Path, shown: str) -> str:
    try:
        return sha256(given.content(path, given.TEXT)).hexdigest()
    except OSError as error:
        raise QuardError(
            f"the board's fragment {shown} cannot be read",
            detail=error.strerror or str(error),
            reason="bad-board",
            hint="put a file in its place that this user may read, or take it away",
        ) from error
