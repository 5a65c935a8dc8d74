"""Checks of a recipe beyond its syntax; each finding names the field and the fix."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

from quard.base.names import near, nearest
from quard.base.placeholders import PLACEHOLDERS
from quard.hardening import CHECKED
from quard.installed import USER
from quard.model import (
    Custom,
    Folder,
    Install,
    Kconfig,
    Recipe,
    Run,
    Step,
    Symlink,
    Template,
    ToolchainRuntime,
)
from quard.recipes.catalog import RECIPE, Catalog, Package
from quard.recipes.finding import Finding, finding, twice
from quard.recipes.lint_adds import adds
from quard.recipes.lint_for_build import for_build
from quard.recipes.lint_kernel import kernel
from quard.recipes.lint_names import names
from quard.recipes.lint_permissions import permissions
from quard.recipes.lint_promises import promises
from quard.recipes.lint_services import services
from quard.recipes.lint_sources import is_inside, sources
from quard.recipes.placeholders import unknown_words

_SHORT, _ALIKE_SHORT, _ALIKE = 3, 0.6, 0.7
"""Letters of a short name of a licence; the least similarity of its suggestion, and of others."""
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+~_-]*\Z")


def lint(package: Package, catalog: Catalog) -> tuple[Finding, ...]:
    """Return the findings in one recipe, in the order of its fields."""
    found: list[Finding] = []
    first = (_texts, _hardening, sources, names, services, kernel, promises)
    checks = (*first, _features, _taken, for_build, _files, permissions, _places, _placeholders)
    for check in checks:
        found.extend(check(package, catalog))
    return (*found, *adds(package, catalog, checks, found))


def _texts(package: Package, _: Catalog) -> Iterator[Finding]:
    recipe = package.recipe
    if not recipe.summary or "\n" in recipe.summary or len(recipe.summary) > 80:
        yield finding(package, "summary", "one line of 1 to 80 characters", "bad-summary")
    if not recipe.version:
        yield finding(package, "version", "is empty", "missing-version")
    elif not _VERSION.match(recipe.version):
        text = f"must be letters, digits and . + ~ _ -, not {recipe.version!r}"
        yield finding(package, "version", text, "bad-version")
    if fault := _license_fault(recipe.license):
        yield finding(package, "license", fault, "bad-license")
    fetched = [one for one in recipe.sources if not isinstance(one, Folder)]
    if fetched and not recipe.license_files:
        yield finding(
            package, "license_files", "name the licence's file in the source", "missing-license"
        )


def _license_fault(license: str) -> str:
    """Return what is wrong with a licence; "" for an SPDX expression in its usual spelling."""
    from packaging.licenses import (  # noqa: PLC0415 - a build without a new recipe needs no list
        InvalidLicenseExpression,
        canonicalize_license_expression,
    )

    try:
        usual = canonicalize_license_expression(license)
    except InvalidLicenseExpression:
        return _unknown_license(license) or "must be an SPDX expression"
    return "" if usual == license else f"must be written {usual!r}"


def _unknown_license(license: str) -> str:
    """Return a text about the first word of a licence that SPDX does not have; "" if there is none.

    A suggestion begins with the same letter: other names that resemble a short one are chance.
    """
    from packaging.licenses._spdx import EXCEPTIONS, LICENSES  # noqa: PLC0415 - likewise

    before = ""
    for word in re.findall(r"[^\s()]+", license):
        kind, known = ("exception", EXCEPTIONS) if before == "with" else ("licence", LICENSES)
        before = word.lower()
        if before in ("and", "or", "with") or before.startswith("licenseref-"):
            continue
        if before.removesuffix("+") not in known:
            begun = [one["id"] for name, one in known.items() if name[0] == before[0]]
            found = nearest(word, begun, alike=_ALIKE if len(word) > _SHORT else _ALIKE_SHORT)
            hint = f"; did you mean {found[0]!r}?" if found else ""
            return f"SPDX has no {kind} {word!r}{hint}"
    return ""


def _hardening(package: Package, _: Catalog) -> Iterator[Finding]:
    recipe = package.recipe
    reasons = [("freestanding", recipe.freestanding)] if recipe.freestanding else []
    for exception in recipe.unhardened:
        reasons.append(("unhardened", exception.reason))
        if not exception.path.startswith("/"):
            text = f"{exception.path!r} must begin with /"
            yield finding(package, "unhardened", text, "bad-path")
        unknown_words = sorted({*exception.lacks} - {*CHECKED})
        if unknown_words or not exception.lacks:
            text = f"lacks: some of {', '.join(CHECKED)}, not {', '.join(unknown_words) or 'none'}"
            yield finding(package, "unhardened", text, "bad-defence")
    for field, reason in reasons:
        if not reason.strip() or "\n" in reason or len(reason) > 80:
            text = "give the reason in one line of 1 to 80 characters"
            yield finding(package, field, text, "bad-reason")


def _features(package: Package, _: Catalog) -> Iterator[Finding]:
    recipe = package.recipe
    names = [feature.name for feature in recipe.features]
    if len(set(names)) < len(names):
        yield finding(package, "features", "a name is used twice", "feature-twice")
    for feature in recipe.features:
        if not re.fullmatch(r"[a-z][a-z0-9-]*", feature.name):
            yield finding(package, f"feature {feature.name!r}", "bad name", "bad-feature-name")
        if not (feature.on or feature.off or feature.runtime or feature.kernel or feature.adds):
            yield finding(
                package, f"feature {feature.name}", "spell out both branches", "feature-empty"
            )
    if (
        recipe.features
        and isinstance(recipe, Custom)
        and not (recipe.configure and isinstance(recipe.configure[0], Run))
    ):
        yield finding(
            package, "configure", "features need a configure command first", "feature-unused"
        )
    if recipe.features and isinstance(recipe, ToolchainRuntime):
        yield finding(package, "features", "have no meaning here", "feature-unused")


def _taken(package: Package, _: Catalog) -> Iterator[Finding]:
    """Check what a package takes from the toolchain."""
    recipe = package.recipe
    if not isinstance(recipe, ToolchainRuntime):
        return
    if not (recipe.libraries or recipe.headers):
        yield finding(package, "libraries", "name `libraries` or `headers`", "nothing-taken")
    if recipe.on_demand and not recipe.libraries:
        text = "has no meaning without `libraries`"
        yield finding(package, "on_demand", text, "nothing-taken")
    for name in sorted({*recipe.libraries} & {*recipe.on_demand}):
        yield finding(package, "on_demand", f"{name!r} is in `libraries`", "named-twice")
    fields = {
        "libraries": recipe.libraries,
        "on_demand": recipe.on_demand,
        "headers": recipe.headers,
    }
    for field, listed in fields.items():
        yield from twice(package, field, listed)
        for name in listed:
            if "/" in name or name in ("", ".", ".."):
                text = f"{name!r} must be a name without a folder"
                yield finding(package, field, text, "bad-path")


def _files(package: Package, _: Catalog) -> Iterator[Finding]:
    recipe = package.recipe
    names = package.beside
    if isinstance(recipe, Kconfig):
        for fragment in recipe.fragments:
            if fragment not in names:
                yield finding(package, "fragments", f"no file {fragment!r}", "missing-file")
    for field, step in _steps(recipe):
        if isinstance(step, Install) and isinstance(step.source, Template):
            file = step.source.file
            if file not in names or file in (RECIPE, *package.placed) or file.endswith(".patch"):
                text = f"no file {file!r} that builds see is beside the recipe"
                yield finding(package, field, text, "missing-file")
    for field, text in _strings(recipe):
        for name in re.findall(r"\{files\}/([^/\s]+)", text):
            if name not in names:
                yield finding(package, field, f"no file {name!r}", "missing-file")
            elif name in package.placed:
                hidden = f"{name!r} is in `services` or `configs`: no build sees it"
                yield finding(package, field, hidden, "missing-file")


def _places(package: Package, _: Catalog) -> Iterator[Finding]:
    for path in package.recipe.license_files:
        if not is_inside(path):
            text = f"{path!r} must be a path in the source, such as COPYING"
            yield finding(package, "license_files", text, "bad-path")
    for field, path in _staged(package.recipe):
        if not is_inside(path):
            text = f"{path!r} must be a path below the staging folder, such as usr/bin/x"
            yield finding(package, field, text, "bad-path")
    for field, step in _steps(package.recipe):
        if isinstance(step, Run) and not step:
            yield finding(package, field, "Run() has no command", "empty-command")
    for user in package.recipe.users:
        if not re.fullmatch(USER, user.name):
            text = f"{user.name!r} must be lower-case letters, digits, - and _"
            yield finding(package, "users", text, "bad-user")
        if not 0 < user.uid < 65534:
            yield finding(package, "users", f"{user.name}: uid must be from 1 to 65533", "bad-uid")


def _steps(recipe: Recipe) -> Iterator[tuple[str, Step]]:
    """Yield each step and the name of its field."""
    values = _values(recipe)
    values += [(f"for_build.{name}", value) for name, value in recipe.for_build or ()]
    for name, value in values:
        for part in value if isinstance(value, tuple) else ():
            if isinstance(part, Step):
                yield name, part


def _staged(recipe: Recipe) -> Iterator[tuple[str, str]]:
    """Yield the paths below the staging folder that steps create, with the name of the field."""
    for field, step in _steps(recipe):
        if isinstance(step, Install):
            yield field, step.destination
        elif isinstance(step, Symlink):
            yield field, step.path


def _placeholders(package: Package, _: Catalog) -> Iterator[Finding]:
    for field, text in _strings(package.recipe):
        for word in unknown_words(text):
            said = f"unknown placeholder {{{word}}}{near(word, PLACEHOLDERS)}"
            yield finding(package, field, said, "unknown-placeholder")


@cache
def _names(kind: Any) -> tuple[str, ...]:
    """Return the names of a class's fields; `dataclasses.fields` collects them each time."""
    return tuple(each.name for each in fields(kind))


def _values(value: Any) -> list[tuple[str, Any]]:
    """Return the fields of a dataclass's instance."""
    kind: Any = type(value)
    return [(name, getattr(value, name)) for name in _names(kind)]


def _strings(recipe: Recipe) -> Iterator[tuple[str, str]]:
    """Yield the recipe's texts that contain a brace, with the name of the field."""
    for name, value in _values(recipe):
        if value:
            yield from _within(name, value)


def _within(field: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        if "{" in value:
            yield field, value
    elif isinstance(value, tuple):
        for part in value:
            yield from _within(field, part)
    elif is_dataclass(value) and not isinstance(value, type):
        for _, part in _values(value):
            if part:
                yield from _within(field, part)
