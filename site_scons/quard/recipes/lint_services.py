"""Checks of the services and the configuration files of a recipe."""

from __future__ import annotations

import re
from collections.abc import Iterator

from quard.base.names import NAME
from quard.installed import USER
from quard.model import Service
from quard.recipes.catalog import Catalog, Package
from quard.recipes.finding import Finding, finding, twice
from quard.recipes.lint_sources import is_inside

MODE = re.compile(r"0?[0-7]{3}\Z")
_LAST = 99


def services(package: Package, _: Catalog) -> Iterator[Finding]:
    """Yield the findings in `services` and `configs`."""
    recipe = package.recipe
    yield from twice(package, "services", tuple(each.name for each in recipe.services))
    yield from twice(package, "configs", tuple(each.path for each in recipe.configs))
    for service in recipe.services:
        for text in _service(service, package.beside):
            reason = "missing-file" if text.startswith("no file") else "bad-service"
            yield finding(package, f"service {service.name}", text, reason)
    for config in recipe.configs:
        field = f"config {config.file}"
        if config.file not in package.beside:
            yield finding(package, field, f"no file {config.file!r}", "missing-file")
        if not is_inside(config.path):
            text = f"{config.path!r} must be a path on the target, such as etc/x.conf"
            yield finding(package, field, text, "bad-path")
        if not MODE.match(config.mode):
            text = f"bad mode {config.mode!r}: three octal digits; `permissions` sets other bits"
            yield finding(package, field, text, "bad-mode")


def _service(service: Service, beside: tuple[str, ...]) -> Iterator[str]:
    if not NAME.match(service.name):
        yield "is not a valid name: use a-z, digits, + . and -"
    if not 0 <= service.start <= _LAST:
        yield f"start must be from 0 to {_LAST}, not {service.start}"
    if bool(service.script) == bool(service.run):
        yield "give either `script`, a file beside the recipe, or `run`, a program with arguments"
    elif service.script and service.script not in beside:
        yield f"no file {service.script!r}"
    elif service.run and not service.run[0].startswith("/"):
        yield f"run: {service.run[0]!r} must be the program's path, which begins with /"
    if service.script and service.user != "root":
        yield "user is for `run`; a script says itself as whom a program runs"
    elif not re.fullmatch(USER, service.user):
        yield f"user: {service.user!r} must be lower-case letters, digits, - and _"
