"""Small recipes, boards and plans for the tests of the engine's pure half."""

from __future__ import annotations

from pathlib import Path

from quard.recipes.catalog import Catalog, Package

TOP = Path(__file__).resolve().parents[2]
SHA = "0123456789abcdef" * 4
SOURCE = (
    f'[Source("https://example.org/{{name}}-{{version}}.tar.gz", sha256="{SHA}", provenance="us")]'
)
FIELDS = {
    "summary": '"A thing"',
    "version": '"1.0"',
    "sources": SOURCE,
    "license": '"MIT"',
    "license_files": '("COPYING",)',
}
"""What every recipe has, as source text."""


def recipe_text(style: str = "Autotools", **changes: str | None) -> str:
    """Return a recipe's text; `changes` are fields as source text, None takes one out."""
    fields = {**FIELDS, **changes}
    lines = [f"    {name}={text},\n" for name, text in fields.items() if text is not None]
    return f"from quard.model import *\n\nRECIPE = {style}(\n{''.join(lines)})\n"


def add_text(packages: Path, name: str, text: str) -> Path:
    """Write one recipe's text and return its folder."""
    folder = packages / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "recipe.py").write_text(text, encoding="utf-8")
    return folder


def add(packages: Path, name: str, style: str = "Autotools", **changes: str | None) -> Path:
    """Write one recipe and return its folder."""
    return add_text(packages, name, recipe_text(style, **changes))


def feature(name: str, **changes: str) -> str:
    """Return the source text of a tuple with one feature."""
    fields = {
        "summary": '"a choice"',
        "on": f'("--enable-{name}",)',
        "off": f'("--disable-{name}",)',
        **changes,
    }
    inner = ", ".join(f"{key}={text}" for key, text in fields.items())
    return f'(Feature("{name}", {inner}),)'


def load(packages: Path, name: str, style: str = "Autotools", **changes: str | None) -> Package:
    """Write one recipe and return it as the catalog reads it."""
    add(packages, name, style, **changes)
    return Catalog(packages)[name]
