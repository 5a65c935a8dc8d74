"""The packages of a root with their plans, and what the image has of them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from quard.base.record import Record, record
from quard.boards.root import Root
from quard.model import DEPLOY, Permission, ToolchainRuntime, Unhardened, User
from quard.plan.kernel import Options
from quard.plan.plan import CopyStep, Plan
from quard.plan.services import Placed, placed
from quard.plan.unit import PROGRAMS
from quard.recipes.catalog import Package
from quard.recipes.graph import ALL, Graph


@record
class Resolved(Record):
    """The packages of a root.

    graph  -- their order
    image  -- names of the packages in the image, in build order
    options -- (package, kernel option that it relies on), also of roots with the same kernel
    plans  -- by name
    """

    root: Root
    graph: Graph
    image: tuple[str, ...]
    packages: Mapping[str, Package]
    plans: Mapping[str, Plan]
    options: Options = ()

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

    @cached_property
    def placed(self) -> tuple[Placed, ...]:
        """The files that recipes put into the image without a build.

        They come with the programs of a package. A named root has only those services that it
        names.
        """
        chosen, default = self.root.services, not self.root.name
        found: list[Placed] = []
        for name in self.image:
            package = self.packages[name]
            if (package.recipe.services or package.recipe.configs) and self._has(name, PROGRAMS):
                services = package.recipe.services
                enabled = {each.name: chosen.get(each.name, default) for each in services}
                found += placed(package, enabled)
        return tuple(found)

    @property
    def yields(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """The image's packages that leave paths to others, with the names of these."""
        found = ((n, self.packages[n].recipe.yields_to) for n in self.image)
        return tuple((n, others) for n, others in found if others)

    @property
    def on_demand(self) -> tuple[tuple[str, str], ...]:
        """Libraries that the image has only if it needs them, as (package, path)."""
        recipes = ((name, self.packages[name].recipe) for name in self.image)
        return tuple(
            (name, f"usr/lib/{library}")
            for name, recipe in recipes
            if isinstance(recipe, ToolchainRuntime)
            for library in recipe.on_demand
            if library not in self.root.libraries
        )
