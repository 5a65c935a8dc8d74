"""What a board says about the builds of packages: its keys, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from quard.base.errors import QuardError
from quard.boards import board
from quard.boards.board import Board
from quard.boards.override import Override, Release, blob
from quard.boards.trees import Trees

MINIMAL = 'summary = "x"\ntarget = "riscv64-linux-gnu"\nmachine = "virt"\npackages = ["linux"]\n'
SHA = "0123456789abcdef" * 4
COMMIT = "0123456789" * 4
FILE = "configs/one.toml"


def load(folder: Path, text: str) -> Board:
    (folder / "configs").mkdir(exist_ok=True)
    (folder / FILE).write_text(MINIMAL + text)
    return board.load(Trees(folder), "one")


def linux(folder: Path, text: str) -> Override:
    return load(folder, text).configuration.overrides["linux"]


def release(**changes: object) -> Release:
    values: dict[str, object] = {
        "version": "", "address": "", "sha256": "", "size": 0, "mirrors": (),
        "commit": "", "tree": "", "submodules": False,
    }  # fmt: skip
    return Release(**{**values, **changes})  # type: ignore[arg-type]


def test_a_board_without_these_keys_changes_no_package(tmp_path: Path) -> None:
    assert load(tmp_path, "[sources]\n").configuration.overrides == {}


def test_another_release_is_an_archive_or_a_commit(tmp_path: Path) -> None:
    found = linux(
        tmp_path, f'sources.linux = {{ version = "6.1", address = "kernel:a", sha256 = "{SHA}" }}'
    )
    assert found == Override(
        file=FILE, release=release(version="6.1", address="kernel:a", sha256=SHA)
    )
    found = linux(
        tmp_path,
        f'[sources.linux]\naddress = "https://x/l.git"\ncommit = "{COMMIT}"\ntree = "{SHA}"\n',
    )
    assert found.release == release(address="https://x/l.git", commit=COMMIT, tree=SHA)
    assert found.said == ("sources",)


def test_patches_files_and_trees_have_their_names_in_the_build(tmp_path: Path) -> None:
    found = linux(
        tmp_path,
        'patches.linux = ["b/x.patch", "a/x.patch"]\nfiles.linux = ["own/boot.cmd"]\n'
        'defconfigs.linux = "acme_defconfig"\n'
        'devicetrees.linux = ["sifive/u.dtb", "acme.dts", "dts/pins.dtsi"]\n',
    )
    assert found.patch_places == {
        "board-0-x.patch": "b/x.patch",
        "board-1-x.patch": "a/x.patch",
    }
    assert found.file_places == {
        "boot.cmd": "own/boot.cmd",
        "acme.dts": "acme.dts",
        "pins.dtsi": "dts/pins.dtsi",
    }
    assert found.defconfig == "acme_defconfig"
    assert found.said == ("patches", "files", "defconfigs", "devicetrees")
    assert [blob(entry) for entry in found.devicetrees] == ["sifive/u.dtb", "acme.dtb", ""]


def test_named_roots_have_what_the_board_says(tmp_path: Path) -> None:
    found = load(tmp_path, 'defconfigs.linux = "x"\n[roots.early]\npackages = []\n')
    assert found.roots[0].configuration.overrides == found.configuration.overrides


def test_included_boards_name_files_of_their_own_trees(tmp_path: Path) -> None:
    trees = Trees(tmp_path / "own", {"acme": tmp_path / "acme"})
    for name in ("own", "acme"):
        (tmp_path / name / "configs").mkdir(parents=True)
    (tmp_path / "own/configs/base.toml").write_text(
        MINIMAL + 'patches.linux = ["a.patch"]\ndevicetrees.linux = ["v/x.dtb", "y.dts"]\n'
        f'sources.linux = {{ version = "6.1", sha256 = "{SHA}" }}\n'
    )
    (tmp_path / "acme/configs/one.toml").write_text(
        'include = ["base"]\nsummary = "x"\npatches.linux.add = ["b.patch"]\n'
        'devicetrees.linux.add = ["z.dts", "v/y.dtb"]\nsources.linux.version = "6.2"\n'
    )
    with pytest.raises(QuardError, match=r"makes y\.dtb twice"):
        board.load(trees, "one")
    text = (tmp_path / "acme/configs/one.toml").read_text().replace("v/y.dtb", "v/w.dtb")
    (tmp_path / "acme/configs/one.toml").write_text(text)
    found = board.load(trees, "one").configuration.overrides["linux"]
    assert found == Override(
        file="acme:configs/one.toml",
        release=release(version="6.2", sha256=SHA),
        patches=("a.patch", "acme:b.patch"),
        devicetrees=("v/x.dtb", "y.dts", "acme:z.dts", "v/w.dtb"),
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sources = 3", "sources must be a table"),
        ("sources.linux = 3", "sources.linux must be a table"),
        ('sources.linux.vorsion = "6.1"', "unknown key sources.linux.vorsion"),
        ("sources.linux = {}", "sources.linux.sha256 says nothing else than the recipe"),
        ('sources.linux.version = "6.1"', "sources.linux.sha256 is missing: another source has"),
        ('sources.linux = {version = "6.1", sha256 = "x"}', "sources.linux.sha256 must be 64"),
        ('sources.linux = {version = "6 1"}', "sources.linux.version must be letters, digits"),
        ('sources.linux = {version = "1", size = -1}', "sources.linux.size must not be negative"),
        (f'sources.linux = {{version = "1", sha256 = "{SHA}", mirrors = ["x"]}}',
         "sources.linux.mirrors are those of `address`, which is missing"),
        (f'sources.linux = {{version = "1", sha256 = "{SHA}", tree = "{SHA}"}}',
         "sources.linux.tree is for a commit"),
        ('sources.linux = {commit = "v6.1"}', "sources.linux.commit must be the full name"),
        (f'sources.linux = {{commit = "{COMMIT}"}}', "sources.linux.address is missing"),
        (f'sources.linux = {{commit = "{COMMIT}", address = "x"}}', "sources.linux.tree is miss"),
        (f'sources.linux = {{commit="{COMMIT}", address="x", tree="{SHA}", sha256="{SHA}"}}',
         "sources.linux.sha256 is for archives, and `commit` names a commit"),
        ('patches.linux = "x.patch"', "patches.linux must be a list of strings"),
        ('patches.linux = ["x.diff"]', "patches.linux must name files that end in .patch"),
        ('patches.linux = ["../x.patch"]', "patches.linux must contain paths below their tree"),
        ('files.linux = ["a/x", "b/x"]', "files.linux has two files with one name, a/x and b/x"),
        ('defconfigs.linux = "configs/x"', "defconfigs.linux must be a target of make"),
        ('defconfigs.linux = "-j"', "defconfigs.linux must be a target of make"),
        ('devicetrees.linux = ["x"]', "devicetrees.linux must name .dtb or .dtbo of the source"),
        ('devicetrees.linux = ["-x.dtb"]', "devicetrees.linux must name .dtb or .dtbo of the sou"),
        ('devicetrees.linux = ["a:x.dtb"]', "devicetrees.linux must name .dtb or .dtbo of the s"),
        ('devicetrees.linux = ["/x.dts"]', "devicetrees.linux must contain paths below their"),
        ('devicetrees.linux = ["v/x.dtb", "x.dts"]', "devicetrees.linux makes x.dtb twice"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(QuardError) as caught:
        load(tmp_path, text)
    assert caught.value.reason == "bad-board"
    assert caught.value.message.startswith(f"{FILE}: {said}")
