"""A board's images: their units, from files of the project, and making each."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from quard.base import canonical, given
from quard.base.errors import QuardError
from quard.base.files import changed, remove_tree, replacing
from quard.image import overlay
from quard.image.coherence import MARK, Coherence
from quard.image.overlay import Overlay
from quard.plan.board import DATA, FILES, MANIFEST, ROOTFS, Surroundings, image_units
from quard.plan.image import EmptyDiskPlan, FilePlan, FileSystemPlan, RootfsPlan, ScriptPlan
from quard.plan.resolve import Resolved
from quard.plan.unit import Unit, local
from quard.project.workshop import Workshop

if TYPE_CHECKING:
    from quard.image.make import Maker
    from quard.image.rootfs import Layer, RootfsJob


class Images:
    """Makes the files of `out/BOARD/images`.

    units -- the units of these files, by id; inputs come first
    """

    def __init__(self, workshop: Workshop, resolved: Resolved) -> None:
        self._workshop = workshop
        self._resolved = resolved
        self._board = workshop.board
        self.folder = workshop.out / "images"
        self.coherence = Coherence(self.folder)
        self._overlays = self._scan()
        self.units = image_units(workshop.board, resolved, self._surroundings(self._overlays))

    def _surroundings(self, overlays: Iterable[Overlay]) -> Surroundings:
        return Surroundings(
            system=self._system_digest(),
            overlays={found.name: found.digest for found in overlays},
            authorized_keys=self._workshop.settings.authorized_keys,
            machine=self._machine_digest(),
            template=self._template_digest(),
        )

    @cached_property
    def _system(self) -> Path:
        name = self._board.system
        path = self._workshop.project / "configs" / "system" / f"{name}.toml"
        if not os.path.lexists(path):
            raise QuardError(
                f"the board's system table configs/system/{name}.toml does not exist",
                reason="bad-board",
                hint="correct `system` in the board's file",
            )
        return path

    def _system_digest(self) -> str:
        try:
            return hashlib.sha256(given.content(self._system, given.TEXT)).hexdigest()
        except OSError as error:
            raise QuardError(
                f"configs/system/{self._board.system}.toml cannot be read",
                detail=error.strerror or str(error),
                reason="bad-system-table",
                hint="replace it with a file that this user can read",
            ) from error

    @cached_property
    def _machine(self) -> Path:
        name = self._board.machine
        path = self._workshop.project / "qemu" / f"{name}.toml"
        if not os.path.lexists(path):
            raise QuardError(
                f"the board's machine qemu/{name}.toml does not exist",
                reason="bad-board",
                hint="correct `machine` in the board's file",
            )
        return path

    def _scan(self) -> tuple[Overlay, ...]:
        """Return the overlays as they are now."""
        project, memories = self._workshop.project, self._workshop.out / "overlays"
        return tuple(
            overlay.scan(name, project / name, memories / f"{name.replace('/', '%')}.json")
            for name in self._board.overlays
        )

    def _machine_digest(self) -> str:
        try:
            return hashlib.sha256(given.content(self._machine, given.TEXT)).hexdigest()
        except OSError:
            self._script()  # raises the error
            raise

    def _template_digest(self) -> str:
        folder = self._workshop.project / "qemu" / "run"
        total = hashlib.sha256()
        try:
            for path in sorted(folder.glob("*.sh")):
                found = hashlib.sha256(given.content(path, given.TEXT)).hexdigest()
                total.update(f"{path.name} {found}\n".encode())
        except OSError:
            self._script()
            raise
        return total.hexdigest()

    def _script(self) -> str:
        """Return the text of run.sh."""
        # The machine's file is read when the script is made; a null build does not make it.
        from quard.machine import machine, runscript  # noqa: PLC0415

        template = runscript.template(self._workshop.project / "qemu" / "run")
        data = DATA if self._board.data.size_mib else ""
        found = machine.load(self._machine)
        return runscript.script(found, template, board=self._board.name, data=data)

    @property
    def run_script(self) -> Path:
        return self.folder / "run.sh"

    def listings(self, unit: Unit) -> dict[str, dict[str, str]]:
        """Return what is behind the digests of a unit's plan: overlay -> path -> description.

        Only reports need it: a null build does not make it.
        """
        if not isinstance(unit.plan, RootfsPlan):
            return {}
        return {found.name: found.listing() for found in self._overlays}

    def make(self, unit: Unit) -> dict[str, str]:
        """Make the files of one unit and return the digests of its parts."""
        for name in unit.files:
            if name != MANIFEST:
                self.coherence.begin(name)
        match unit.plan:
            case FilePlan(path=path):
                package = local(unit.inputs[0].unit)
                self._workshop.outputs.deploy(package, path, self.folder / path)
            case RootfsPlan():
                return {"tar": self._rootfs(unit)}
            case FileSystemPlan() as plan:
                self._maker.file_system(plan, ROOTFS, unit.name)
            case EmptyDiskPlan() as plan:
                self._maker.empty_disk(plan, unit.name)
            case ScriptPlan():
                self._maker.script(self._script(), unit.name)
            case other:
                raise AssertionError(other)
        return {}

    @cached_property
    def _maker(self) -> Maker:
        # The code that makes images is loaded on use: a null build makes none.
        from quard.image.make import Maker  # noqa: PLC0415

        return Maker(self.folder, self._workshop.stop)

    def _rootfs(self, unit: Unit) -> str:
        """Make rootfs.tar from packages, overlays and tables; return its SHA-256."""
        from quard.image import rootfs  # noqa: PLC0415

        blobs = self._workshop.outputs.blobs(self._resolved.layers)
        tar, manifest = self.folder / ROOTFS, self.folder / MANIFEST
        last = self._workshop.out / "rootfs.sha256"
        with (
            blobs as paths,
            self.coherence.aside([self.folder / name for name in FILES.values()]) as bring_back,
        ):
            layers = tuple(rootfs.Layer(name, path) for (name, _), path in paths.items())
            made = rootfs.assemble(self._job(unit, layers), tar, manifest)
            now = image_units(self._board, self._resolved, self._surroundings(self._scan()))
            if now[unit.id].plan != unit.plan:
                tar.unlink()
                manifest.unlink()
                raise changed(Path("the overlay"))
            if _read(last) == made.sha256:
                bring_back()
        _replace(last, made.sha256)
        for name in made.unlinked:
            self._workshop.console.note(self._unlinked(name))
        return made.sha256

    def _unlinked(self, name: str) -> str:
        """Return the note on a package that is needed, and that nothing is linked with."""
        image = self._resolved.image
        who = ", ".join(user for user in self._resolved.graph.dependants(name) if user in image)
        return (
            f"note: {name} is in the image because of `needs` of {who}, and nothing there is linked"
            f" with its libraries: name it in `runtime` of what opens them by name, or take it out"
        )

    def vet(self) -> None:
        """Find errors that do not depend on packages, before anything is built.

        A successful check is recorded by its key: a null build checks nothing. Raises QuardError.
        """
        unit = next(unit for unit in self.units.values() if isinstance(unit.plan, RootfsPlan))
        passed = self._workshop.out / "vetted"
        key = canonical.digest([each.plan.identity for each in self.units.values()])
        if _read(passed) == key:
            return
        from quard.image import rootfs  # noqa: PLC0415

        self._script()
        for warning in rootfs.vet(self._job(unit, ())):
            self._workshop.console.warn(warning)
        _replace(passed, key)

    def _job(self, unit: Unit, layers: tuple[Layer, ...]) -> RootfsJob:
        from quard.image import rootfs, system  # noqa: PLC0415

        assert isinstance(unit.plan, RootfsPlan)
        return rootfs.RootfsJob(
            plan=unit.plan,
            layers=layers,
            overlays=self._overlays,
            system=system.load(self._system),
            target=self._board.target,
            formats=self._board.formats,
            size_mib=self._board.size_mib or None,
            left_out={
                name: partial(self._workshop.outputs.blob, name, "programs")
                for name in self._resolved.image
                if name not in self._resolved.whole
            },
        )

    def remove_others(self) -> None:
        """Remove images that the board no longer makes: a stale image would boot an old system."""
        files = [Path(name) for unit in self.units.values() for name in unit.files]
        wanted = {MARK, *(path.parts[0] for path in files)}
        if self.folder.is_dir():
            for path in sorted(self.folder.iterdir()):
                if path.name not in wanted:
                    if path.is_dir() and not path.is_symlink():
                        remove_tree(path)
                    else:
                        path.unlink()


def _read(path: Path) -> str:
    """Return a short text that was written before, empty if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _replace(path: Path, text: str) -> None:
    with replacing(path) as part:
        part.write_text(text, encoding="utf-8")
