"""Boards that include others: what is merged, replaced, added and removed."""

from __future__ import annotations

from pathlib import Path

import pytest

from quard.base.errors import QuardError
from quard.base.table import Table, read
from quard.boards import board, include
from quard.boards.board import Board
from quard.boards.fragments import Fragments
from quard.boards.trees import Trees

BASE = """\
summary = "base"
target = "riscv64-linux-gnu"
machine = "virt"
hostname = "base"
packages = ["busybox", "libc", "openssh"]
overlays = ["rootfs", "extra"]
features.openssl.zlib = true
features.ethtool.netlink = false
fragments.linux = ["a.fragment"]
[flags]
c = "-O3"
[image]
formats = ["ext4"]
size_mib = 8
[[unhardened]]
path = "/opt/x"
lacks = ["pie"]
reason = "bought"
[roots.early]
packages = ["busybox"]
"""


@pytest.fixture
def trees(tmp_path: Path) -> Trees:
    """Return Quardroot's own tree, with the board `base`, and the product tree `acme`."""
    for name in ("own", "acme"):
        (tmp_path / name / "configs").mkdir(parents=True)
    (tmp_path / "own/configs/base.toml").write_text(BASE)
    return Trees(tmp_path / "own", {"acme": tmp_path / "acme"})


def write(trees: Trees, text: str, name: str = "mine", tree: str = "acme") -> None:
    (trees.path(f"{tree}:configs/{name}.toml" if tree else f"configs/{name}.toml")).write_text(text)


def load(trees: Trees, more: str, includes: str = '"base"', tree: str = "acme") -> Board:
    write(trees, f'include = [{includes}]\nsummary = "mine"\n{more}', tree=tree)
    return board.load(trees, "mine")


def refused(trees: Trees, more: str, reason: str = "bad-board") -> QuardError:
    with pytest.raises(QuardError) as caught:
        load(trees, more)
    assert caught.value.reason == reason
    return caught.value


def test_a_board_that_only_includes_is_the_other_one_under_its_name(trees: Trees) -> None:
    found, base = load(trees, ""), board.load(trees, "base")
    same = vars(base) | {"name": "mine", "summary": "mine", "tree": "acme"}
    assert {key: value for key, value in vars(found).items() if key != "roots"} == {
        key: value for key, value in same.items() if key != "roots"
    }
    (root,) = found.roots
    assert (root.board, root.packages, root.configuration.cflags) == ("mine", ("busybox",), "-O3")


def test_values_replace_and_tables_are_merged_key_by_key(trees: Trees) -> None:
    found = load(
        trees,
        'machine = "bench"\nfeatures.openssl.zlib = false\nimage.size_mib = 9\n'
        'roots.early.hostname = "early"\n',
    )
    assert (found.machine, found.hostname, found.cflags) == ("bench", "base", "-O3")
    assert found.features == {("openssl", "zlib"): "off", ("ethtool", "netlink"): "off"}
    assert (found.formats, found.size_mib) == (("ext4",), 9)
    assert found.roots[0].hostname == "early" and found.roots[0].packages == ("busybox",)


def test_a_list_replaces_the_included_one(trees: Trees) -> None:
    assert load(trees, 'packages = ["libc"]\nunhardened = []\n').packages == ("libc",)
    assert load(trees, "unhardened = []\n").unhardened == ()


def test_entries_are_removed_and_added_at_the_end(trees: Trees) -> None:
    found = load(
        trees,
        'packages = { add = ["tool"], remove = ["openssh"] }\nimage.formats.add = ["squashfs"]\n'
        'roots.early.packages.add = ["libc"]\n'
        '[[unhardened.add]]\npath = "/opt/y"\nlacks = ["pie"]\nreason = "bought"\n',
    )
    assert found.packages == ("busybox", "libc", "tool")
    assert found.formats == ("ext4", "squashfs")
    assert found.roots[0].packages == ("busybox", "libc")
    assert [each.path for each in found.unhardened] == ["/opt/x", "/opt/y"]


def test_a_change_of_a_list_that_nobody_wrote_is_one_of_the_default(trees: Trees) -> None:
    write(trees, BASE.replace('overlays = ["rootfs", "extra"]\n', ""), "base", tree="")
    assert load(trees, 'overlays.add = ["files"]\n').overlays == ("rootfs", "acme:files")
    assert load(trees, 'overlays.remove = ["quardroot:rootfs"]\n').overlays == ()
    assert load(trees, 'data.persistent.add = ["/root"]\n').data.persistent == ("/root",)


