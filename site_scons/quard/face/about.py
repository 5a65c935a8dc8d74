"""Answers to questions about packages: text for people, JSON for programs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from quard import sites
from quard.base.errors import QuardError
from quard.boards.fragments import fragment_name
from quard.boards.native import NAME as BUILD
from quard.boards.trees import OWN
from quard.face.cli import Command
from quard.face.report import as_json
from quard.model import KERNEL, Folder, Recipe
from quard.plan.board import MANIFEST
from quard.plan.kconfig import kconfig_step
from quard.plan.plan import Plan
from quard.plan.resolved import Resolved
from quard.plan.source import TOP, archives
from quard.plan.unit import parted, qualified
from quard.recipes.catalog import Catalog, Package
from quard.recipes.placeholders import render, render_all


def answer(command: Command, roots: Mapping[str, Resolved], catalog: Catalog, images: Path) -> str:
    """Return the answer to list, info, depends or rdepends.

    roots  -- the board's, by name; a question about a package concerns one of them
    images -- the folder of the board's images
    """
    root, name = parted(command.names[0]) if command.names else ("", "")
    resolved = roots[root]
    match command.verb:
        case "list":
            found: Any = [_row(each, name) for each in roots.values() for name in each.image]
            text = _table(found)
        case "info":
            from quard.face.paths import contested  # noqa: PLC0415 - a build asks nothing

            found = _info(resolved, catalog, name)
            found |= contested(images / root / MANIFEST, name)
            if root == BUILD:  # the question alone makes it one of these packages
                users = _users(roots, root, name)
                found["on_board"] = any(parted(user)[0] != BUILD for user in users)
            text = "".join(f"{key}: {_text(value)}\n" for key, value in found.items())
        case "depends":
            _require(resolved, name)
            found = _depends(roots, root, name)
            text = "".join(f"{n}\n" for n in found)
        case "rdepends":
            _require(resolved, name)
            found = _users(roots, root, name)
            text = "".join(f"{n}\n" for n in found)
        case other:
            raise AssertionError(other)
    return as_json(found) if command.as_json else text


def _depends(roots: Mapping[str, Resolved], root: str, name: str) -> list[str]:
    """Return what a package needs, those for the build machine first."""
    graph = roots[root].graph
    own = graph.closure((name,))
    called = {native for each in own for native in graph.edges[each].natives}
    natives = roots[BUILD].graph.closure(called) if called else ()
    found = [qualified(BUILD, each) for each in natives]
    return found + [qualified(root, each) for each in own if each != name]


def _users(roots: Mapping[str, Resolved], root: str, name: str) -> list[str]:
    """Return what needs a package, in all roots if it is one for the build machine."""
    users = roots[root].graph.users(name)
    found = [qualified(root, each) for each in users]
    if root != BUILD:
        return found
    called = {name, *users}
    for folder, resolved in roots.items():
        graph = resolved.graph
        callers = [each for each in graph.order if called.intersection(graph.edges[each].natives)]
        above = {user for each in callers for user in (each, *graph.users(each))}
        found += [qualified(folder, each) for each in graph.order if each in above]
    return found


def _row(resolved: Resolved, name: str) -> dict[str, str]:
    recipe = resolved.packages[name].recipe
    return {
        "name": qualified(resolved.root.name, name),
        "version": recipe.version,
        "license": recipe.license,
        "summary": recipe.summary,
        "tree": resolved.packages[name].tree or OWN,
    }


def _info(resolved: Resolved, catalog: Catalog, name: str) -> dict[str, Any]:
    package = resolved.packages.get(name) or catalog[name]
    recipe = package.recipe
    override = resolved.root.configuration.overrides.get(name)
    plan = resolved.plans.get(name)
    edges = resolved.graph.edges[name] if plan else None
    native = resolved.root.name == BUILD
    return {
        "name": qualified(resolved.root.name, name),
        "version": recipe.version,
        "summary": recipe.summary,
        "license": recipe.license,
        "homepage": recipe.homepage,
        "tree": package.tree or OWN,
        "recipe": package.file,
        "changed_by": f"{override.file}: {' '.join(override.said)}" if override else "",
        "on_board": plan is not None,
        "image": [] if native else [part for each, part in resolved.layers if each == name],
        **_sources(recipe, name, catalog.shown(name), catalog.sites),
        "patches": _patches(package),
        **_kconfig(resolved, package, plan),
        "needs": list(edges.needs if edges else sorted(recipe.needs)),
        "natives": list(edges.natives if edges else sorted(recipe.natives)),
        "runtime": list(edges.runtime if edges else sorted(recipe.runtime)),
        "fixes": list(recipe.fixes),
        **_kernel(resolved, name, recipe),
        "services": {
            each.name: any(placed.path == each.path for placed in resolved.placed)
            for each in recipe.services
        },
        "configs": sorted(f"/{config.path}" for config in recipe.configs),
        "provides": sorted(recipe.provides),
        "conflicts": sorted(recipe.conflicts),
        "yields_to": list(recipe.yields_to),
        "features": {
            f.name: (dict(plan.features)[f.name] if plan else f.default) for f in recipe.features
        },
        "plan": plan.identity if plan else "",
    }


def _kernel(resolved: Resolved, name: str, recipe: Recipe) -> dict[str, list[str]]:
    """Return the kernel options of a package, or those that packages rely on in a kernel."""
    options = [option for package, option in resolved.options if package == name]
    wanted = resolved.options if KERNEL in recipe.provides else ()
    return {
        "kernel": options or list(recipe.kernel),
        "relied_on": [f"{option} (by {package})" for package, option in wanted],
    }


def _sources(recipe: Recipe, name: str, folder: str, trees: sites.Sites) -> dict[str, Any]:
    """Return what a recipe says about its sources; `folder` is its own, for messages.

    trees -- the sites of product trees
    """
    own = [(one.into, one.path) for one in recipe.sources if isinstance(one, Folder)]
    folders = [f"{folder}/{path}" for into, path in own if into == TOP]
    sources = archives(recipe)
    source = next((one for one in sources if one.into == TOP), None)
    values = {"name": name, "version": recipe.version}
    written = render_all((source.address, *source.mirrors) if source else (), values)
    others = source.alternates if source else ()
    return {
        "source": [*folders, *(url for address in written for url in sites.expand(address, trees))],
        "sha256": source.sha256 if source else "",
        "alternates": [f"{render(one.address, values)} (sha256 {one.sha256})" for one in others],
        "provenance": source.provenance if source else "",
        "further_sources": [
            f"{one.into}: {render(one.address, values)} (sha256 {one.sha256})"
            for one in sources
            if one.into != TOP
        ]
        + [f"{into}: {folder}/{path}" for into, path in own if into != TOP],
    }


def _patches(package: Package) -> list[str]:
    """Return the patches in their order; those of the board by the names of their files."""
    places = package.board_files
    return [places.get(each.name, each.name) for each in package.patches()]


def _kconfig(resolved: Resolved, package: Package, plan: Plan | None) -> dict[str, Any]:
    """Return what the configuration of a Kconfig package is made from."""
    step = kconfig_step(plan) if plan else None
    if step is None:
        return {}
    listed = resolved.root.configuration.fragments.get(package.name, ())
    places = {fragment_name(number, place): place for number, place in enumerate(listed)}
    return {
        "base": step.base,
        "fragments": [places.get(name, name) for name in step.fragments],
        "devicetrees": [package.board_files.get(each, each) for each in package.devicetrees],
    }


def _require(resolved: Resolved, name: str) -> None:
    """Raise QuardError not-on-board for a package that a root does not have."""
    if name not in resolved.plans:
        root = resolved.root
        raise QuardError(
            f"{qualified(root.name, name)} is not on the board {root.board}",
            reason="not-on-board",
            hint="./scons list shows the board's packages",
        )


def _table(rows: list[dict[str, str]]) -> str:
    if not rows:
        return ""
    keys = ["name", "version", "tree"]
    if all(row["tree"] == OWN for row in rows):
        keys.remove("tree")
    widths = {key: max(len(row[key]) for row in rows) for key in keys}
    return "".join(
        "  ".join((*(f"{row[key]:{widths[key]}}" for key in keys), f"{row['summary']}\n"))
        for row in rows
    )


def _text(value: Any) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case list():
            return " ".join(value) or "-"
        case dict():
            return " ".join(f"{k}={'on' if v else 'off'}" for k, v in value.items()) or "-"
    return str(value) or "-"
