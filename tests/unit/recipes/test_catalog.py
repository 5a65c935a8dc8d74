"""Recipes on disk: data only, every field known and of its type, errors with file and line."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from recipe_parts import FIELDS, SHA, SOURCE, TOP, add, add_text, feature, load, recipe_text

from quard.base.errors import QuardError
from quard.model import Autotools, Custom, Feature, Kconfig, Recipe, Run, Source
from quard.recipes.catalog import Catalog

OURS = Catalog(TOP / "packages")


def refused(packages: Path, text: str) -> QuardError:
    """Return the error that a recipe's text gives."""
    add_text(packages, "thing", text)
    with pytest.raises(QuardError) as caught:
        Catalog(packages)["thing"]
    return caught.value


def test_a_recipe_is_read_into_the_model(tmp_path: Path) -> None:
    package = load(tmp_path, "thing", configure='("--a",) + ("--b", "--c" + "=d")')
    assert package.recipe == Autotools(
        summary="A thing",
        version="1.0",
        sources=(
            Source("https://example.org/{name}-{version}.tar.gz", sha256=SHA, provenance="us"),
        ),
        license="MIT",
        license_files=("COPYING",),
        configure=("--a", "--b", "--c=d"),
    )
    assert (package.name, package.folder) == ("thing", tmp_path / "thing")


def test_nested_words_are_read_too(tmp_path: Path) -> None:
    recipe = load(
        tmp_path,
        "thing",
        "Custom",
        features=feature("x", needs='("zlib",)', default="True"),
        configure='(Run("./configure", "--prefix=/usr"),)',
    ).recipe
    assert isinstance(recipe, Custom)
    assert recipe.configure == (Run("./configure", "--prefix=/usr"),)
    assert recipe.features == (
        Feature(
            "x",
            summary="a choice",
            on=("--enable-x",),
            off=("--disable-x",),
            needs=("zlib",),
            default=True,
        ),
    )


@pytest.mark.parametrize("name", OURS.names())
def test_every_recipe_of_the_project_is_read(name: str) -> None:
    package = OURS[name]
    assert isinstance(package.recipe, Recipe)
    assert package.folder == TOP / "packages" / name


def test_the_project_has_the_packages_of_its_default_board() -> None:
    assert {"busybox", "ethtool", "libmnl", "linux", "opensbi", "openssh"} <= set(OURS.names())


def test_names_are_the_folders_with_a_recipe_sorted(tmp_path: Path) -> None:
    for name in ("b", "a", "c+1.2-x"):
        add(tmp_path, name)
    (tmp_path / "no-recipe").mkdir()
    assert Catalog(tmp_path).names() == ("a", "b", "c+1.2-x")


def test_a_package_is_read_once(tmp_path: Path) -> None:
    folder = add(tmp_path, "thing")
    catalog = Catalog(tmp_path)
    first = catalog["thing"]
    (folder / "recipe.py").unlink()
    assert catalog["thing"] is first


def test_patches_come_in_the_order_of_their_names_and_files_without_the_recipe(
    tmp_path: Path,
) -> None:
    folder = add(tmp_path, "thing")
    for name in ("0010-b.patch", "0002-a.patch", "x.fragment", "config"):
        (folder / name).write_text(name)
    (folder / "folder").mkdir()
    package = Catalog(tmp_path)["thing"]
    assert [patch.name for patch in package.patches()] == ["0002-a.patch", "0010-b.patch"]
    assert [file.name for file in package.files()] == ["config", "x.fragment"]
    for reference in (*package.patches(), *package.files()):
        assert reference.sha256 == hashlib.sha256(reference.name.encode()).hexdigest()


LINKS = {
    "file": ("secret", "/etc/hostname"),
    "relative": ("secret", "../other/secret"),
    "patch": ("0001-x.patch", "/etc/hostname"),
    "dangling patch": ("0001-x.patch", "/nowhere/at/all"),
    "folder": ("files", "/etc"),
    "through a folder of its own": ("secret", "files/../../other/secret"),
}


