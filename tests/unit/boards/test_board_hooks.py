"""The table [hooks] of a board."""

from __future__ import annotations

from typing import Any

import pytest

from quard.base.errors import QuardError
from quard.base.table import Table
from quard.boards.hooks import hooks

FILE = "configs/x.toml"


def read(tree: str = "", **keys: Any) -> Any:
    return hooks(Table({**keys}, FILE, "bad-board"), tree)


def test_paths_are_in_the_tree_of_the_board() -> None:
    found = read("acme", post_root=["a.sh", "quardroot:b.sh"], inputs=["keys"], tools=["openssl"])
    assert found.files == ("acme:a.sh", "b.sh", "acme:keys")
    assert found.tools == ("openssl",)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"inputs": ["x"]}, "post_image must name a script"),
        ({"post_image": ["a.sh"]}, "outputs must name the files that post_image makes"),
        ({"post_root": ["a.sh"], "outputs": ["x"]}, "outputs must name"),
        ({"post_image": ["a.sh"], "outputs": ["x/y"]}, "not 'x/y'"),
        ({"post_image": ["a.sh"], "outputs": ["..", "x"]}, "not '..'"),
        ({"post_image": ["a.sh"], "outputs": ["x", "x"]}, "different names of files"),
        ({"post_root": ["../a.sh"]}, "paths below their tree"),
        ({"post_root": ["a.sh"], "inputs": ["acme:a.sh"]}, "one place in {files}"),
        ({"post_root": ["h/a.sh"], "inputs": ["h"]}, "one place in {files}"),
        ({"post_root": ["a.sh"], "scripts": []}, "unknown key scripts"),
    ],
)
def test_what_has_no_meaning_is_refused(keys: dict[str, Any], said: str) -> None:
    with pytest.raises(QuardError) as caught:
        read(**keys)
    assert caught.value.reason == "bad-board"
    assert said in caught.value.message
