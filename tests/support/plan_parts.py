"""Contexts and recipes for the tests of plans."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from quard.boards.configuration import BoardToolchain, Configuration
from quard.boards.targets import target
from quard.hardening import Hardening
from quard.model import Feature, Recipe, Source
from quard.plan.compose import Inputs, compose
from quard.plan.context import Context
from quard.plan.image import RootfsPlan
from quard.plan.plan import Plan

RISCV = target("riscv64-linux-gnu")
SHA = "0123456789abcdef" * 4
COMMON: dict[str, Any] = {
    "summary": "A thing",
    "version": "1.2",
    "license": "MIT",
    "license_files": ("COPYING",),
    "sources": (Source("https://example.org/x", sha256=SHA, provenance="us"),),
}
FAST = Feature("fast", "speed", on=("--fast={version}", "--really"), off=("--slow",))
SMALL = Feature("small", "size", on=("--small",), off=("--large={triple}",))


def configuration(hardening: Hardening | None = None, name: str = "one") -> Configuration:
    return Configuration(
        name=name,
        folder=name.partition("/")[2],
        target=RISCV,
        toolchain=BoardToolchain(prefix="riscv64-linux-gnu-", folder=""),
        cflags="-O2",
        hardening=hardening or Hardening(),
        features={},
        fragments={},
    )


def context(
    recipe: Recipe, features: Mapping[str, bool] | None = None, fragments: tuple[str, ...] = ()
) -> Context:
    return Context(
        name="thing",
        recipe=recipe,
        target=RISCV,
        features=features or {},
        cflags="-O2",
        fragments=fragments,
    )


def plan(
    recipe: Recipe,
    features: Mapping[str, bool] | None = None,
    inputs: Inputs | None = None,
    hardening: Hardening | None = None,
) -> Plan:
    return compose(
        "thing",
        recipe,
        configuration=configuration(hardening),
        features=features or {},
        inputs=inputs or Inputs(),
    )


def rootfs(**changes: Any) -> RootfsPlan:
    """Return the plan of a root file system that has only the files of its packages.

    changes -- fields that differ from that
    """
    plain = RootfsPlan(
        target=(RISCV.triple,),
        system="1" * 64,
        overlays=(),
        users=(),
        permissions=(),
        hardening=(),
        unhardened=(),
        files=(),
        yields=(),
        on_demand=(),
        hostname="box",
        root_password="*",
        authorized_keys=(),
        release=(("ID", "x"),),
        persistent=None,
    )
    return dataclasses.replace(plain, **changes)