@pytest.mark.parametrize(("name", "target"), LINKS.values(), ids=LINKS)
def test_a_link_out_of_the_folder_is_refused(tmp_path: Path, name: str, target: str) -> None:
    add(tmp_path, "thing")
    add(tmp_path, "other")
    (tmp_path / "other/secret").write_text("x")
    if name != "files":
        (tmp_path / "thing/files").mkdir()
    (tmp_path / "thing" / name).symlink_to(target)
    with pytest.raises(QuardError) as caught:
        Catalog(tmp_path)["thing"]
    assert caught.value.reason == "recipe-link"
    assert f"packages/thing/{name}" in caught.value.message
    assert target in caught.value.detail


def test_a_recipe_that_is_a_link_out_of_its_folder_is_refused(tmp_path: Path) -> None:
    add(tmp_path, "other")
    (tmp_path / "thing").mkdir()
    (tmp_path / "thing/recipe.py").symlink_to("../other/recipe.py")
    with pytest.raises(QuardError) as caught:
        Catalog(tmp_path)["thing"]
    assert caught.value.reason == "recipe-link"


def test_links_within_the_folder_and_a_link_in_its_place_are_followed(tmp_path: Path) -> None:
    add(tmp_path / "elsewhere", "thing")
    (tmp_path / "elsewhere/thing/file").write_text("x")
    (tmp_path / "elsewhere/thing/alias").symlink_to("file")
    (tmp_path / "elsewhere/thing/.#lock").symlink_to("me@here:1")
    (tmp_path / "packages").mkdir()
    (tmp_path / "packages/thing").symlink_to("../elsewhere/thing")
    files = Catalog(tmp_path / "packages")["thing"].files()
    assert [(file.name, file.sha256) for file in files] == [
        (name, hashlib.sha256(b"x").hexdigest()) for name in ("alias", "file")
    ]


def test_a_typing_error_in_a_package_gets_a_suggestion() -> None:
    with pytest.raises(QuardError) as caught:
        OURS["bussybox"]
    assert caught.value.reason == "unknown-package"
    assert caught.value.message == "unknown package 'bussybox'"
    assert caught.value.hint == "did you mean 'busybox'?"


def test_a_package_near_to_nothing_says_how_to_add_one(tmp_path: Path) -> None:
    with pytest.raises(QuardError) as caught:
        Catalog(tmp_path)["zlib"]
    assert caught.value.reason == "unknown-package"
    assert (caught.value.detail, caught.value.hint) == (
        "known: none",
        "add packages/NAME/recipe.py",
    )


@pytest.mark.parametrize("name", ["../thing", "thing/../thing", "/thing", "", ".", "thing\n"])
def test_a_name_is_never_a_path(tmp_path: Path, name: str) -> None:
    add(tmp_path, "thing")
    with pytest.raises(QuardError) as caught:
        Catalog(tmp_path)[name]
    assert caught.value.reason == "unknown-package"


def test_a_folder_whose_name_is_no_package_name_is_told_so(tmp_path: Path) -> None:
    add(tmp_path, "My_Thing")
    with pytest.raises(QuardError) as caught:
        Catalog(tmp_path)["My_Thing"]
    assert caught.value.reason == "bad-package-name"


NOT_DATA = {
    "f-string": ('summary=f"{1}"', "JoinedStr"),
    "comprehension": ('needs=tuple(x for x in ("a",))', "GeneratorExp"),
    "comprehension of a list": ('needs=[x for x in ["a"]]', "ListComp"),
    "set": ('needs={"a"}', "Set"),
    "dictionary comprehension": ('env={x: x for x in ("a",)}', "DictComp"),
    "condition": ('version="1" if True else "2"', "IfExp"),
    "attribute": ("version=os.name", "Attribute"),
    "method": ('version="1".upper()', "Attribute"),
    "lambda": ("version=lambda: 1", "Lambda"),
    "percent": ('version="%s" % 1', "Mod"),
    "index": ('version="12"[0]', "Subscript"),
    "star": ("needs=(*(),)", "Starred"),
    "walrus": ('version=(x := "1")', "NamedExpr"),
    "negative": ("users=(User(name='a', uid=-1),)", "UnaryOp"),
}


