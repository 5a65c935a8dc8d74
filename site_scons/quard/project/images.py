"""A board's images: what they are made of, and the making of each."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quard.base import canonical, given
from quard.base.errors import QuardError
from quard.base.files import changed, remove_tree, replacing
from quard.boards.board import Board
from quard.image import VERSION, overlay
from quard.image.coherence import MARK, Coherence
from quard.image.overlay import Overlay
from quard.machine import machine, runscript
from quard.model import User
from quard.plan.resolve import Resolved
from quard.project.workshop import Workshop

if TYPE_CHECKING:
    from quard.image.rootfs import Layer, RootfsSpec

ROOTFS = "rootfs.tar"
FILES = {"ext4": "rootfs.ext4", "squashfs": "rootfs.squashfs", "cpio.gz": "rootfs.cpio.gz"}
DATA = "data.ext4"
DATA_LABEL = "data"
"""By which the guest finds the disk, whatever other disks it has."""


class Images:
    """Makes the files of `out/BOARD/images`."""

    def __init__(self, workshop: Workshop, resolved: Resolved) -> None:
        self._workshop = workshop
        self._resolved = resolved
        self._board: Board = workshop.board
        self.folder = workshop.out / "images"
        self._notes = workshop.out / "images.json"
        self.coherence = Coherence(self.folder)
        self._noting = threading.Lock()

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

    @property
    def _system_digest(self) -> str:
        try:
            return hashlib.sha256(given.content(self._system, given.TEXT)).hexdigest()
        except OSError as error:
            raise QuardError(
                f"configs/system/{self._board.system}.toml cannot be read",
                detail=error.strerror or str(error),
                reason="bad-system-table",
                hint="put a file in its place that this user may read",
            ) from error

    @cached_property
    def _machine(self) -> machine.Machine:
        name = self._board.machine
        path = self._workshop.project / "qemu" / f"{name}.toml"
        if not os.path.lexists(path):
            raise QuardError(
                f"the board's machine qemu/{name}.toml does not exist",
                reason="bad-board",
                hint="correct `machine` in the board's file",
            )
        return machine.load(path)

    @cached_property
    def _overlays(self) -> tuple[Overlay, ...]:
        """The overlays as this run finds them."""
        return self._scan()

    def _scan(self) -> tuple[Overlay, ...]:
        project, memories = self._workshop.project, self._workshop.out / "overlays"
        return tuple(
            overlay.scan(name, project / name, memories / f"{name.replace('/', '%')}.json")
            for name in self._board.overlays
        )

    def _keys(self) -> tuple[str, ...]:
        return (*self._board.login.authorized_keys, *self._workshop.settings.authorized_keys)

    def _release(self) -> Mapping[str, str]:
        """Return the fields of os-release(5)."""
        return {
            "ID": "quardroot",
            "NAME": "Quardroot",
            "PRETTY_NAME": f"Quardroot ({self._board.name})",
            "VARIANT_ID": self._board.name,
        }

    @cached_property
    def rootfs_key(self) -> str:
        """The hash over everything in the root file system but the packages' files."""
        return self._rootfs_key(self._overlays)

    def _rootfs_key(self, scanned: Iterable[Overlay]) -> str:
        overlays = [[found.name, found.digest] for found in scanned]
        return canonical.digest({**self._tables(), "overlays": overlays})

    def _tables(self) -> dict[str, Any]:
        """Return what is in the root file system beside the packages' and the overlays' files."""
        board = self._board
        return {
            "version": VERSION,
            "target": board.target.triple,
            "system": self._system_digest,
            "packages": self._resolved.image,
            "users": [[n, *map(str, vars(u).values())] for n, u in self._users()],
            "permissions": [[n, *vars(p).values()] for n, p in self._resolved.permissions],
            "hardening": board.hardening.checked,
            "unhardened": [[n, *vars(e).values()] for n, e in self._resolved.unhardened],
            "hostname": board.hostname,
            "root_password": board.login.root_password,
            "keys": self._keys(),
            "release": dict(self._release()),
            "persistent": self._persistent(),
        }

    def _persistent(self) -> tuple[str, ...] | None:
        return self._board.data.persistent if self._board.data.size_mib else None

    def inputs(self) -> dict[str, dict[str, Any]]:
        """Return what each image file is made from, by its name, but for the packages' files."""
        overlays = {found.name: found.listing() for found in self._overlays}
        found: dict[str, dict[str, Any]] = {ROOTFS: {**self._tables(), "overlays": overlays}}
        for kind in self.formats:
            found[self.file(kind).name] = {"key": self.image_key(kind)}
        if self.data_disk is not None:
            found[DATA] = {"key": self.data_key}
        found[self.run_script.name] = {"text": canonical.digest(self.run_text)}
        return found

    def _users(self) -> tuple[tuple[str, User], ...]:
        return self._resolved.users

    def rootfs_files(self) -> tuple[Path, ...]:
        """Return what `rootfs` makes; the first is small and stands for the others."""
        return tuple(self.folder / n for n in ("rootfs.json", ROOTFS, "manifest.json"))

    def rootfs(self) -> None:
        """Put packages, overlay and tables together into rootfs.tar and manifest.json."""
        # What makes images is loaded when one is made: a null build makes none.
        from quard.image import rootfs  # noqa: PLC0415

        workshop = self._workshop
        layers = tuple(
            rootfs.Layer(name, workshop.outputs.runtime_blob(name)) for name in self._resolved.image
        )
        stamp, tar, manifest = self.rootfs_files()
        last = workshop.out / "rootfs.sha256"
        self.coherence.begin(tar.name)
        with self.coherence.aside([self.folder / name for name in FILES.values()]) as bring_back:
            digest = rootfs.assemble(self._spec(layers), tar, manifest)
            if self._rootfs_key(self._scan()) != self.rootfs_key:
                tar.unlink()
                manifest.unlink()
                raise changed(Path("the overlay"))
            if _read(last) == digest:
                bring_back()
        _replace(last, digest)
        _replace(stamp, canonical.readable({"sha256": digest}))
        self._made(tar.name, {n: workshop.outputs.runtime_digest(n) for n in self._resolved.image})

    def vet(self) -> None:
        """Refuse, before anything is built, what no package could set right.

        What passed is remembered by its key: a null build looks at nothing. Raises QuardError.
        """
        passed = self._workshop.out / "vetted"
        key = canonical.digest([self.rootfs_key, self.formats, self._board.size_mib])
        if _read(passed) == key:
            return
        from quard.image import rootfs  # noqa: PLC0415

        for warning in rootfs.vet(self._spec(())):
            self._workshop.console.warn(warning)
        _replace(passed, key)

    def _spec(self, layers: tuple[Layer, ...]) -> RootfsSpec:
        from quard.image import rootfs, system  # noqa: PLC0415

        board = self._board
        return rootfs.RootfsSpec(
            layers=layers,
            overlays=self._overlays,
            system=system.load(self._system),
            users=self._users(),
            permissions=self._resolved.permissions,
            hardening=self._board.hardening.checked,
            unhardened=self._resolved.unhardened,
            hostname=board.hostname,
            root_password=board.login.root_password,
            authorized_keys=self._keys(),
            target=board.target,
            release=self._release(),
            formats=board.formats,
            size_mib=board.size_mib or None,
            persistent=self._persistent(),
        )

    def file(self, kind: str) -> Path:
        """Return the path of one file system image."""
        return self.folder / FILES[kind]

    def image_key(self, kind: str) -> str:
        """Return the hash over how one file system image is made."""
        return canonical.digest([kind, VERSION, self._board.name, self._board.size_mib])

    def image(self, kind: str) -> None:
        """Make one file system image of rootfs.tar."""
        from quard.image import cpio, ext4, squashfs  # noqa: PLC0415

        tar, out, stop = self.folder / ROOTFS, self.file(kind), self._workshop.stop
        makers: dict[str, Callable[[], None]] = {
            "ext4": lambda: ext4.ext4(
                tar,
                out,
                size_mib=self._board.size_mib or None,
                label=self._board.name[:16],
                stop=stop,
            ),
            "squashfs": lambda: squashfs.squashfs(tar, out, stop=stop),
            "cpio.gz": lambda: cpio.cpio_gz(tar, out),
        }
        self.coherence.begin(out.name)
        makers[kind]()
        self._made(out.name)

    @property
    def data_disk(self) -> Path | None:
        """The path of the template of the data disk; None for a board without one."""
        return self.folder / DATA if self._board.data.size_mib else None

    @property
    def data_key(self) -> str:
        """Return the hash over how the data disk is made."""
        return canonical.digest([DATA, VERSION, DATA_LABEL, self._board.data.size_mib])

    def make_data_disk(self) -> None:
        """Make the empty file system of which every guest gets a copy."""
        from quard.image import ext4  # noqa: PLC0415

        self.coherence.begin(DATA)
        size, stop = self._board.data.size_mib, self._workshop.stop
        ext4.empty(self.folder / DATA, size_mib=size, label=DATA_LABEL, stop=stop)
        self._made(DATA)

    def deploying(self) -> tuple[str, ...]:
        """Return the packages that put files beside the images."""
        return tuple(n for n in self._resolved.image if self._resolved.plans[n].deploys)

    def deployed(self, name: str) -> tuple[Path, ...]:
        """Return the files that one of them puts there."""
        return tuple(self.folder / file for file in self._resolved.deployed(name))

    def deploy(self, name: str) -> None:
        """Put them there."""
        for path in self.deployed(name):
            self.coherence.begin(path.name)
        self._workshop.outputs.deploy(name, self.folder)
        for path in self.deployed(name):
            self._made(path.name, {name: self._workshop.outputs.deploy_digest(name)})

    def _made(self, name: str, packages: Mapping[str, str] | None = None) -> None:
        """Note what an image file was made from; `packages` gives the parts that are in it."""
        self._workshop.summary.add_image(name)
        value = {**self.inputs().get(name, {}), "parts": dict(packages or {})}
        with self._noting:
            made = {**self.made(), name: value}
            _replace(self._notes, canonical.sealed(made))

    def made(self) -> dict[str, dict[str, Any]]:
        """Return what the image files were made from, as far as that is known."""
        try:
            return canonical.unsealed(self._notes.read_bytes()) or {}
        except OSError:
            return {}

    def files(self) -> tuple[Path, ...]:
        """Return all that is made in the images' folder."""
        found = [*self.rootfs_files(), *map(self.file, self.formats), self.run_script]
        found += [self.folder / DATA] if self.data_disk else []
        return (*found, *(path for name in self.deploying() for path in self.deployed(name)))

    def remove_others(self) -> None:
        """Remove images that the board no longer makes: a stale one would boot an old system."""
        wanted = {MARK, *(path.relative_to(self.folder).parts[0] for path in self.files())}
        if self.folder.is_dir():
            for path in sorted(self.folder.iterdir()):
                if path.name not in wanted:
                    if path.is_dir() and not path.is_symlink():
                        remove_tree(path)
                    else:
                        path.unlink()

    @property
    def formats(self) -> tuple[str, ...]:
        """The file systems that the board wants."""
        return self._board.formats

    @property
    def run_script(self) -> Path:
        return self.folder / "run.sh"

    @cached_property
    def run_text(self) -> str:
        """The text of run.sh."""
        template = runscript.template(self._workshop.project / "qemu" / "run")
        data = DATA if self.data_disk else ""
        return runscript.script(self._machine, template, board=self._board.name, data=data)

    def run(self) -> None:
        """Write run.sh."""
        self.coherence.begin(self.run_script.name)
        _replace(self.run_script, self.run_text, mode=0o755)
        self._made(self.run_script.name)


def _read(path: Path) -> str:
    """Return a short text that was written before, nothing where that cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _replace(path: Path, text: str, mode: int = 0o644) -> None:
    with replacing(path) as part:
        part.write_text(text, encoding="utf-8")
        part.chmod(mode)
