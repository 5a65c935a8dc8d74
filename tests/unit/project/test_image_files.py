"""Files that images are made from: those that a board names and that do not exist."""

from __future__ import annotations

from pathlib import Path

import pytest

from quard.base.errors import QuardError
from quard.boards import board
from quard.boards.trees import Trees
from quard.project.image_files import ImageFiles

BOARD = """\
summary = "x"
target = "riscv64-linux-gnu"
machine = "virt"
packages = []
overlays = ["quardroot:rootfs"]
"""


def error(folder: Path, text: str) -> QuardError:
    """Return the error about a board of the product tree `acme`; `text` is added to its file."""
    own, acme = folder / "own", folder / "acme"
    for place in (own / "configs/system", own / "qemu/run", own / "rootfs", acme / "configs"):
        place.mkdir(parents=True)
    for name in ("configs/system/base", "qemu/virt"):
        (own / f"{name}.toml").touch()
    (acme / "qemu").mkdir()
    (acme / "qemu/widget.toml").touch()
    (acme / "files").mkdir()
    trees = Trees(own, {"acme": acme})
    key = text.partition(" = ")[0]
    lines = [line for line in BOARD.splitlines() if line.partition(" = ")[0] != key]
    (acme / "configs/one.toml").write_text("\n".join([*lines, text, ""]))
    chosen = board.load(trees, "one")
    files = ImageFiles(trees, chosen, folder / "memories", ())
    roots = (chosen.own, *chosen.roots)
    with pytest.raises(QuardError) as caught:
        files.surroundings(roots, files.scan(name for each in roots for name in each.overlays))
    return caught.value


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        ('machine = "vrt"', "machine: there is no qemu/vrt.toml", "did you mean 'virt'?"),
        ('machine = "wdget"', "machine: there is no qemu/wdget.toml", "did you mean 'widget'?"),
        ('machine = "x"', "machine: there is no qemu/x.toml", "correct the name, or add the file"),
        ('system = "bas"', "system: there is no configs/system/bas.toml", "did you mean 'base'?"),
        ('overlays = ["files2"]', "overlays: there is no overlay folder 'acme:files2'",
         "did you mean 'files'?"),
        ('[roots.early]\npackages = []\nsystem = "bas"',
         "roots.early.system: there is no configs/system/bas.toml", "did you mean 'base'?"),
        ('[roots.early]\npackages = []\noverlays = ["quardroot:rotfs"]',
         "roots.early.overlays: there is no overlay folder 'rotfs'", "did you mean 'rootfs'?"),
    ],
)  # fmt: skip
def test_what_a_board_names_and_no_tree_has_is_reported_where_it_is_named(
    tmp_path: Path, text: str, said: str, hint: str
) -> None:
    found = error(tmp_path, text)
    assert found.message == f"acme:configs/one.toml: {said}"
    assert found.hint == hint
