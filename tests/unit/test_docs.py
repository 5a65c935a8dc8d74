"""The reference pages have every key that the engine reads, and no other."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from quard import board, settings
from quard.image import machine, system
from quard.table import Table

PROJECT = Path(__file__).parents[2]
DOCS = PROJECT / "docs"
BOARDS = "boards-and-machines.md"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The keys that are asked of tables from now on, without the numbers of lists."""
    found: set[str] = set()
    take, value = Table._take, Table.value

    def note(table: Table, key: str) -> None:
        found.add(re.sub(r"\[\d+\]", "", f"{table._name}{key}"))

    def noting_take(table: Table, key: str, kind: type[Any], name: str, default: Any) -> Any:
        if kind is not dict:
            note(table, key)
        return take(table, key, kind, name, default)

    def noting_value(table: Table, key: str) -> Any:
        note(table, key)
        return value(table, key)

    monkeypatch.setattr(Table, "_take", noting_take)
    monkeypatch.setattr(Table, "value", noting_value)
    return found


def documented(text: str) -> set[str]:
    """Return the keys in the first column of a text's tables, `[table] key` as `table.key`."""
    rows = re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)
    return {re.sub(r"^\[(\w+)\] (\S+).*", r"\1.\2", row) for row in rows}


def section(page: str, heading: str) -> str:
    """Return the part of a page below a heading."""
    text = (DOCS / page).read_text(encoding="utf-8")
    return text.partition(f"## {heading}")[2].partition("\n## ")[0]


def compare(asked: set[str], documented: set[str]) -> None:
    """Hold both sets against each other; capitals in a documented key stand for any name."""
    names = {key for key in documented if re.search(r"\b[A-Z]+\b", key)}
    patterns = [re.sub(r"\b[A-Z]+\b", "[^.]+", re.escape(key)) for key in names]
    # A list of tables is documented by what is in them.
    lists = {key for key in asked if any(other.startswith(f"{key}.") for other in asked)}
    plain = {key for key in asked - lists if not any(re.fullmatch(p, key) for p in patterns)}
    assert plain == documented - names


PERMISSION = """
[[permission]]
path = "/usr/bin/x"
mode = "4755"
"""
"""The one kind of table that the shipped system has no example of."""


def load_board(folder: Path) -> None:
    del folder
    board.load(PROJECT / "configs", "quard-star")


def load_system(folder: Path) -> None:
    shipped = (PROJECT / "configs/system/base.toml").read_text(encoding="utf-8")
    table = folder / "whole.toml"
    table.write_text(shipped + PERMISSION, encoding="utf-8")
    system.load(table)


def load_machine(folder: Path) -> None:
    del folder
    machine.load(PROJECT / "qemu/virt.toml")


@pytest.mark.parametrize(
    ("heading", "load"),
    [("Boards", load_board), ("System tables", load_system), ("Machines", load_machine)],
)
def test_the_page_has_every_key_that_is_read(
    asked: set[str], heading: str, load: Callable[[Path], None], tmp_path: Path
) -> None:
    load(tmp_path)
    compare(asked, documented(section(BOARDS, heading)))


def test_the_settings_page_has_every_key_that_is_read(asked: set[str], tmp_path: Path) -> None:
    settings.load(tmp_path, {}, tmp_path)
    compare(asked, documented((DOCS / "settings.md").read_text(encoding="utf-8")))
