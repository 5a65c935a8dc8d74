"""What a build would do now, found without building: for `./scons why`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from quard.base import canonical
from quard.ledger import why
from quard.ledger.results import as_before, depends, look, made_from, read
from quard.plan import source
from quard.plan.resolve import Resolved
from quard.project.images import DATA, ROOTFS, Images
from quard.project.workshop import Workshop

Action = Literal["none", "restore", "build", "maybe", "make"]


@dataclass(frozen=True)
class Expected:
    """What would happen to a package or to an image file.

    action -- none; restore: it comes out of the store; build, or make for an image file; maybe:
              that hangs on what a package is like that has to be built first
    why    -- what changed; for `maybe`, what it hangs on
    archive -- of a package, for `none` and `restore`: what its result is made from, with file name,
               sha256 and the recipe's address; a build takes the first one that is available
    """

    name: str
    action: Action
    why: tuple[str, ...] = ()
    archive: Mapping[str, str] | None = None


@dataclass(frozen=True)
class _Known:
    """What is known of a package's result before the build: nothing if it must be built."""

    interface: str
    parts: Mapping[str, str]


class Forecast:
    """Looks ahead over one board.

    unfinished -- result files that a build which was cut off had begun to make
    signed     -- whether SCons still knows what it made; if not, all is fetched from the store
    forced     -- packages that are built even if nothing has changed
    """

    def __init__(
        self,
        workshop: Workshop,
        resolved: Resolved,
        unfinished: frozenset[Path],
        *,
        signed: bool,
        forced: frozenset[str] = frozenset(),
    ) -> None:
        self._forced = forced
        self._workshop = workshop
        self._outputs = workshop.outputs
        self._resolved = resolved
        self._unfinished = unfinished
        self._signed = signed
        self._known: dict[str, _Known | None] = {}

    def packages(self, names: Iterable[str]) -> tuple[Expected, ...]:
        """Return what would happen to packages; `names` come in building order."""
        return tuple(self._package(name) for name in names)

    def images(self, images: Images) -> tuple[Expected, ...]:
        """Return what would happen to the image files, once `packages` has seen the packages."""
        made, now = images.made(), images.inputs()
        found = []
        for name in images.deploying():
            for path in images.deployed(name):
                parts = {name: self._part(name, "deploy")}
                found.append(self._image(path, {}, made.get(path.name), parts))
        parts = {name: self._part(name, "runtime") for name in self._resolved.image}
        rootfs = self._image(images.folder / ROOTFS, now[ROOTFS], made.get(ROOTFS), parts)
        found.append(rootfs)
        for name in sorted(now.keys() - {ROOTFS}):
            expected = self._image(images.folder / name, now[name], made.get(name), {})
            if (
                expected.action == "none"
                and rootfs.action != "none"
                and name not in (DATA, "run.sh")
            ):
                expected = Expected(name, "maybe", (f"if {ROOTFS} changes",))
            found.append(expected)
        return tuple(sorted(found, key=lambda expected: expected.name))

    def _package(self, name: str) -> Expected:
        plan = self._resolved.plans[name]
        needs = (*plan.needs, *plan.links)
        before = made_from(self._outputs.results(name))
        old = before["interfaces"] if before else {}
        known = {need: self._known[need] for need in needs}
        unsure = tuple(need for need in needs if known[need] is None)
        # Until it is built, a package's interface is taken to stay what it was.
        interfaces = {n: k.interface if k else old.get(n, "") for n, k in known.items()}
        sealed = bool(before and before["sealed"])
        archives = plan.archives
        now = depends(
            plan,
            self._workshop.toolchain.fingerprint,
            archive=archives[0],
            sealed=sealed or self._workshop.seals,
            interfaces=interfaces,
        )
        now = {**as_before(now, before, archives)}
        reasons = why.reasons(before, now, self._outputs.difference)
        if name in self._forced:
            self._known[name] = None
            return Expected(name, "build", reasons or why.FORCED)
        if unsure:
            self._known[name] = None
            hangs = tuple(f"if the interface of {need} changes" for need in unsure)
            return Expected(name, "build", reasons) if reasons else Expected(name, "maybe", hangs)
        if not reasons and self._whole(name, plan.deploys):
            self._known[name] = self._current(name, plan.deploys)
            return Expected(name, "none", archive=self._archive(name, self._outputs.archive(name)))
        record = self._outputs.stored({**now, "sealed": self._workshop.seals}, archives)
        if record is not None:
            interface = canonical.digest(record["interface"])
            self._known[name] = _Known(interface, record["blobs"])
            archive = self._archive(name, record.get("archive"))
            return Expected(name, "restore", reasons, archive)
        self._known[name] = None
        return Expected(name, "build", reasons or ("its result was gone",))

    def _archive(self, name: str, found: Mapping[str, str] | None) -> Mapping[str, str] | None:
        """Return an archive as a record names it, with its address in the recipe."""
        request = source.request(name, self._resolved.packages[name].recipe)
        variant = request.variant(found["sha256"]) if request and found else None
        return {**found, "address": variant.addresses[0]} if found and variant else found

    def _whole(self, name: str, deploys: bool) -> bool:
        """Tell whether SCons would take the result files as they are."""
        targets = self._outputs.results(name).targets(deploys)
        there = all(path.exists() for path in targets) and not any(self._outputs.lost(name))
        whole = there and look(targets[0], "digest") is not None
        return self._signed and whole and self._unfinished.isdisjoint(targets)

    def _current(self, name: str, deploys: bool) -> _Known:
        parts = {"runtime": self._outputs.runtime_digest(name)}
        if deploys:
            parts["deploy"] = self._outputs.deploy_digest(name)
        return _Known(read(self._outputs.results(name).interface, "digest"), parts)

    def _part(self, name: str, part: str) -> str | None:
        known = self._known[name]
        return known.parts[part] if known else None

    def _image(
        self,
        path: Path,
        now: Mapping[str, Any],
        before: Mapping[str, Any] | None,
        parts: Mapping[str, str | None],
    ) -> Expected:
        """Compare what a file was made from with what it would be made from."""
        reasons = list(why.image_reasons(before, {**now, "parts": parts}))
        if not reasons and (not path.exists() or path in self._unfinished or not self._signed):
            reasons.append("it is not there" if not path.exists() else "its making was cut off")
        if reasons:
            return Expected(path.name, "make", tuple(reasons))
        unsure = [name for name, part in parts.items() if part is None]
        if unsure:
            return Expected(
                path.name, "maybe", tuple(f"if the files of {name} change" for name in unsure)
            )
        return Expected(path.name, "none")
