"""`out/BOARD/debug`: files and symbols of a board's packages, laid out for gdb.

root/    files as on the target, and below root/usr/lib/debug their symbols
gdb.sh   starts gdb with all of it, connected to a waiting machine (`DEBUG=1`)
gdb.py   its commands for the board's programs
"""

from __future__ import annotations

import shutil

from quard.base import canonical
from quard.base.files import remove_tree
from quard.image.tree import MERGED
from quard.parts.fold import folded
from quard.project.build import BoardBuild

_START = "gdb.sh"
_SCRIPTS = ("gdb.py", _START)


class Symbols:
    """The debugger's folder of one board."""

    def __init__(self, build: BoardBuild) -> None:
        self._workspace = workspace = build.workspace
        self._resolved = build.resolved
        self.folder = workspace.out / "debug"

    def make(self) -> None:
        """Update the folder to the packages' results, if it is not up to date.

        Raises QuardError blob-missing for a package whose result is lost, disk-full.
        """
        wanted = canonical.sealed({"links": MERGED, "parts": self._blobs()}).encode()
        stamp = self.folder / "packages.json"
        if not stamp.is_file() or stamp.read_bytes() != wanted:
            remove_tree(self.folder)
            root = self.folder / "root"
            root.mkdir(parents=True)
            for name, part in self._layers:
                self._workspace.outputs.extract(name, part, root)
            for top in MERGED:  # a process names its libraries by these paths
                (root / top).symlink_to(folded(top))
            stamp.write_bytes(wanted)
        for name in _SCRIPTS:
            shutil.copy(self._workspace.trees.own / "qemu" / name, self.folder / name)
        script = self.folder / _START
        architecture = self._workspace.board.target.gdb
        script.write_text(script.read_text(encoding="utf-8").replace("@gdb@", architecture))
        self._workspace.host.tooling.debugger(self._workspace.out)

    @property
    def _layers(self) -> tuple[tuple[str, str], ...]:
        """The parts whose files belong into the folder, as (package, part)."""
        image = self._resolved.image
        return (*self._resolved.layers, *((name, "debug") for name in image))

    def _blobs(self) -> dict[str, str]:
        outputs = self._workspace.outputs
        return {f"{name}:{part}": outputs.digest(name, part) for name, part in self._layers}
