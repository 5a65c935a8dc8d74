"""The units of a board: its packages and its images."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from quard.boards.board import Board
from quard.boards.root import Root
from quard.plan.image import EmptyDiskPlan, FilePlan, FileSystemPlan, RootfsPlan, ScriptPlan
from quard.plan.resolve import Resolved
from quard.plan.unit import PACKAGE_PARTS, Input, Unit, board_id, package_id

ROOTFS = "rootfs.tar"
MANIFEST = "manifest.json"
FILES = {"ext4": "rootfs.ext4", "squashfs": "rootfs.squashfs", "cpio.gz": "rootfs.cpio.gz"}
"""Format -> name of the file system's file in the images folder. New formats are added here."""
DATA = "data.ext4"
SCRIPT = "run.sh"
DATA_LABEL = "data"
"""Label by which the guest finds the data disk among its disks."""


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """Inputs of a board's images, which the caller has read from the disk.

    system          -- SHA-256 of the system's table
    overlays        -- name -> digest, in the board's order
    authorized_keys -- from the user's settings
    machine         -- SHA-256 of the machine's file
    template        -- SHA-256 over the parts of run.sh
    """

    system: str
    overlays: Mapping[str, str]
    authorized_keys: tuple[str, ...]
    machine: str
    template: str


def package_units(resolved: Resolved) -> dict[str, Unit]:
    """Return the packages by id, in build order."""
    configuration = resolved.root.configuration.name
    found = {}
    for name in resolved.graph.order:
        plan = resolved.plans[name]
        seen = [
            Input(package_id(n, configuration), "interface") for n in (*plan.needs, *plan.links)
        ]
        parts = (*PACKAGE_PARTS, "deploy") if plan.deploys else PACKAGE_PARTS
        unit = Unit(package_id(name, configuration), plan, tuple(seen), parts)
        found[unit.id] = unit
    return found


def image_units(board: Board, resolved: Resolved, around: Surroundings) -> dict[str, Unit]:
    """Return the units of the images folder by id, inputs first."""
    return {unit.id: unit for unit in _images(board, resolved, around)}


def _images(board: Board, resolved: Resolved, around: Surroundings) -> Iterator[Unit]:

    for name in resolved.deploying:
        for path in resolved.deployed(name):
            inputs = (Input(package_id(name, board.name), "deploy"),)
            yield Unit(board_id(path, board.name), FilePlan(path=path), inputs, files=(path,))
    rootfs = Unit(
        board_id(ROOTFS, board.name),
        _rootfs(resolved, around),
        tuple(Input(package_id(name, board.name), part) for name, part in resolved.layers),
        parts=("tar",),
        files=(ROOTFS, MANIFEST),
    )
    yield rootfs
    for kind in board.formats:
        name = FILES[kind]
        plan = _file_system(kind, board)
        yield Unit(board_id(name, board.name), plan, (Input(rootfs.id, "tar"),), files=(name,))
    if board.data.size_mib:
        disk = EmptyDiskPlan(label=DATA_LABEL, size_mib=board.data.size_mib)
        yield Unit(board_id(DATA, board.name), disk, (), files=(DATA,))
    script = ScriptPlan(
        machine=around.machine,
        template=around.template,
        board=board.name,
        data=DATA if board.data.size_mib else "",
    )
    yield Unit(board_id(SCRIPT, board.name), script, (), files=(SCRIPT,))


def _rootfs(resolved: Resolved, around: Surroundings) -> RootfsPlan:
    root = resolved.root
    return RootfsPlan(
        triple=root.configuration.target.triple,
        system=around.system,
        overlays=tuple(around.overlays.items()),
        users=resolved.users,
        permissions=resolved.permissions,
        hardening=root.configuration.hardening.checked,
        unhardened=resolved.unhardened,
        hostname=root.hostname,
        root_password=root.login.root_password,
        authorized_keys=(*root.login.authorized_keys, *around.authorized_keys),
        release=_release(root),
        persistent=root.persistent,
    )


def _release(root: Root) -> tuple[tuple[str, str], ...]:
    """Return the fields of os-release(5)."""
    return (
        ("ID", "quardroot"),
        ("NAME", "Quardroot"),
        ("PRETTY_NAME", f"Quardroot ({root.board})"),
        ("VARIANT_ID", root.board),
    )


def _file_system(kind: str, board: Board) -> FileSystemPlan:
    if kind == "ext4":
        return FileSystemPlan(format=kind, label=board.name[:16], size_mib=board.size_mib)
    return FileSystemPlan(format=kind)
