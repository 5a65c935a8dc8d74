"""Where links lead is told as the kernel does it: held against real links in a folder."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from quard.base.links import MOST, Circle, Outside, followed, landing, leads_out

NAMES = ("a", "b", "c")


def made(folder: Path, seed: int) -> dict[str, str]:
    """Make folders and links in a folder; return path -> text of the links."""
    chance = random.Random(seed)
    links: dict[str, str] = {}
    paths = [""]
    for number in range(14):
        parent = chance.choice(paths)
        path = os.path.join(parent, f"{chance.choice(NAMES)}{number}")
        if chance.random() < 0.5:
            (folder / path).mkdir()
            paths.append(path)
        else:
            target = chance.choice([*paths, *links, "nowhere"]) or "."
            text = os.path.relpath(target, parent or ".")
            if chance.random() < 0.3:
                text = f"./{text}//."
            (folder / path).symlink_to(text)
            links[path] = text
    return links


@pytest.mark.parametrize("seed", range(40))
def test_a_path_leads_where_the_kernel_says(tmp_path: Path, seed: int) -> None:
    links = made(tmp_path, seed)
    for path in links:
        found = followed(path, links.get)
        if os.path.exists(tmp_path / path):
            assert (tmp_path / found).resolve() == (tmp_path / path).resolve()
        else:
            assert not os.path.lexists(tmp_path / found)


def test_absolute_texts_and_too_many_steps_up_begin_at_the_root() -> None:
    links = {"usr/a": "/lib/x", "usr/b": "../../../lib/x", "lib": "usr/lib"}
    assert followed("usr/a", links.get) == "usr/lib/x"
    assert followed("usr/b", links.get) == "usr/lib/x"
    assert followed("/usr/./a/..", links.get) == "usr/lib"


def test_links_that_lead_to_each_other_are_a_circle() -> None:
    with pytest.raises(Circle):
        followed("a", {"a": "b", "b": "./a"}.get)


@pytest.mark.parametrize("count", [MOST, MOST + 1])
def test_as_many_links_are_followed_as_by_the_kernel(tmp_path: Path, count: int) -> None:
    links = {f"l{number}": f"l{number + 1}" for number in range(count)}
    for path, text in links.items():
        (tmp_path / path).symlink_to(text)
    (tmp_path / f"l{count}").touch()
    if os.path.exists(tmp_path / "l0"):
        assert followed("l0", links.get) == f"l{count}"
    else:
        with pytest.raises(Circle):
            followed("l0", links.get)
    assert os.path.exists(tmp_path / "l0") == (count <= MOST)


def test_nothing_goes_above_a_floor() -> None:
    links = {"top/in": "sub/..", "top/out": "../other", "top/by": "in/../.."}
    assert followed("top/in", links.get, floor=1) == "top"
    assert followed("top/out", links.get) == "other"
    for path in ("top/out", "top/by"):
        with pytest.raises(Outside):
            followed(path, links.get, floor=1)


@pytest.mark.parametrize(
    ("path", "text", "wanted"),
    [
        ("usr/lib/x", "y", "usr/lib/y"),
        ("usr/lib/x", "../../y", "y"),
        ("usr/x", "../../../y", "y"),
        ("usr/x", "/etc/./y", "etc/y"),
        ("usr/x", "//etc/y", "etc/y"),
        ("x", "..y", "..y"),
    ],
)
def test_a_text_alone_means_a_path(path: str, text: str, wanted: str) -> None:
    assert landing(path, text) == wanted


@pytest.mark.parametrize(
    ("path", "text", "out"),
    [
        ("a", "..", True),
        ("a/b", "..", False),
        ("a/b", "../../c", True),
        ("a/b", "/../c", False),
        ("a", "..c", False),
    ],
)
def test_a_relative_text_may_lead_out(path: str, text: str, out: bool) -> None:
    assert leads_out(path, text) is out
