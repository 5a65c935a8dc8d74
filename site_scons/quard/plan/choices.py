"""Checks of names in boards and recipes, and of packages that exclude each other."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping

from quard.base.errors import QuardError
from quard.base.names import unknown
from quard.boards.fragments import Fragments
from quard.boards.native import NAME as BUILD
from quard.boards.root import Root
from quard.model import Kconfig, Recipe, ToolchainRuntime
from quard.plan.plan import Plan
from quard.recipes.catalog import Catalog, Package
from quard.recipes.graph import ALL, Graph
from quard.target import Target


def check_names(root: Root, catalog: Catalog) -> None:
    """Reject a package or feature that does not exist, and names that have two meanings."""
    if BUILD in catalog.known:
        raise QuardError(
            f"{catalog.shown(BUILD)} has the name that stands for the build machine",
            reason="bad-package-name",
            hint="give the package another name",
        )
    if root.name in catalog.known:
        raise QuardError(
            f"{root.file}: roots.{root.name} has the name of a package",
            reason="bad-board",
            hint="give the root another name",
        )
    for package, feature in root.configuration.features:
        where = root.configuration.where(f"features.{package}")
        found = _package(package, where, catalog)
        known = tuple(f.name for f in found.recipe.features)
        if feature not in known:
            error = unknown("feature", feature, known, f"{found.file} declares them")
            raise _placed(error, where)
    where = root.configuration.where("packages")
    for package in root.packages:
        _package(package, where, catalog)
    for package, override in sorted(root.configuration.overrides.items()):
        for key in override.said:
            _package(package, f"{override.file}: {key}.{package}", catalog)


def _package(name: str, where: str, catalog: Catalog) -> Package:
    try:
        return catalog[name]
    except QuardError as error:
        if error.reason == "unknown-package":
            _placed(error, where)
        raise


def _placed(error: QuardError, where: str) -> QuardError:
    """Return an error that also says where the board has an unknown name."""
    error.reword(f"{where}: {error.message}")
    return error


def check_c_library(packages: Iterable[Package], target: Target) -> None:
    """Reject packages that are for another C library than the target's."""
    wrong = [
        f"{package.name} is for {package.recipe.c_library}"
        for package in packages
        if package.recipe.c_library not in ("", target.c_library)
    ]
    if wrong:
        raise QuardError(
            f"{target.triple} has the C library {target.c_library},"
            " and packages are for another one",
            detail="\n".join(wrong),
            reason="wrong-c-library",
            hint="remove them from `packages` in the board's file, or choose another `target`; the"
            " C library itself is the package libc (glibc) or musl",
        )


def check_fragments(root: Root, fragments: Fragments, catalog: Catalog) -> None:
    """Reject a fragment that no build would use."""
    for package, file in sorted(fragments.packages.items()):
        listed = package in root.configuration.fragments
        where = root.configuration.where(f"fragments.{package}") if listed else file
        if not isinstance(_package(package, where, catalog).recipe, Kconfig):
            raise QuardError(
                f"{file} has a configuration fragment for {package},"
                " which Kconfig does not configure",
                reason="bad-board",
                hint="remove it; the recipe's features and arguments configure it",
            )


def check_parts(graph: Graph, plans: Mapping[str, Plan], packages: Mapping[str, Package]) -> None:
    """Reject a need that names a part which the package does not have."""
    for user, edges in graph.edges.items():
        for name, part in edges.brought:
            known = plans[name].target_parts
            if part not in ("", ALL, *known):
                raise unknown(
                    "part",
                    part,
                    known,
                    f"{packages[user].file} needs {name}:{part}; {packages[name].file}"
                    " names its parts",
                )


def check_image(root: Root, graph: Graph, image: Mapping[str, Recipe]) -> None:
    """Reject packages that exclude each other, and choices about what none of them has.

    image -- the recipes of the root's packages, by name
    Raises QuardError: packages-conflict, unknown-service, unknown-library.
    """
    _check_conflicts(root, graph, image)
    _check_services(root, image)
    _check_libraries(root, image)


def _check_conflicts(root: Root, graph: Graph, image: Mapping[str, Recipe]) -> None:
    """Raise an error that names all packages which exclude each other, and why each is there."""
    found = dict.fromkeys(_conflicts(image))
    if not found:
        return
    packages = {name for pair, _ in found for name in pair}
    brought = (_brought(name, root, graph) for name in sorted(packages))
    where = f"the root {root.name}" if root.name else f"the board {root.board}"
    raise QuardError(
        f"{where} has packages that exclude each other",
        detail="\n".join(
            (*(f"{one} and {other}: {why}" for (one, other), why in found), *filter(None, brought))
        ),
        reason="packages-conflict",
        hint=f"remove all but one of them from `packages` in {root.file}, or what needs them",
    )


def _check_services(root: Root, image: Mapping[str, Recipe]) -> None:
    """Reject a choice about a service that no package of the root has.

    One that comes with a feature may be left out whether the feature is on or off.
    """
    known = {service.name for recipe in image.values() for service in recipe.services}
    if known.issuperset(root.services):
        return
    lacking = _lacking(image, known)
    for name, wanted in root.services.items():
        if name in known or (name in lacking and not wanted):
            continue
        where = root.configuration.where("services")
        if name in lacking:
            package, feature = lacking[name]
            raise QuardError(
                f"{where}: {package} has the service {name!r} only with its feature {feature},"
                " which is off",
                reason="unknown-service",
                hint=f"set features.{package}.{feature} = true, or services.{name} = false",
            )
        names = sorted({*known, *lacking})
        error = unknown("service", name, names, "the packages of the root declare them")
        raise _placed(error, where)


def _lacking(image: Mapping[str, Recipe], known: Container[str]) -> dict[str, tuple[str, str]]:
    """Return the services that the root does not have, and (package, feature) that adds each."""
    from quard.recipes.whole import added  # noqa: PLC0415 - for few boards only

    return {
        service.name: (name, feature.name)
        for name, recipe in image.items()
        for feature in recipe.features
        for service in added(feature, "services")
        if service.name not in known
    }


def _check_libraries(root: Root, image: Mapping[str, Recipe]) -> None:
    """Reject a library of the root that no package of it has on demand."""
    known = sorted(
        name
        for recipe in image.values()
        if isinstance(recipe, ToolchainRuntime)
        for name in recipe.on_demand
    )
    for name in root.libraries:
        if name not in known:
            error = unknown("library", name, known, "recipes list them in `on_demand`")
            raise _placed(error, root.configuration.where("libraries"))


def _conflicts(image: Mapping[str, Recipe]) -> Iterator[tuple[tuple[str, str], str]]:
    """Yield pairs of packages, sorted by name, and why they exclude each other."""
    for name, recipe in sorted(image.items()):
        for word in recipe.conflicts:
            if word in recipe.provides:
                rivals = [o for o in sorted(image) if o != name and word in image[o].provides]
                why = f"each is the {word} of a system"
            else:
                rivals = [word] if word in image else []
                why = f"the recipe of {name} says so"
            for rival in rivals:
                yield (min(name, rival), max(name, rival)), why
    owners: dict[str, str] = {}
    for name, recipe in sorted(image.items()):
        for service in recipe.services:
            first = owners.setdefault(service.name, name)
            if first != name:
                yield (first, name), f"both have the service {service.name}"


def _brought(name: str, root: Root, graph: Graph) -> str:
    """Return which package of a root's list needs one that the list does not have."""
    if name in root.packages:
        return ""
    users = [user for user in graph.users(name) if user in root.packages]
    return f"{name} is needed by {', '.join(users)}"