@pytest.mark.parametrize(("field", "kind"), NOT_DATA.values(), ids=NOT_DATA)
def test_what_is_more_than_data_is_refused_with_its_line(
    tmp_path: Path, field: str, kind: str
) -> None:
    name, _, text = field.partition("=")
    error = refused(tmp_path, recipe_text("Autotools", **{**FIELDS, name: text}))
    assert error.reason == "recipe-syntax"
    assert error.message == "packages/thing/recipe.py cannot be used"
    assert f"{kind} is not allowed: a recipe is data" in error.detail
    assert error.detail.startswith("line ")


STATEMENTS = {
    "import": "import os\n",
    "from elsewhere": "from os import system\n",
    "relative": "from . import model\n",
    "function": "def f():\n    pass\n",
    "other name": "VERSION = '1'\n",
    "call": "open('/etc/passwd')\n",
    "deletion": "del RECIPE\n",
    "second recipe": "RECIPE = 1\n",
    "condition": "if True:\n    pass\n",
}


@pytest.mark.parametrize("statement", STATEMENTS.values(), ids=STATEMENTS)
def test_a_further_statement_is_refused_with_its_line(tmp_path: Path, statement: str) -> None:
    text = recipe_text()
    error = refused(tmp_path, text + statement)
    assert error.reason == "recipe-syntax"
    line = text.count("\n") + 1
    assert error.detail.startswith(f"line {line}: only `from quard.model import ...`")


def test_a_call_that_would_do_something_is_an_unknown_word_and_is_not_made(tmp_path: Path) -> None:
    target = tmp_path / "written"
    error = refused(tmp_path, recipe_text(version=f'open("{target}", "w")'))
    assert error.reason == "unknown-field"
    assert "line 5: unknown word 'open'" in error.detail
    assert not target.exists()


def test_a_misspelt_word_gets_a_suggestion(tmp_path: Path) -> None:
    error = refused(tmp_path, recipe_text("Autotolls"))
    assert (error.reason, error.hint) == ("unknown-field", "did you mean 'Autotools'?")


def test_an_import_of_what_does_not_exist_gets_a_suggestion(tmp_path: Path) -> None:
    error = refused(tmp_path, recipe_text().replace("import *", "import (\n    Autotolls,\n)"))
    assert (error.reason, error.hint) == ("unknown-field", "did you mean 'Autotools'?")
    assert error.detail == "line 2: quard.model has no 'Autotolls'"


def test_an_import_under_another_name_is_refused(tmp_path: Path) -> None:
    error = refused(tmp_path, recipe_text().replace("import *", "import Autotools as Make"))
    assert error.reason == "recipe-syntax"
    assert error.detail == "line 1: Autotools is imported under another name"


def test_a_recipe_class_without_its_parentheses_is_no_recipe(tmp_path: Path) -> None:
    error = refused(tmp_path, "RECIPE = Autotools\n")
    assert error.reason == "recipe-syntax"
    assert "Autotools(...)" in error.detail


@pytest.mark.parametrize("text", ["RECIPE = (\n", "RECIPE = 'a\n", "\tx = 1\n y", "RECIPE = 1\0"])
def test_a_file_that_is_no_python_is_refused(tmp_path: Path, text: str) -> None:
    error = refused(tmp_path, text)
    assert error.reason == "recipe-syntax"
    assert error.detail.startswith("line ")


def test_a_file_that_is_no_utf8_is_refused(tmp_path: Path) -> None:
    folder = add(tmp_path, "thing")
    (folder / "recipe.py").write_bytes(b"# \xff\n")
    with pytest.raises(QuardError) as caught:
        Catalog(tmp_path)["thing"]
    assert caught.value.reason == "recipe-syntax"


@pytest.mark.parametrize("text", ["", '"""Only words."""\n', "from quard.model import Autotools\n"])
def test_a_file_without_a_recipe_is_refused(tmp_path: Path, text: str) -> None:
    error = refused(tmp_path, text)
    assert error.reason == "recipe-syntax"
    assert "RECIPE = ... is missing" in error.detail


@pytest.mark.parametrize("value", ['"text"', "5", "()", SOURCE, 'Run("make")'])
def test_a_recipe_that_is_no_recipe_class_names_the_classes(tmp_path: Path, value: str) -> None:
    error = refused(tmp_path, f"RECIPE = {value}\n")
    assert error.reason == "recipe-syntax"
    for style in ("Autotools", "Custom", "Kconfig", "Make"):
        assert style in error.detail


