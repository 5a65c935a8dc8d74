"""Which name was meant: one rule and one wording for packages, keys, options and libraries."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from quard.base.names import meant, nearest, unknown

ENGINE = Path(__file__).resolve().parents[3] / "site_scons"


def test_the_most_alike_name_comes_first() -> None:
    known = ("libcrypto.so.3", "libz.so.1", "libssl.so.3")
    assert nearest("libssl.so.1", known, count=2) == ("libssl.so.3", "libz.so.1")


def test_nothing_is_near_to_a_name_that_is_like_none() -> None:
    assert nearest("xyzzy", ("busybox", "zlib")) == ()
    assert nearest("busybox", ()) == ()


def test_a_caller_can_ask_for_names_that_are_more_alike() -> None:
    assert nearest("libz.so.1", ("libssl.so.3",)) == ("libssl.so.3",)
    assert nearest("libz.so.1", ("libssl.so.3",), alike=0.8) == ()


@pytest.mark.parametrize(
    ("name", "known"), [("board", "BOARD"), ("Bord", "BOARD"), ("OpenSSL", "openssl")]
)
def test_capital_and_small_letters_are_the_same(name: str, known: str) -> None:
    assert nearest(name, ("zlib", known)) == (known,)


def test_names_that_differ_in_case_only_are_all_known() -> None:
    assert nearest("board", ("BOARD", "Board"), count=2) == ("BOARD", "Board")


def test_the_hint_quotes_the_name_or_says_what_else_to_do() -> None:
    assert meant("zlbi", ("zlib",), "add it") == "did you mean 'zlib'?"
    assert meant("xyzzy", ("zlib",), "add it") == "add it"


def test_the_error_lists_what_there_is() -> None:
    error = unknown("board", "tinny", (name for name in ("tiny", "large")), "add configs/NAME.toml")
    assert (error.message, error.detail) == ("unknown board 'tinny'", "known: tiny, large")
    assert (error.reason, error.hint) == ("unknown-board", "did you mean 'tiny'?")
    assert unknown("board", "x", (), "add one").detail == "known: none"


def test_no_other_module_looks_for_similar_names_itself() -> None:
    using = {
        str(path.relative_to(ENGINE))
        for path in ENGINE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if "difflib" in imported(node)
    }
    assert using == {"quard/base/names.py"}


def imported(node: ast.AST) -> set[str | None]:
    """Return the modules that a statement imports, as far as a name without dots matters."""
    if isinstance(node, ast.ImportFrom):
        return {node.module}
    return {alias.name for alias in node.names} if isinstance(node, ast.Import) else set()
