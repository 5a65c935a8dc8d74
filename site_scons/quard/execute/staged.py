"""Handling staged files: check them, split them, put the parts into a store, write the record."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from quard.base.errors import QuardError, together
from quard.base.placeholders import NATIVE
from quard.base.plain import one_line
from quard.execute import exported, native
from quard.execute.builder import Build
from quard.execute.job import Job
from quard.execute.place import JobPlace
from quard.parts import split
from quard.parts.expected import missing
from quard.parts.interface import interface
from quard.parts.relocate import BuildOrigin
from quard.parts.strip import Toolkit
from quard.plan.plan import Plan
from quard.store import blob
from quard.store.local import Store
from quard.store.stores import Stores
from quard.target import ElfAbi


def _prefix(plan: Plan) -> tuple[str, ...]:
    """Return the path of packages for the build machine where a build may learn it from them."""
    return (NATIVE,) if plan.natives else ()


def keep(
    build: Build,
    job: Job,
    place: JobPlace,
    stores: Stores,
    origins: Callable[[Build], dict[str, Any]],
    *,
    local: bool,
) -> dict[str, Any]:
    """Split the staging folder, put its parts into a store, and return the package's record.

    Everything else for the record is found before the parts are stored: if somebody empties the
    store, it loses what has no record yet.

    stores  -- have the inputs of the job, and get the parts
    origins -- returns the part of the record that says where the remaining files come from
    local   -- the result can be used in this checkout only
    Raises QuardError for all errors in the staging folder, and the errors of `split` and `pack`;
    LostResult.
    """
    plan, stage = build.plan, build.work.stage
    parts = _split(build, job.abi)
    for line in parts.notes:
        build.note(f"split: {line}")
    _refuse(plan, parts, exported.unseen(job, place, build.work, parts.dev, stores))
    found = {"interface": interface(stage, parts.dev), **origins(build)}
    blobs = _pack(plan, stage, parts, stores.home(local=local), place.log)
    return {
        "name": plan.name,
        "version": plan.version,
        "plan": plan.identity,
        "local": local,
        "blobs": blobs,
        "licenses": dict(build.licenses),
        **found,
    }


def _split(build: Build, abi: ElfAbi) -> split.Parts:
    plan, stage, toolchain = build.plan, build.work.stage, build.toolchain
    inside = build.sandbox.inside
    if plan.native:
        native.close_stage(stage, f"{plan.name} {plan.version}")
    return split.split(
        stage,
        debug=build.work.root / "debug",
        tools=Toolkit(
            objcopy=toolchain.start("objcopy"),
            strip=toolchain.start("strip"),
            ranlib=toolchain.start("ranlib"),
            abi=abi,
            native=f"{inside}/native" if plan.native else "",
        ),
        drop=plan.drop,
        named=dict(plan.parts),
        markers=native.markers(inside) if plan.native else (inside, *_prefix(plan)),
        origin=BuildOrigin(inside, f"{plan.name}-{plan.version}", plan.native),
    )


def _pack(plan: Plan, stage: Path, parts: split.Parts, store: Store, log: Path) -> dict[str, str]:
    """Put the parts and the log into a store; return part -> digest."""
    contents = {
        **{name: (stage, paths) for name, paths in parts.of_target.items()},
        "dev": (stage, parts.dev),
        "debug": (parts.debug, blob.walk(parts.debug)),
    }
    if plan.deploys:
        contents["deploy"] = (stage / split.DEPLOY, parts.deploy)
    blobs = {}
    with store.scratch() as scratch:
        for part, (root, paths) in sorted(contents.items()):
            blob.pack(root, paths, scratch / part)
            blobs[part] = store.add(scratch / part)
        copy = scratch / "log"
        shutil.copyfile(log, copy)
        blobs["log"] = store.add(copy)
    return blobs


def _absent(plan: Plan, parts: split.Parts) -> Iterator[QuardError]:
    """Yield an error if nothing is installed, or not all that the recipe expects."""
    if parts.target or parts.dev or parts.deploy:
        beside = (f"{split.DEPLOY}/{path}" for path in parts.deploy)
        yield from missing({*parts.target, *parts.dev, *beside}, plan.expects)
        return
    yield QuardError(
        "nothing is installed",
        detail="every step succeeded, and the staging folder has no file for the target, "
        "for dependants or for the images",
        reason="nothing-installed",
        hint="check in the log what the install step does with DESTDIR, and install in "
        "`finish` what it leaves out",
    )


def _refuse(plan: Plan, parts: split.Parts, unseen: Iterable[QuardError]) -> None:
    """Raise QuardError for all errors in the files that a package installs."""
    found = [*parts.wrong, *_absent(plan, parts), *unseen]
    if parts.deploy and not plan.deploys:
        found.append(
            QuardError(
                "files in boot/ that the recipe does not name",
                detail="\n".join(map(one_line, parts.deploy)),
                reason="deploy-unnamed",
                hint='name each with Install("...", "boot/..."), so that the images depend on it',
            )
        )
    if parts.leaks:
        found.append(
            QuardError(
                "installed files contain paths of the build's folders",
                detail="\n".join(one_line(f"{leak.path}: {leak.text}") for leak in parts.leaks),
                reason="path-leak",
                hint="patch the files in the recipe's `finish` steps, or drop them",
            )
        )
    if found:
        name = f"{plan.name} {plan.version}"
        one = together(f"what {name} installs", found)
        message = f"{name}: {one.message}" if len(found) == 1 else one.message
        raise QuardError(message, detail=one.detail, reason=one.reason, hint=one.hint)