def test_the_bare_base_class_is_no_recipe(tmp_path: Path) -> None:
    assert refused(tmp_path, recipe_text("Recipe")).reason == "recipe-syntax"


@pytest.mark.parametrize("field", ["summary", "version", "license"])
def test_a_missing_field_is_named(tmp_path: Path, field: str) -> None:
    fields: dict[str, str | None] = {**FIELDS, field: None}
    error = refused(tmp_path, recipe_text("Autotools", **fields))
    assert error.reason == "missing-field"
    assert f"'{field}'" in error.detail
    assert error.detail.startswith("line 3: Autotools:")


@pytest.mark.parametrize("field", ["address", "sha256", "provenance"])
def test_a_missing_field_of_the_source_is_named(tmp_path: Path, field: str) -> None:
    given = {"address": '"https://x/y"', "sha256": f'"{SHA}"', "provenance": '"us"'}
    del given[field]
    inner = ", ".join(f"{name}={text}" for name, text in given.items())
    error = refused(tmp_path, recipe_text(sources=f"[Source({inner})]"))
    assert error.reason == "missing-field"
    assert f"'{field}'" in error.detail
    assert error.detail.startswith("line 6: Source:")


def test_an_unknown_field_gets_its_line_and_a_suggestion(tmp_path: Path) -> None:
    error = refused(tmp_path, recipe_text(licence='"MIT"'))
    assert error.reason == "unknown-field"
    assert error.detail == "line 9: Autotools has no field 'licence'"
    assert error.hint == "did you mean 'license'?"


def test_a_field_of_another_style_is_unknown_and_the_known_ones_are_listed(tmp_path: Path) -> None:
    error = refused(tmp_path, recipe_text("Make", fragments='("x",)'))
    assert error.reason == "unknown-field"
    assert "known: " in error.hint
    assert "variables" in error.hint


def test_a_run_takes_no_names(tmp_path: Path) -> None:
    error = refused(tmp_path, recipe_text(prepare='(Run(argv="x"),)'))
    assert error.reason == "unknown-field"


def test_a_field_that_stands_twice_is_refused(tmp_path: Path) -> None:
    text = recipe_text().replace('    version="1.0",\n', '    version="1.0",\n    version="2.0",\n')
    error = refused(tmp_path, text)
    assert error.reason == "malformed-field"
    assert error.detail == "line 6: Autotools.version is given twice"


MALFORMED = {
    "number for text": {"version": "1"},
    "nothing for text": {"version": "None"},
    "bytes for text": {"version": 'b"1"'},
    "text for a tuple": {"license_files": '"COPYING"'},
    "numbers in a tuple": {"license_files": "(1, 2)"},
    "text for a source": {"sources": '"https://example.org/x"'},
    "pair of three": {"env": '(("a", "b", "c"),)'},
    "text for pairs": {"env": '("a", "b")'},
    "run for a tuple of steps": {"prepare": 'Run("make")'},
    "text for a step": {"prepare": '("make",)'},
    "number in a run": {"prepare": '(Run("make", 2),)'},
    "tuple in a run": {"prepare": '(Run(("make", "all")),)'},
    "run for texts": {"needs": 'Run("a")'},
    "user for a permission": {"permissions": '(User("a", 1),)'},
    "dictionary for pairs": {"env": '{"a": "b"}'},
    "number for a flag": {"features": feature("x", default="1")},
    "text within a feature": {"features": feature("x", on='"--enable-x"')},
    "text for a user id": {"users": '(User("a", "1"),)'},
    "flag for a user id": {"users": '(User("a", True),)'},
    "text within an alternate": {
        "sources": f'[Source("https://x/y", "{SHA}", "us", alternates=[Alternate("u", 1, "d")])]'
    },
    "sum of text and tuple": {"license_files": '"a" + ("b",)'},
}


@pytest.mark.parametrize("changes", MALFORMED.values(), ids=MALFORMED)
def test_a_value_of_the_wrong_type_is_refused(tmp_path: Path, changes: dict[str, str]) -> None:
    error = refused(tmp_path, recipe_text(**changes))
    assert error.reason == "malformed-field"
    assert error.detail.startswith("line ")


