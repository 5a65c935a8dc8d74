"""The units of a board's images folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field, replace

from quard.base.errors import QuardError
from quard.base.record import Record, record
from quard.boards.board import Board
from quard.boards.root import Root
from quard.boards.trees import placed
from quard.plan.image import (
    FILES,
    EmptyDiskPlan,
    FilePlan,
    FileSystemPlan,
    RootfsPlan,
    ScriptPlan,
)
from quard.plan.packages import Packages
from quard.plan.resolved import Resolved
from quard.plan.unit import Input, Unit, UnitPlan, board_id, qualified
from quard.target import Target

ROOTFS = "rootfs.tar"
MANIFEST = "manifest.json"
DATA = "data.ext4"
SCRIPT = "run.sh"
FILE = "file"
"""The part of an image that scripts of the board read."""
_RESERVED = frozenset((DATA, SCRIPT, "unfinished"))
"""Names that no script can give a file: the last one is that of quard.image.coherence."""
DATA_LABEL = "data"
"""Label by which the guest finds the data disk among its disks."""


@record(kw_only=True)
class Surroundings(Record):
    """Inputs of a board's images, which the caller has read from the disk.

    systems         -- name of a system's table -> SHA-256
    overlays        -- name -> digest
    authorized_keys -- from the user's settings
    machine         -- SHA-256 of the machine's file
    machine_tree    -- the tree of that file, see quard.boards.trees
    template        -- SHA-256 over the parts of run.sh
    hooks           -- name of a script or an input of one -> digest
    """

    systems: Mapping[str, str]
    overlays: Mapping[str, str]
    authorized_keys: tuple[str, ...]
    machine: str
    template: str
    machine_tree: str = ""
    hooks: Mapping[str, str] = field(default_factory=dict)


def image_units(
    board: Board, roots: Mapping[str, Resolved], packages: Packages, around: Surroundings
) -> dict[str, Unit]:
    """Return the units of the images folder by id, inputs first.

    Raises QuardError bad-board if a root's folder would take the place of a file.
    """
    units = [*_images(board, roots, packages, around)]
    for unit in units:
        tops = {file.partition("/")[0] for file in unit.files}
        if not unit.folder and (taken := tops.intersection(roots)):
            raise QuardError(
                f"{board.own.file}: roots.{taken.pop()} has the name of a file"
                " in the images folder",
                reason="bad-board",
                hint="give the root another name",
            )
    return {unit.id: unit for unit in units}


def _images(
    board: Board, roots: Mapping[str, Resolved], packages: Packages, around: Surroundings
) -> Iterator[Unit]:
    deployed: set[str] = set()
    for resolved in roots.values():
        made = (
            *_deployed(resolved, packages, deployed),
            *_file_systems(resolved, packages, around),
        )
        hooks = resolved.root.hooks
        if hooks and hooks.post_image:
            made = tuple(map(_read, made))
            made += (_hooked(resolved.root, made, around),)
        yield from made
    if board.data.size_mib:
        disk = EmptyDiskPlan(label=DATA_LABEL, size_mib=board.data.size_mib)
        yield Unit(board_id(DATA, board.name), disk, (), files=(DATA,))
    script = ScriptPlan(
        machine=(placed(around.machine_tree, board.machine), around.machine),
        template=around.template,
        board=board.name,
        data=DATA if board.data.size_mib else "",
        formats=board.formats,
    )
    yield Unit(board_id(SCRIPT, board.name), script, (), files=(SCRIPT,))


def _read(unit: Unit) -> Unit:
    """Return the unit of a file that scripts read: its result has the file's digest."""
    return unit if "tar" in unit.parts else replace(unit, parts=(*unit.parts, FILE))


