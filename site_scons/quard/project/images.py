"""A board's images: their units, and making each."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from quard.base import canonical
from quard.base.files import changed, file_sha256, remove_tree
from quard.image.coherence import Coherence
from quard.image.overlay import Overlay
from quard.ledger.ledger import IMAGES, RESULTS
from quard.ledger.outputs import PartOf, Unverified
from quard.ledger.results import LostResult
from quard.plan.board import FILE, MANIFEST, ROOTFS, image_units
from quard.plan.image import FILES, EmptyDiskPlan, FilePlan, FileSystemPlan, RootfsPlan, ScriptPlan
from quard.plan.packages import Packages
from quard.plan.resolved import Resolved
from quard.plan.services import Placed
from quard.plan.unit import Input, Unit, local
from quard.project import vetting
from quard.project.image_files import ImageFiles
from quard.project.rooted import naming, of_root
from quard.project.workspace import Workspace

if TYPE_CHECKING:
    from quard.image.assembled import Assembled
    from quard.image.layers import Layer
    from quard.image.make import Maker
    from quard.image.rootfs import RootfsJob
    from quard.image.roottar import RootTar
    from quard.image.tree import Node
    from quard.project.hooks import Hooks


class Images:
    """Makes the files of `out/BOARD/images`.

    units -- the units of these files, by id; inputs come first
    """

    def __init__(
        self, workspace: Workspace, roots: Mapping[str, Resolved], packages: Packages
    ) -> None:
        self._workspace = workspace
        self._roots = roots
        self._packages = packages
        self._board = workspace.board
        self.folder = workspace.out / "images"
        self.coherence = Coherence(self.folder)
        self._files = ImageFiles(
            workspace.trees,
            workspace.board,
            workspace.out / "overlays",
            workspace.settings.authorized_keys,
        )
        self._overlays = self._files.scan(n for each in roots.values() for n in each.root.overlays)
        self.units = self._units(self._overlays)
        self._tars: dict[tuple[Path, str], RootTar] = {}

    def _units(self, overlays: Mapping[str, Overlay]) -> dict[str, Unit]:
        around = self._files.surroundings((r.root for r in self._roots.values()), overlays)
        return image_units(self._board, self._roots, self._packages, around)

    @property
    def run_script(self) -> Path:
        return self.folder / "run.sh"

    def listings(self, unit: Unit) -> dict[str, dict[str, str]]:
        """Return what is behind the digests of a unit's plan: overlay -> path -> description.

        Only reports need it: a null build does not make it.
        """
        if not isinstance(unit.plan, RootfsPlan):
            return {}
        return {name: self._overlays[name].listing() for name, _ in unit.plan.overlays}

    def make(self, unit: Unit, inputs: Mapping[str, str]) -> dict[str, str]:
        """Make the files of one unit and return the digests of its parts.

        inputs -- digests of the unit's inputs by name
        """
        for name in unit.files:
            if not name.endswith(MANIFEST):
                self.coherence.begin(name)
        (self.folder / unit.folder).mkdir(exist_ok=True)
        match unit.plan:
            case FilePlan(path=path):
                package = self._packages.units[unit.inputs[0].unit].name
                self._workspace.outputs.deploy(package, path, self.folder / unit.name)
            case RootfsPlan():
                return {"tar": self._rootfs(unit, inputs)}
            case FileSystemPlan() as plan:
                tooling = self._workspace.host.tooling
                # With the plan's identity, as an engine may write the same files in another way.
                tools = (tooling.tool(name) for name in plan.made_by)
                made_by = canonical.digest([plan.identity, *tools])
                self._maker.file_system(plan, self._tar(unit, inputs), unit.name, made_by)
            case EmptyDiskPlan() as plan:
                self._maker.empty_disk(plan, unit.name)
            case ScriptPlan():
                self._maker.script(self._files.script(), unit.name)
                self.update_emulator()
            case _:
                self._hooks.post_image(unit, self._roots[unit.folder].root, self.folder)
        if FILE not in unit.parts:
            return {}
        return {FILE: file_sha256(self.folder / unit.files[0])}

    def _tar(self, unit: Unit, inputs: Mapping[str, str]) -> RootTar:
        """Return the rootfs.tar that a unit is made from, the same one for all such units."""
        from quard.image.roottar import RootTar  # noqa: PLC0415 - likewise

        (source,) = unit.inputs
        path, sha256 = self.folder / local(source.unit), inputs[source.name]
        return self._tars.setdefault((path, sha256), RootTar(path, sha256))

    @cached_property
    def _hooks(self) -> Hooks:
        from quard.project.hooks import Hooks  # noqa: PLC0415 - likewise

        return Hooks(self._workspace, self._workspace.out / "overlays")

    @cached_property
    def _maker(self) -> Maker:
        # The code that makes images is loaded on use: a null build makes none.
        from quard.image.lent import FOLDER  # noqa: PLC0415
        from quard.image.make import Maker  # noqa: PLC0415
        from quard.image.write import Use  # noqa: PLC0415

        host = self._workspace.host
        lent = host.site.cache / FOLDER / self._board.name
        return Maker(self.folder, Use(host.tooling.start, host.stop), self._kept, lent)

    @property
    def _kept(self) -> Path:
        """The folder of what the next images are made with."""
        return self._workspace.out / "kept"

    def kept(self, unit: Unit) -> tuple[Path, ...]:
        """Return the folder of what a unit's next file is made with, if there is one."""
        folder = self._kept / unit.name
        return (folder,) if not unit.is_package and folder.is_dir() else ()

    def update_emulator(self) -> None:
        """Update the start script of the pinned QEMU, which run.sh uses. Raises QuardError."""
        host, out = self._workspace.host, self._workspace.out
        host.tooling.emulator(out, self._files.emulator())

    def _rootfs(self, unit: Unit, inputs: Mapping[str, str]) -> str:
        """Make rootfs.tar from packages, overlays and tables; return its SHA-256."""
        from quard.image.roottar import RootTar  # noqa: PLC0415 - a null build makes none
        from quard.project.made_roots import notes  # noqa: PLC0415 - likewise

        outputs, units = self._workspace.outputs, self._packages.units
        layers = {each: (units[each.unit].name, each.part) for each in unit.inputs}
        digests = {part: inputs[i.name] or outputs.digest(*part) for i, part in layers.items()}
        try:
            made = self._assembled(unit, layers, outputs.unverified(digests))
        except Unverified:
            made = self._assembled(unit, layers, outputs.blobs(digests))
        for note in notes(self._roots[unit.folder], made):
            self._workspace.console.note(note)
        tar = RootTar(self.folder / unit.files[0], made.sha256, made.entries)
        self._tars[tar.path, tar.sha256] = tar
        return made.sha256

    def _assembled(
        self,
        unit: Unit,
        parts: Mapping[Input, PartOf],
        using: AbstractContextManager[Mapping[PartOf, Path]],
    ) -> Assembled:
        from quard.image import rootfs  # noqa: PLC0415
        from quard.image.known import NAME  # noqa: PLC0415
        from quard.image.layers import Layer  # noqa: PLC0415

        tar, manifest = (self.folder / name for name in unit.files)
        last = self._workspace.out / RESULTS / IMAGES / unit.folder / "rootfs.sha256"
        systems = [tar.with_name(name) for name in FILES.values()]
        try:
            with using as blobs, self.coherence.aside(systems) as bring_back:
                found = tuple(
                    Layer(local(each.unit), blobs[part], blobs[part].name)
                    for each, part in parts.items()
                )
                with self._hooks.post_root(unit, self._roots[unit.folder].root) as hook:
                    job = replace(
                        self.job(unit, found), hook=hook, known=self._kept / unit.name / NAME
                    )
                    made = rootfs.assemble(job, tar, manifest)
                overlays = self._files.scan(self._roots[unit.folder].root.overlays)
                if self._units({**self._overlays, **overlays})[unit.id].plan != unit.plan:
                    tar.unlink()
                    manifest.unlink()
                    raise changed(Path("a file of an overlay or a hook"))
                if vetting.recorded(last) == made.sha256:
                    bring_back()
        except (LostResult, Unverified):
            for path in (tar, manifest):
                path.unlink(missing_ok=True)  # it may have been made from a damaged blob
            raise
        made.keep()  # the blobs are verified now
        vetting.record(last, made.sha256)
        return made

    def vet(self) -> None:
        """Find errors that do not depend on packages, before anything is built. Raises QuardError.

        What has not changed since a successful check is not checked: nothing in a null build.
        """
        vetting.vet(self.units.values(), self._workspace.out / "vetted", self._vet)

    def _vet(self, unit: Unit) -> None:
        if not isinstance(unit.plan, RootfsPlan):
            self._files.script()
            return
        from quard.image import rootfs  # noqa: PLC0415

        with naming(unit.folder):
            for warning in rootfs.vet(self.job(unit, ())):
                self._workspace.console.warn(of_root(unit.folder, warning))

    def job(self, unit: Unit, layers: tuple[Layer, ...]) -> RootfsJob:
        """Return the job of making a root's tar from these parts of packages."""
        from quard.image import rootfs, system  # noqa: PLC0415

        assert isinstance(unit.plan, RootfsPlan)
        resolved = self._roots[unit.folder]
        root, outputs = resolved.root, self._workspace.outputs
        return rootfs.RootfsJob(
            plan=unit.plan,
            layers=layers,
            overlays=tuple(self._overlays[name] for name in root.overlays),
            system=system.load(*self._files.system(root.system)),
            target=root.configuration.target,
            formats=root.formats,
            size_mib=root.size_mib or None,
            placed=tuple(map(_node, resolved.placed)),
            starts=tuple((p.path, p.runs, p.user) for p in resolved.placed if p.runs),
            left_out={
                (name, part): partial(outputs.blob, self._packages.unit(root.name, name).name, part)
                for name, part in resolved.left_out
            },
        )

    def remove_others(self) -> None:
        """Remove images that the board no longer makes: a stale image would boot an old system.

        What was made for a root that the board no longer has goes, too.
        """
        out = self._workspace.out
        files = [name for unit in self.units.values() for name in unit.files]
        Coherence(self._kept).keep_only(files)
        for name in self.coherence.keep_only(files):
            if (out / RESULTS / IMAGES / name / f"{ROOTFS}.basis.json").exists():
                for kind in (RESULTS, "logs", "work", f"{RESULTS}/{IMAGES}"):
                    remove_tree(out / kind / name)


def _node(placed: Placed) -> tuple[str, str, Node]:
    """Return a file of a recipe as the image has it. Raises QuardError changed-while-building."""
    from quard.image.content import Content  # noqa: PLC0415 - a null build makes no image
    from quard.image.tree import Node  # noqa: PLC0415

    data = Path(placed.file).read_bytes() if placed.file else placed.text.encode()
    if placed.file and hashlib.sha256(data).hexdigest() != placed.sha256:
        raise changed(Path(placed.file))
    content = Content(len(data), data)
    return placed.package, placed.path, Node("file", int(placed.mode, 8), content=content)