@pytest.mark.parametrize(
    ("field", "text", "wanted"),
    [
        ("license_files", '"COPYING"', "list[str]"),
        ("env", '"A=b"', "list[tuple[str, str]]"),
        ("sources", 'Source("https://x/y", "", "us")', "list[Source | Git | Folder]"),
    ],
)
def test_a_single_value_for_a_list_gets_the_hint(
    tmp_path: Path, field: str, text: str, wanted: str
) -> None:
    error = refused(tmp_path, recipe_text(**{field: text}))
    assert error.hint == "write a list: [x]"
    assert f"{field} must be {wanted}, not" in error.detail


def test_lists_and_tuples_mean_the_same(tmp_path: Path) -> None:
    written = load(tmp_path, "a", license_files='["A", "B"] + ["C"]', env='[["X", "y"]]').recipe
    assert written.license_files == ("A", "B", "C")
    assert written.env == (("X", "y"),)
    frozen = load(tmp_path, "b", license_files='("A", "B", "C")', env='(("X", "y"),)').recipe
    assert hash(written) == hash(frozen)
    assert written == frozen


def test_a_word_outside_the_allowed_ones_is_refused(tmp_path: Path) -> None:
    good = load(tmp_path, "good", "Kconfig", refresh='"oldconfig"').recipe
    assert isinstance(good, Kconfig)
    for wrong in ('"silentoldconfig"', '""', '"old"', "1"):
        error = refused(tmp_path, recipe_text("Kconfig", refresh=wrong))
        assert error.reason == "malformed-field"
        assert "olddefconfig" in error.detail


@pytest.mark.parametrize("target", ["/nowhere/at/all", "thing"], ids=["dangling", "loop"])
def test_a_folder_of_a_product_that_cannot_be_read_is_an_error(tmp_path: Path, target: str) -> None:
    add(tmp_path / "own", "thing")
    (tmp_path / "acme").mkdir()
    (tmp_path / "acme/thing").symlink_to(target)
    with pytest.raises(QuardError) as caught:
        Catalog(tmp_path / "own", more={"acme": tmp_path / "acme"}).names()
    assert caught.value.reason == "bad-extension"
    assert caught.value.message == "acme:packages/thing cannot be read"


def test_a_fragment_of_a_product_with_another_line_is_an_error(tmp_path: Path) -> None:
    add(tmp_path / "own", "thing", style="Kconfig")
    (tmp_path / "acme/thing").mkdir(parents=True)
    (tmp_path / "acme/thing/x.fragment").write_text("CONFIG_A=y\nB=y\n")
    found = Catalog(tmp_path / "own", more={"acme": tmp_path / "acme"})["thing"]
    with pytest.raises(QuardError) as caught:
        found.files()
    assert caught.value.reason == "bad-fragment"
    said = "acme:packages/thing/x.fragment is not a configuration fragment"
    assert (caught.value.message, caught.value.detail) == (said, "line 2: B=y")


def test_what_editors_leave_between_the_folders_of_a_product_adds_nothing(tmp_path: Path) -> None:
    add(tmp_path / "own", "thing")
    (tmp_path / "acme/thing.orig").mkdir(parents=True)
    (tmp_path / "acme/thing.orig/0001-x.patch").write_text("x")
    (tmp_path / "acme/.#thing").symlink_to("me@here:1")
    assert Catalog(tmp_path / "own", more={"acme": tmp_path / "acme"}).names() == ("thing",)


def test_a_text_and_the_sites_of_trees_are_told_apart(tmp_path: Path) -> None:
    """A recipe that was found clean with one of both is checked again with the other."""

    def sha256(text: str, *sites: str) -> str:
        add_text(tmp_path, "thing", text)
        catalog = Catalog(tmp_path)
        catalog.sites = dict.fromkeys(sites, ("https://example.org",))
        return catalog["thing"].sha256

    text = f"{recipe_text()}#"
    assert sha256(text, "acme") != sha256(f"{text}acme")
    assert sha256(text, "acme", "other") != sha256(text, "acme")
