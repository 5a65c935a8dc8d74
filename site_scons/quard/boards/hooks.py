"""Hooks: a board's scripts around the making of a root's images."""

from __future__ import annotations

import itertools
import re

from quard.base.record import Record, record
from quard.base.table import Table
from quard.boards import tables
from quard.boards.trees import parted

_OUTPUT = re.compile(r"[A-Za-z0-9][A-Za-z0-9+._-]*")


@record
class Hooks(Record):
    """The hooks of one root; files are named as quard.boards.trees says.

    post_root  -- scripts that change the files of the root before rootfs.tar is made
    post_image -- scripts that make files from the images
    inputs     -- further files and folders that both see
    tools      -- commands that they call besides the common ones
    outputs    -- names of the files that `post_image` makes beside the images
    """

    post_root: tuple[str, ...]
    post_image: tuple[str, ...]
    inputs: tuple[str, ...]
    tools: tuple[str, ...]
    outputs: tuple[str, ...]

    @property
    def files(self) -> tuple[str, ...]:
        """All scripts and inputs."""
        return tuple(dict.fromkeys((*self.post_root, *self.post_image, *self.inputs)))


def hooks(table: Table, tree: str) -> Hooks:
    """Take the hooks of a root."""
    found = Hooks(
        post_root=tables.paths(table, "post_root", tree, ()),
        post_image=tables.paths(table, "post_image", tree, ()),
        inputs=tables.paths(table, "inputs", tree, ()),
        tools=table.texts("tools", ()),
        outputs=table.texts("outputs", ()),
    )
    table.finish()
    if not (found.post_root or found.post_image):
        raise table.error("post_root", "or post_image must name a script")
    if bool(found.outputs) != bool(found.post_image):
        raise table.error("outputs", "must name the files that post_image makes")
    for name in found.outputs:
        if not _OUTPUT.fullmatch(name) or found.outputs.count(name) > 1:
            raise table.error("outputs", f"must contain different names of files, not {name!r}")
    for one, other in itertools.permutations(found.files, 2):
        inner, outer = parted(one)[1], parted(other)[1]
        if inner == outer or inner.startswith(f"{outer}/"):
            text = f"has {one} and {other}, which would have one place in {{files}}"
            raise table.error("inputs", text, "scripts see a file at its path in its tree")
    return found
