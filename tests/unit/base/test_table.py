"""Strict tables: every key known, typed, and named in full when it is wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quard.base.errors import QuardError
from quard.base.table import Table, read


def table(**data: Any) -> Table:
    return Table(data, "x.toml", "bad-x")


def test_each_kind_of_value_is_taken_as_it_is() -> None:
    found = table(t="text", n=3, f=False, l=["a", "b"], d={"inner": "x"}, many=[{"k": "v"}])
    assert found.text("t") == "text"
    assert found.number("n") == 3
    assert found.flag("f") is False
    assert found.texts("l") == ("a", "b")
    assert found.table("d").text("inner") == "x"
    assert [one.text("k") for one in found.tables("many")] == ["v"]
    found.finish()


def test_defaults_stand_in_for_absent_keys_only() -> None:
    found = table(t="", n=0, f=False, l=[])
    assert found.text("t", "default") == ""
    assert found.number("n", 7) == 0
    assert found.flag("f", True) is False
    assert found.texts("l", ("x",)) == ()
    assert (found.text("a", "d"), found.number("b", 7), found.flag("c", True)) == ("d", 7, True)
    assert found.texts("e", ("x",)) == ("x",)
    assert found.tables("g") == ()
    assert found.table("h").names() == ()


TAKERS: tuple[tuple[str, Callable[[Table], Any], Any, str], ...] = (
    ("text", lambda t: t.text("k"), 5, "must be a string, not 5"),
    ("number", lambda t: t.number("k"), True, "must be a whole number, not True"),
    ("number", lambda t: t.number("k"), 1.5, "must be a whole number, not 1.5"),
    ("flag", lambda t: t.flag("k"), 1, "must be true or false, not 1"),
    ("texts", lambda t: t.texts("k"), "a", "must be a list of strings, not 'a'"),
    ("texts", lambda t: t.texts("k"), ["a", 1], "must be a list of strings"),
    ("table", lambda t: t.table("k"), "a", "must be a table, not 'a'"),
    ("tables", lambda t: t.tables("k"), [1], "must be a list of tables"),
    ("choice", lambda t: t.choice("k", ("a", "b"), "a"), "c", "must be one of a, b, not 'c'"),
)


@pytest.mark.parametrize(("name", "take", "wrong", "text"), TAKERS)
def test_a_value_of_the_wrong_kind_names_file_key_and_kind(
    name: str, take: Callable[[Table], Any], wrong: Any, text: str
) -> None:
    del name
    with pytest.raises(QuardError) as caught:
        take(table(k=wrong))
    assert caught.value.message == f"x.toml: k {text}"
    assert caught.value.reason == "bad-x"


@pytest.mark.parametrize(
    "take", [lambda t: t.text("k"), lambda t: t.number("k"), lambda t: t.texts("k")]
)
def test_a_missing_key_without_a_default_is_named(take: Callable[[Table], Any]) -> None:
    with pytest.raises(QuardError) as caught:
        take(table())
    assert (caught.value.message, caught.value.reason) == ("x.toml: k is missing", "bad-x")


def test_a_left_over_key_is_refused_with_the_nearest_known_one() -> None:
    found = table(hostnme="x")
    found.text("hostname", "")
    with pytest.raises(QuardError) as caught:
        found.finish()
    assert caught.value.message == "x.toml: unknown key hostnme"
    assert caught.value.hint == "did you mean 'hostname'?"
    assert caught.value.reason == "bad-x"


def test_a_key_of_an_inner_table_is_named_with_its_path() -> None:
    found = table(outer={"inner": {"odd": 1}}, many=[{}, {"odd": 1}])
    for inner, name in (
        (found.table("outer").table("inner"), "outer.inner.odd"),
        (found.tables("many")[1], "many[1].odd"),
    ):
        with pytest.raises(QuardError) as caught:
            inner.finish()
        assert caught.value.message == f"x.toml: unknown key {name}"


def test_a_table_of_names_gives_them_sorted_and_is_done_when_all_are_taken() -> None:
    found = table(b=1, a=2)
    assert found.names() == ("a", "b")
    assert [found.value(name) for name in found.names()] == [2, 1]
    found.finish()


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"a = ", "is not valid TOML"),
        (b"a = 1\na = 2\n", "is not valid TOML"),
        (b"[t]\n[t]\n", "is not valid TOML"),
        (b"a = '\xff'\n", "is not valid TOML"),
    ],
)
def test_a_file_that_is_no_toml_is_an_error_with_the_place(
    tmp_path: Path, content: bytes, text: str
) -> None:
    path = tmp_path / "x.toml"
    path.write_bytes(content)
    with pytest.raises(QuardError) as caught:
        read(path, "configs/x.toml", "bad-x")
    assert caught.value.message == f"configs/x.toml {text}"
    assert caught.value.reason == "bad-x"
    assert caught.value.detail
    assert str(tmp_path) not in caught.value.block()


@pytest.mark.parametrize("make", [Path.mkdir, lambda path: path.symlink_to("nothing")])
def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path, make: Any) -> None:
    path = tmp_path / "x.toml"
    make(path)
    with pytest.raises(QuardError) as caught:
        read(path, "x.toml", "bad-x")
    assert (caught.value.message, caught.value.reason) == ("x.toml cannot be read", "bad-x")
    assert caught.value.detail


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("package = 1", "there is 'package': did you mean 'packages'?"),
        ("[a.b]\npackages = 1", "[a.b] has it: move it above this line, to the keys that it"),
        ("other = 1", "add `packages` to x.toml"),
        ("", "add `packages` to x.toml"),
    ],
)
def test_a_missing_key_that_is_misspelt_or_elsewhere_is_found(
    tmp_path: Path, text: str, hint: str
) -> None:
    (tmp_path / "x.toml").write_text(text)
    with pytest.raises(QuardError) as caught:
        read(tmp_path / "x.toml", "x.toml", "bad-x").text("packages")
    assert caught.value.message == "x.toml: packages is missing"
    assert caught.value.hint.startswith(hint)
