"""The project's licence, and those of others in it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from quard.recipes.catalog import Catalog

TOP = Path(__file__).resolve().parents[2]
APACHE_2_0 = "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"
"""Of the text that the Apache Software Foundation publishes, SPDX identifier Apache-2.0."""
PATCHED = sorted({path.parent.name for path in TOP.glob("packages/*/*.patch")})


def test_the_licence_is_the_exact_text() -> None:
    assert hashlib.sha256((TOP / "LICENSE").read_bytes()).hexdigest() == APACHE_2_0


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_the_pages_name_the_licence_and_that_of_patches(page: str) -> None:
    text = " ".join((TOP / page).read_text(encoding="utf-8").split())
    assert "is under the Apache License 2.0 ([LICENSE](LICENSE))" in text
    assert "patch beside a recipe" in text


@pytest.mark.parametrize("name", PATCHED)
def test_a_patch_lies_beside_a_recipe_that_names_its_licence(name: str) -> None:
    recipe = Catalog(TOP / "packages")[name].recipe
    assert recipe.license
    assert recipe.license_files
