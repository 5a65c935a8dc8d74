"""Plans of a board's images: the root file system, file systems, run.sh."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from quard.base import canonical
from quard.base.record import Record, record
from quard.installed import Permission, Unhardened, User

VERSION = 10
"""Image format version; increased when equal plans and inputs give other bytes."""

FILES = {"ext4": "rootfs.ext4", "squashfs": "rootfs.squashfs", "cpio.gz": "rootfs.cpio.gz"}
"""Format -> name of the file system's file in the images folder. New formats are added here."""
_MADE_BY = {"ext4": ("mke2fs",), "squashfs": ("tar2sqfs",), "cpio.gz": ("gzip",)}
"""Format -> what writes it, see quard.image.tools. rootfs.tar is written by the engine alone."""


_LEFT_OUT = ("capabilities", "xattrs")
"""Fields of rows that are left out where they are empty, as most are."""


class ImagePlan(Record):
    """Base of image plans. All fields are part of the identity, so none can be forgotten."""

    archives = ("",)

    @property
    def made_by(self) -> tuple[str, ...]:
        """Names of the machine's own tools that are part of a result's key."""
        return ()

    @property
    def called(self) -> tuple[str, ...] | None:
        """Commands that scripts of the board call, see unit.UnitPlan."""
        return None

    def instructions(self) -> dict[str, Any]:
        """Return everything that decides what is made from the inputs."""
        fields = {name: _plain(value) for name, value in vars(self).items() if name != "identity"}
        return {"image": VERSION, "kind": type(self).__name__, **fields}

    @cached_property
    def identity(self) -> str:
        """SHA-256 of the canonical instructions."""
        return canonical.digest(self.instructions())


@record(kw_only=True)
class RootfsPlan(ImagePlan):
    """A root file system: its content besides the packages' files.

    target          -- its triple and loader, and what its ELF files say, as in quard.target
    system          -- SHA-256 of the system's table
    overlays        -- (name, digest), in the order in which they are laid over the packages' files
    users           -- (package, account that it needs)
    permissions     -- (package, owner, mode and attributes of paths); those of the system's table
                       come last
    hardening       -- defences that every program and library must have
    unhardened      -- (package, or "" for the board; files that may lack some of them)
    files           -- (package, path, mode, SHA-256) of start scripts and configuration files
    yields          -- (package, packages that keep a path which both install; "*": all)
    on_demand       -- (package, path) of libraries that go if no file of the image needs them
    root_password   -- "" for none, "*" for locked, or a crypt(5) hash
    authorized_keys -- public keys for root's .ssh/authorized_keys; empty: no such file
    release         -- fields of os-release(5)
    persistent      -- paths that the data disk keeps; None: there is no data disk
    """

    target: tuple[str | int, ...]
    system: str
    overlays: tuple[tuple[str, str], ...]
    users: tuple[tuple[str, User], ...]
    permissions: tuple[tuple[str, Permission], ...]
    hardening: tuple[str, ...]
    unhardened: tuple[tuple[str, Unhardened], ...]
    files: tuple[tuple[str, str, str, str], ...]
    yields: tuple[tuple[str, tuple[str, ...]], ...]
    on_demand: tuple[tuple[str, str], ...]
    hostname: str
    root_password: str
    authorized_keys: tuple[str, ...]
    release: tuple[tuple[str, str], ...]
    persistent: tuple[str, ...] | None


@record(kw_only=True)
class FileSystemPlan(ImagePlan):
    """A file system with the files of rootfs.tar.

    format   -- ext4, squashfs or cpio.gz
    label    -- of the file system; "" for a format that has none
    size_mib -- of an ext4 file system; 0: sized by its content, like all other formats
    """

    format: str
    label: str = ""
    size_mib: int = 0

    @property
    def made_by(self) -> tuple[str, ...]:
        return _MADE_BY[self.format]


@record(kw_only=True)
class EmptyDiskPlan(ImagePlan):
    """An empty ext4 file system; every guest gets a copy of it."""

    label: str
    size_mib: int

    @property
    def made_by(self) -> tuple[str, ...]:
        return ("mke2fs",)


@record(kw_only=True)
class ScriptPlan(ImagePlan):
    """run.sh, which starts the board's machine.

    machine  -- name of the machine's file, which hints name, and its SHA-256
    template -- SHA-256 over the parts of the script
    data     -- file name of the empty data disk; "" if there is none
    formats  -- of the root file system that it starts
    """

    machine: tuple[str, str]
    template: str
    board: str
    data: str
    formats: tuple[str, ...]


@record(kw_only=True)
class FilePlan(ImagePlan):
    """A file that a package puts beside the images: the kernel, the firmware."""

    path: str


def _plain(value: Any) -> Any:
    """Return a field's value as plain data for JSON."""
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if not hasattr(value, "__dict__"):
        return value
    return {n: _plain(v) for n, v in vars(value).items() if v or n not in _LEFT_OUT}