def test_changes_of_several_boards_follow_one_another(trees: Trees) -> None:
    write(trees, 'include = ["base"]\nsummary = "a"\npackages.add = ["one"]\n', "a")
    write(trees, 'include = ["a"]\nsummary = "b"\npackages.remove = ["libc"]\n', "b")
    assert load(trees, 'packages.add = ["libc"]\n', '"b"').packages == (
        "busybox",
        "openssh",
        "one",
        "libc",
    )


def test_a_later_included_board_goes_over_an_earlier_one(trees: Trees) -> None:
    write(trees, 'summary = "a"\nhostname = "a"\nflags.c = "-Os"\n', "a")
    write(trees, 'summary = "b"\nhostname = "b"\n', "b")
    found = load(trees, "", '"base", "a", "b"')
    assert (found.hostname, found.cflags) == ("b", "-Os")
    assert load(trees, 'hostname = "mine"\n', '"base", "a", "b"').hostname == "mine"


def test_a_board_that_is_included_on_two_ways_counts_once_at_its_first_place(
    trees: Trees,
) -> None:
    write(trees, 'include = ["base"]\nsummary = "a"\nhostname = "a"\n', "a")
    write(trees, 'include = ["base"]\nsummary = "b"\npackages.add = ["b"]\n', "b")
    found = load(trees, "", '"a", "b"')
    assert (found.hostname, found.packages[-1], found.packages.count("libc")) == ("a", "b", 1)
    assert include.chain(trees, "acme:configs/mine.toml") == (
        "configs/base.toml",
        "acme:configs/a.toml",
        "acme:configs/b.toml",
        "acme:configs/mine.toml",
    )


def test_each_file_is_read_once_however_often_it_is_included(
    trees: Trees, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(trees, 'include = ["base"]\nsummary = "a"\n', "a")
    for name, below in (("b", "a"), ("c", "a"), ("d", "b"), ("e", "b")):
        write(trees, f'include = ["{below}", "a", "base"]\nsummary = "{name}"\n', name)
    reads: list[str] = []

    def reading(path: Path, shown: str, reason: str) -> Table:
        reads.append(shown)
        return read(path, shown, reason)

    monkeypatch.setattr(include, "read", reading)
    write(trees, 'include = ["d", "c", "e", "a"]\nsummary = "mine"\n')
    chain = include.chain(trees, "acme:configs/mine.toml")
    assert len(chain) == 7 and sorted(reads) == sorted(chain)


def test_paths_are_in_the_tree_of_the_file_that_has_them(trees: Trees) -> None:
    found = load(
        trees,
        'overlays.add = ["files"]\nfragments.linux.add = ["b.fragment"]\n'
        'fragments.busybox.add = ["c.fragment"]\nroots.early.overlays = ["early"]\n',
    )
    assert found.overlays == ("rootfs", "extra", "acme:files")
    assert found.fragments == {
        "linux": ("a.fragment", "acme:b.fragment"),
        "busybox": ("acme:c.fragment",),
    }
    assert found.roots[0].overlays == ("acme:early",)
    # In the build, a file has its name without that of its tree.
    assert Fragments(trees, found.configuration).of("linux") == {
        "board-0-a.fragment": "a.fragment",
        "board-1-b.fragment": "acme:b.fragment",
    }


def test_only_among_device_trees_is_the_name_of_a_blob_no_path_in_a_tree(trees: Trees) -> None:
    base = BASE.replace('overlays = ["rootfs", "extra"]', 'overlays = ["a.dtb"]')
    tables = 'files.linux = ["b.dtbo"]\ndevicetrees.linux = ["v/c.dtb"]\n'
    hooks = '[hooks]\npost_root = ["d.sh"]\ninputs = ["e.dtb"]\n'
    write(trees, base.replace("[flags]", f"{tables}[flags]") + hooks, "vendor")
    write(trees, 'include = ["vendor"]\nsummary = "mine"\n', tree="")
    found = board.load(trees, "mine")
    assert found.tree == "" and found.overlays == ("acme:a.dtb",)
    assert found.overrides["linux"].files == ("acme:b.dtbo",)
    assert found.overrides["linux"].devicetrees == ("v/c.dtb",)
    assert found.hooks is not None and found.hooks.inputs == ("acme:e.dtb",)


def test_what_the_kconfig_editor_saved_for_an_included_board_comes_with_it(trees: Trees) -> None:
    folder = trees.own / "configs/base"
    folder.mkdir()
    for name in ("linux", "busybox"):
        (folder / f"{name}.fragment").touch()
    found = load(trees, 'fragments.linux.add = ["b.fragment"]\n')
    assert found.fragments == {
        "linux": ("a.fragment", "configs/base/linux.fragment", "acme:b.fragment"),
        "busybox": ("configs/base/busybox.fragment",),
    }
    assert Fragments(trees, found.configuration).edited("linux") == (
        "acme:configs/mine/linux.fragment"
    )


def test_a_board_that_replaces_another_one_may_include_it(trees: Trees) -> None:
    write(trees, 'include = ["quardroot:base"]\nsummary = "ours"\nhostname = "x"\n', "base")
    found = board.load(trees, "base")
    assert (found.tree, found.hostname, found.packages[0]) == ("acme", "x", "busybox")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('packages.remove = ["opensh"]\n', "packages.remove has 'opensh', which the list does not"),
        ('packages.add = ["libc"]\n', "packages.add has 'libc', which the list has already"),
        ('packages.ad = ["tool"]\n', "unknown key packages.ad"),
        ('packages = {ad = ["tool"], add = ["x"]}\n', "unknown key packages.ad"),
        ('roots.early.packages.ad = ["libc"]\n', "unknown key roots.early.packages.ad"),
        ("packages = {}\n", "packages must be a list of strings, not {}"),
        ('packages.add = "tool"\n', "packages must be a list of strings, not {'add': 'tool'}"),
        ("packages.add = [3]\n", "packages must be a list of strings"),
        ('machine.add = ["x"]\n', "machine must be a string, not {'add': ['x']}"),
        ('data.add = ["x"]\n', "data must be a table, not {'add': ['x']}"),
        ("unknown = 1\n", "unknown key unknown"),
        ("image.unknown = 1\n", "unknown key image.unknown"),
        ("image.size_mib = -1\n", "image.size_mib must not be negative"),
    ],
)
def test_an_error_names_the_file_that_has_it(trees: Trees, more: str, said: str) -> None:
    assert refused(trees, more).message.startswith(f"acme:configs/mine.toml: {said}")


