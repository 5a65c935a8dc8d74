"""Reading product trees: what makes a folder one, and what does not fit together."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from quard.base.errors import QuardError
from quard.boards import treefile
from quard.boards.trees import Trees

ARM = "configs/targets/arm-linux-gnu.toml"


def add(folder: Path, *files: str, name: str = "", more: str = "") -> Path:
    """Make a tree with empty files; a name makes it a product tree."""
    folder.mkdir(exist_ok=True)
    for file in files:
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    if name:
        (folder / "quardroot.toml").write_text(f'name = "{name}"\n{more}')
    return folder


@pytest.fixture
def own(tmp_path: Path) -> Path:
    files = ("packages/zlib/recipe.py", "configs/star.toml", ARM, "qemu/virt.toml")
    return add(tmp_path / "own", *files)


def refused(own: Path, *folders: Path, reason: str = "bad-tree") -> QuardError:
    with pytest.raises(QuardError) as caught:
        treefile.load(own, folders)
    assert caught.value.reason == reason
    return caught.value


def loaded(own: Path, *folders: Path) -> Trees:
    return treefile.load(own, folders)


def test_trees_keep_their_order_and_have_the_names_in_their_files(
    own: Path, tmp_path: Path
) -> None:
    second = add(tmp_path / "b", "packages/tool/recipe.py", name="beta")
    first = add(tmp_path / "a", "configs/widget.toml", "packages/notes/README", name="alpha")
    found = loaded(own, second, first)
    assert [*found.products.items()] == [("beta", second), ("alpha", first)]


def test_a_folder_without_its_file_is_no_tree(own: Path, tmp_path: Path) -> None:
    assert "it has no file quardroot.toml" in refused(own, add(tmp_path / "a")).message


def test_a_tree_that_does_not_exist_is_named(own: Path, tmp_path: Path) -> None:
    assert refused(own, tmp_path / "none").message == (
        f"the product tree {tmp_path}/none does not exist"
    )


def test_a_link_to_nowhere_is_told_as_one(own: Path, tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("gone")
    assert "it is a link to gone, which does not exist" in refused(own, tmp_path / "a").detail


def test_a_file_is_no_tree(own: Path, tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    found = refused(own, tmp_path / "a")
    assert (found.message, found.detail) == (
        f"the product tree {tmp_path}/a cannot be read",
        "Not a directory",
    )


def test_a_folder_that_cannot_be_read_is_told(
    own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, listdir = add(tmp_path / "a", name="alpha"), os.listdir

    def closed(path: Path) -> list[str]:
        if path == folder:  # root, who may run the tests, can read every folder
            raise PermissionError(13, "Permission denied", str(path))
        return listdir(path)

    monkeypatch.setattr(os, "listdir", closed)
    assert refused(own, folder).detail == "Permission denied"


def test_a_link_to_a_tree_is_one(own: Path, tmp_path: Path) -> None:
    add(tmp_path / "a", name="alpha")
    (tmp_path / "link").symlink_to("a")
    assert loaded(own, tmp_path / "link").products == {"alpha": tmp_path / "link"}


def test_one_tree_cannot_be_named_twice_not_even_by_a_link(own: Path, tmp_path: Path) -> None:
    folder = add(tmp_path / "a", name="alpha")
    (tmp_path / "link").symlink_to("a")
    for other in (folder, tmp_path / "link", tmp_path / "own/../a"):
        assert "is the product tree alpha" in refused(own, folder, other).message


def test_two_trees_cannot_have_one_name(own: Path, tmp_path: Path) -> None:
    one, two = add(tmp_path / "a", name="alpha"), add(tmp_path / "b", name="alpha")
    found = refused(own, one, two)
    assert found.message == "two product trees have the name 'alpha'"
    assert found.detail == f"{one}\n{two}"


def test_a_tree_cannot_be_in_quardroots_folder_or_be_it(own: Path, tmp_path: Path) -> None:
    inner = add(own / "product", name="alpha")
    assert "is inside Quardroot's own folder" in refused(own, inner).message
    (tmp_path / "link").symlink_to("own/product")
    assert "is inside Quardroot's own folder" in refused(own, tmp_path / "link").message
    assert "is Quardroot's own folder" in refused(own, own).message


def test_a_tree_cannot_be_in_another_tree_whichever_is_named_first(
    own: Path, tmp_path: Path
) -> None:
    outer = add(tmp_path / "a", name="alpha")
    inner = add(outer / "sub", name="beta")
    assert "is inside the product tree alpha" in refused(own, outer, inner).message
    assert "contains the product tree beta" in refused(own, inner, outer).message


def test_quardroot_may_be_in_a_tree_as_a_submodule_is(tmp_path: Path) -> None:
    product = add(tmp_path / "a", name="alpha")
    assert loaded(add(product / "quardroot", "configs/star.toml"), product).products


@pytest.mark.parametrize("name", ["Alpha", "a b", "-", "quardroot", "a:b", "../a"])
def test_a_name_is_one_word_and_not_quardroots(own: Path, tmp_path: Path, name: str) -> None:
    found = refused(own, add(tmp_path / "a", name=name))
    assert found.message == f"{tmp_path}/a/quardroot.toml: name cannot be {name!r}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "name is missing"),
        ('name = "a"\nother = "b"\n', "unknown key other"),
        ('name = "a"\nreplaces = "x"\n', "replaces must be a list of strings"),
        ("name = \n", "is not valid TOML"),
    ],
)
def test_its_file_is_read_strictly(own: Path, tmp_path: Path, text: str, said: str) -> None:
    folder = add(tmp_path / "a")
    (folder / "quardroot.toml").write_text(text)
    assert said in refused(own, folder).message


def test_the_board_of_the_product_that_is_built_must_be_there(own: Path, tmp_path: Path) -> None:
    folder = add(tmp_path / "a", "configs/widget.toml", name="alpha", more='board = "widgets"\n')
    other = add(tmp_path / "b", name="beta", more='board = "star"\n')
    assert treefile.load(own, (folder, other)).board == ""  # it starts in Quardroot's checkout
    assert treefile.load(own, (folder, other), other).board == "star"
    with pytest.raises(QuardError) as caught:
        treefile.load(own, (other, folder), folder)
    assert (caught.value.reason, caught.value.detail) == ("bad-tree", "known: star, widget")
    assert caught.value.message == (
        "alpha:quardroot.toml: `board` names 'widgets', which no tree has"
    )
    assert caught.value.hint == "did you mean 'widget'?"


def test_its_file_may_not_be_a_link_to_nowhere(own: Path, tmp_path: Path) -> None:
    folder = add(tmp_path / "a")
    (folder / "quardroot.toml").symlink_to("gone")
    assert "quardroot.toml cannot be read" in refused(own, folder).message


@pytest.mark.parametrize(
    ("path", "file"),
    [
        ("packages/zlib", "packages/zlib/recipe.py"),
        ("configs/star.toml", "configs/star.toml"),
        (ARM, ARM),
        ("qemu/virt.toml", "qemu/virt.toml"),
    ],
)
def test_a_name_in_two_trees_is_an_error_unless_the_later_one_replaces_it(
    own: Path, tmp_path: Path, path: str, file: str
) -> None:
    folder = add(tmp_path / "a", file, name="alpha")
    found = refused(own, folder, reason="name-in-two-trees")
    assert found.message == f"two trees have {path}"
    assert found.detail == f"{path}\nalpha:{path}"
    add(folder, name="alpha", more=f'replaces = ["{path}"]\n')
    assert loaded(own, folder).find(file) == f"alpha:{file}"


def test_the_third_tree_may_replace_what_the_second_one_has(own: Path, tmp_path: Path) -> None:
    path = "configs/system/base.toml"
    one = add(tmp_path / "a", path, name="alpha")
    two = add(tmp_path / "b", path, name="beta")
    found = refused(own, one, two, reason="name-in-two-trees")
    assert found.detail == f"alpha:{path}\nbeta:{path}"
    add(two, name="beta", more=f'replaces = ["{path}"]\n')
    assert loaded(own, one, two).find(path) == f"beta:{path}"


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("packages/zlib", "alpha:quardroot.toml: `replaces` names packages/zlib, which it does"),
        ("packages/tool", "names packages/tool, which no earlier tree has"),
        ("packages/tool/recipe.py", "which it does not have"),
    ],
)
def test_replacing_nothing_is_an_error(own: Path, tmp_path: Path, path: str, said: str) -> None:
    more = f'replaces = ["{path}"]\n'
    folder = add(tmp_path / "a", "packages/tool/recipe.py", name="alpha", more=more)
    assert said in refused(own, folder).message


ACME = '[sites]\nacme = ["https://acme.example.org/src", "ftp://two.example.org"]\n'


def test_a_tree_has_sites_of_its_own(own: Path, tmp_path: Path) -> None:
    folder = add(tmp_path / "a", name="alpha", more=ACME)
    bases = ("https://acme.example.org/src", "ftp://two.example.org")
    assert loaded(own, folder).sites == {"acme": bases}


def test_a_site_in_two_trees_is_an_error_that_names_both(own: Path, tmp_path: Path) -> None:
    one = add(tmp_path / "a", name="alpha", more=ACME)
    two = add(tmp_path / "b", name="beta", more=ACME)
    found = refused(own, one, two, reason="name-in-two-trees")
    assert found.message == "two trees have sites/acme"
    assert found.detail == "alpha:sites/acme\nbeta:sites/acme"
    add(two, name="beta", more='replaces = ["sites/acme"]\n[sites]\nacme = ["https://new"]\n')
    assert loaded(own, one, two).sites == {"acme": ("https://new",)}


def test_a_site_of_quardroots_may_be_replaced(own: Path, tmp_path: Path) -> None:
    lines = '[sites]\ngnu = ["https://mirror.example.org/gnu"]\n'
    folder = add(tmp_path / "a", name="alpha", more=lines)
    found = refused(own, folder, reason="name-in-two-trees")
    assert found.detail == "sites/gnu\nalpha:sites/gnu"
    add(folder, name="alpha", more=f'replaces = ["sites/gnu"]\n{lines}')
    assert loaded(own, folder).sites == {"gnu": ("https://mirror.example.org/gnu",)}


def test_a_site_that_replaces_nothing_is_an_error(own: Path, tmp_path: Path) -> None:
    folder = add(tmp_path / "a", name="alpha", more=f'replaces = ["sites/acme"]\n{ACME}')
    assert "names sites/acme, which no earlier tree has" in refused(own, folder).message


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('"a-b" = ["https://e"]', "sites.a-b is no name for a site"),
        ('debian = ["https://e"]', "sites.debian is a site whose addresses"),
        ('pypi = ["https://e"]', "sites.pypi is a site whose addresses"),
        ('acme = "https://e"', "sites.acme must be a list of strings"),
        ('acme = ["e.org"]', "sites.acme must be a list of base addresses, not 'e.org'"),
        ("acme = []", "sites.acme has no address"),
    ],
)
def test_a_site_is_a_list_of_addresses(own: Path, tmp_path: Path, line: str, said: str) -> None:
    folder = add(tmp_path / "a", name="alpha", more=f"[sites]\n{line}\n")
    assert said in refused(own, folder).message