def _hooked(root: Root, made: tuple[Unit, ...], around: Surroundings) -> Unit:
    """Return the unit of the files that a root's scripts make from its images."""
    from quard.plan.hooks import POST_IMAGE, HookPlan, calls  # noqa: PLC0415 - few boards have any

    assert root.hooks is not None
    outputs = tuple(qualified(root.name, name) for name in root.hooks.outputs)
    there = _RESERVED.union(*(unit.files for unit in made))
    if taken := there.intersection(outputs):
        raise QuardError(
            f"{root.file}: hooks.outputs has {sorted(taken)[0]}, which is an image already",
            reason="bad-board",
            hint="let the scripts write a file with another name",
        )
    plan = HookPlan(
        hooks=calls(root, POST_IMAGE, around.hooks),
        images=tuple(sorted(unit.files[0] for unit in made)),
        outputs=root.hooks.outputs,
    )
    inputs = tuple(Input(unit.id, unit.parts[0]) for unit in made)
    name = qualified(root.name, POST_IMAGE)
    return Unit(board_id(name, root.board), plan, inputs, files=outputs, folder=root.name)


def _deployed(resolved: Resolved, packages: Packages, done: set[str]) -> Iterator[Unit]:
    """Yield the files that packages put beside the images, each package's only once.

    done -- ids of packages whose files are there, to which these are added
    """
    root = resolved.root
    for name in resolved.deploying:
        inputs = packages.inputs(root.name, (name,), "deploy")
        if inputs[0].unit in done:
            continue
        done.add(inputs[0].unit)
        for path in resolved.deployed(name):
            yield _image(root, path, FilePlan(path=path), inputs)


def _file_systems(resolved: Resolved, packages: Packages, around: Surroundings) -> Iterator[Unit]:
    """Yield a root's rootfs.tar and the file systems made from it."""
    root = resolved.root
    layers = tuple(Input(packages.ids[root.name, n], part) for n, part in resolved.layers)
    rootfs = _image(root, ROOTFS, _rootfs(resolved, around), layers)
    manifest = qualified(root.name, MANIFEST)
    rootfs = replace(rootfs, parts=("tar",), files=(*rootfs.files, manifest))
    yield rootfs
    for kind in root.formats:
        yield _image(root, FILES[kind], _file_system(kind, root), (Input(rootfs.id, "tar"),))


def _image(root: Root, file: str, plan: UnitPlan, inputs: tuple[Input, ...]) -> Unit:
    """Return the unit of one file of a root."""
    path = qualified(root.name, file)
    return Unit(board_id(path, root.board), plan, inputs, files=(path,), folder=root.name)


def _rootfs(resolved: Resolved, around: Surroundings) -> RootfsPlan:
    root = resolved.root
    plan = RootfsPlan(
        target=_target(root.configuration.target),
        system=around.systems[root.system],
        overlays=tuple((name, around.overlays[name]) for name in root.overlays),
        users=resolved.users,
        permissions=resolved.permissions,
        hardening=root.configuration.hardening.checked,
        unhardened=resolved.unhardened,
        files=tuple(each.row for each in resolved.placed),
        yields=resolved.yields,
        on_demand=resolved.on_demand,
        hostname=root.hostname,
        root_password=root.login.root_password,
        authorized_keys=(*root.login.authorized_keys, *around.authorized_keys),
        release=_release(root),
        persistent=root.persistent,
    )
    if root.hooks is None or not root.hooks.post_root:
        return plan
    from quard.plan.hooks import POST_ROOT, HookedRootfsPlan, calls  # noqa: PLC0415

    return HookedRootfsPlan(**vars(plan), hooks=calls(root, POST_ROOT, around.hooks))


def _target(target: Target) -> tuple[str | int, ...]:
    elf = target.elf
    return (target.triple, target.loader, elf.machine, elf.bits, elf.order, *elf.flags)


def _release(root: Root) -> tuple[tuple[str, str], ...]:
    """Return the fields of os-release(5)."""
    pretty, variant = root.board, root.board
    if root.name:
        pretty, variant = f"{root.board}, {root.name}", f"{root.board}.{root.name}"
    return (
        ("ID", "quardroot"),
        ("NAME", "Quardroot"),
        ("PRETTY_NAME", f"Quardroot ({pretty})"),
        ("VARIANT_ID", variant),
    )


def _file_system(kind: str, root: Root) -> FileSystemPlan:
    if kind == "ext4":
        label = (root.name or root.board)[:16]
        return FileSystemPlan(format=kind, label=label, size_mib=root.size_mib)
    return FileSystemPlan(format=kind)