def test_a_misspelt_change_gets_a_suggestion(trees: Trees) -> None:
    error = refused(trees, 'packages.ad = ["tool"]\n')
    assert (error.detail, error.hint) == ("known: add, remove", "did you mean 'add'?")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (BASE.replace('"libc"', '"libc", 3'), "packages must be a list of strings"),
        (BASE.replace("size_mib = 8", "size = 8"), "unknown key image.size"),
        (f"fragments = 3\n{BASE.replace('fragments.linux', '#')}", "fragments must be a table"),
        (f"roots = 3\n{BASE.partition('[roots')[0]}", "roots must be a table, not 3"),
        (BASE.replace('["pie"]', '["pei"]'), "unhardened[0].lacks must be some of"),
    ],
)
def test_an_error_of_an_included_file_names_that_file(trees: Trees, text: str, said: str) -> None:
    write(trees, text, "base", tree="")
    assert refused(trees, "").message.startswith(f"configs/base.toml: {said}")


def test_what_no_file_says_is_missing_in_the_board_itself(trees: Trees) -> None:
    write(trees, BASE.replace('machine = "virt"\n', ""), "base", tree="")
    assert refused(trees, "").message == "acme:configs/mine.toml: machine is missing"


def test_each_board_has_its_own_summary(trees: Trees) -> None:
    write(trees, 'include = ["base"]\n')
    with pytest.raises(QuardError, match=r"^acme:configs/mine\.toml: summary is missing"):
        board.load(trees, "mine")


@pytest.mark.parametrize("name", ["bse", "../base", "", "acme:base", "base/../base"])
def test_an_unknown_board_is_told_with_who_includes_it(trees: Trees, name: str) -> None:
    with pytest.raises(QuardError) as caught:
        load(trees, "", f'"{name}"')
    assert caught.value.reason == "unknown-board"
    assert caught.value.message == f"acme:configs/mine.toml: include: unknown board {name!r}"
    assert caught.value.detail == "known: base, mine"


def test_a_cycle_is_an_error_with_its_members(trees: Trees) -> None:
    write(trees, 'include = ["base", "mine"]\nsummary = "a"\n', "a")
    with pytest.raises(QuardError) as caught:
        load(trees, "", '"a"')
    assert caught.value.reason == "include-cycle"
    assert caught.value.detail.splitlines() == [
        "acme:configs/mine.toml includes acme:configs/a.toml",
        "acme:configs/a.toml includes acme:configs/mine.toml",
    ]
    with pytest.raises(QuardError, match="includes itself"):
        load(trees, "", '"mine"')
