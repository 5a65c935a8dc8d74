"""The reference pages have every key that the engine reads, and no other."""

from __future__ import annotations

import dataclasses
import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from plan_parts import RISCV, configuration

from quard import model
from quard.base.table import Table
from quard.boards import board, settings, targets, treefile
from quard.boards.trees import Trees
from quard.image import system
from quard.machine import machine
from quard.plan.compose import Inputs, compose
from quard.plan.plan import HeadersStep, KconfigStep, RunStep, Step, ToolchainStep, WriteStep

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
    # A board reads its target, whose keys have a page of their own.
    monkeypatch.setattr(board, "target", lambda *_: RISCV)
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


UNHARDENED = """
[[unhardened]]
path = "/opt/x"
lacks = ["pie"]
reason = "bought"
"""
"""And the one that no shipped board has."""
HOOKS = """
[hooks]
post_root = ["x.sh"]
"""
"""Without any key of this table, none of its keys is asked for."""


def load_board(folder: Path) -> None:
    shipped = (PROJECT / "configs/quard-star.toml").read_text(encoding="utf-8")
    (folder / "configs").mkdir()
    (folder / "configs/whole.toml").write_text(shipped + UNHARDENED + HOOKS, encoding="utf-8")
    board.load(Trees(folder), "whole")


def load_system(folder: Path) -> None:
    shipped = (PROJECT / "configs/system/base.toml").read_text(encoding="utf-8")
    table = folder / "whole.toml"
    table.write_text(shipped + PERMISSION, encoding="utf-8")
    system.load(table)


def load_machine(folder: Path) -> None:
    text = (PROJECT / "qemu/virt-aarch64.toml").read_text(encoding="utf-8")
    (folder / "whole.toml").write_text(f"{text}\n[loaded]\nImage = 1\n", encoding="utf-8")
    machine.load(folder / "whole.toml")


def test_the_page_has_every_key_of_a_root(asked: set[str], tmp_path: Path) -> None:
    shipped = (PROJECT / "configs/quard-star.toml").read_text(encoding="utf-8")
    root = UNHARDENED.replace("unhardened", "roots.early.unhardened")
    root += HOOKS.replace("hooks", "roots.early.hooks")
    text = f"{shipped}\n[roots.early]\npackages = []\n{root}"
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs/whole.toml").write_text(text, encoding="utf-8")
    board.load(Trees(tmp_path), "whole")
    keys = {key.removeprefix("roots.early.") for key in asked if key.startswith("roots.early.")}
    compare(keys, documented(section(BOARDS, "Named roots")))


@pytest.mark.parametrize(
    ("heading", "load"),
    [("Boards", load_board), ("System tables", load_system), ("Machines", load_machine)],
)
def test_the_page_has_every_key_that_is_read(
    asked: set[str], heading: str, load: Callable[[Path], None], tmp_path: Path
) -> None:
    load(tmp_path)
    compare(asked, documented(section(BOARDS, heading)))


def test_the_page_of_targets_has_every_key_that_is_read(asked: set[str]) -> None:
    targets.target("arm-linux-gnueabihf")
    compare(asked, documented((DOCS / "targets.md").read_text(encoding="utf-8")))


def test_the_page_has_every_key_of_a_product_tree(asked: set[str], tmp_path: Path) -> None:
    shutil.copytree(DOCS / "examples/product", tmp_path / "product")
    treefile.load(PROJECT, [tmp_path / "product"])
    text = section("product-tree.md", "What a tree has").partition("Its keys are:")[2]
    compare(asked, documented(text))


def test_the_settings_page_has_every_key_that_is_read(asked: set[str], tmp_path: Path) -> None:
    # Without any key of these two tables, none of their keys is asked for.
    settings.load(tmp_path, {"compiler.launcher": "none", "remote.execute": "no"}, tmp_path)
    compare(asked, documented((DOCS / "settings.md").read_text(encoding="utf-8")))


STYLES = model.Recipe.__subclasses__()


def shown(step: Step) -> str:
    """Return a step as the page writes it."""
    match step:
        case RunStep(argv=argv):
            words = " ".join(word if "{" in word else shlex.quote(word) for word in argv)
        case KconfigStep(make=make, base=base, refresh=refresh):
            run = shlex.join(make)
            words = f"{run} {base}, then fragments and lines, then {run} {refresh}"
        case WriteStep(path=path):
            words = f"write {path}"
        case ToolchainStep():
            words = "take libraries of the toolchain"
        case HeadersStep():
            words = "take headers of the kernel"
        case _:
            raise AssertionError(f"the page has no form for {step}")
    return f"{step.phase:9}  {words}"


@pytest.mark.parametrize("style", STYLES)
def test_the_page_of_styles_has_each_ones_own_commands(style: type[model.Recipe]) -> None:
    recipe = style(summary="A thing", version="1", license="MIT", **_required(style))
    plan = compose(
        "thing",
        recipe,
        configuration=configuration(),
        features={},
        inputs=Inputs(),
    )
    blocks = re.findall(
        r"```\n(.*?)```", section("build-styles.md", f"`{style.__name__}`"), re.DOTALL
    )
    assert "".join(blocks).splitlines() == [shown(step) for step in plan.steps]


def _required(style: type[model.Recipe]) -> dict[str, Any]:
    """Return values for the fields without which a style does nothing."""
    if style is model.ToolchainRuntime:
        return {"libraries": ("libc.so.6",), "headers": ("linux",)}
    return {}


def test_the_page_on_packages_has_every_field_of_a_recipe() -> None:
    text = (DOCS / "adding-a-package.md").read_text(encoding="utf-8")
    rows = "\n".join(re.findall(r"^\| .*", text, re.MULTILINE))
    fields = {field.name for style in STYLES for field in dataclasses.fields(style)}
    assert {name for name in fields if f"`{name}`" not in rows} == set()


def test_every_style_is_on_the_page() -> None:
    known = {item.__name__ for item in STYLES}
    text = (DOCS / "build-styles.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^## `(\w+)`$", text, re.MULTILINE)) == known


def test_decisions_are_numbered_one_after_the_other_and_the_overview_names_each() -> None:
    pages = sorted(path.name for path in (DOCS / "adr").glob("*.md"))
    assert [name[:5] for name in pages] == [f"{number:04}-" for number in range(1, len(pages) + 1)]
    overview = (DOCS.parent / "ARCHITECTURE.md").read_text(encoding="utf-8")
    assert [name for name in pages if f"(docs/adr/{name})" not in overview] == []
