"""Files beside a recipe that are installed with their placeholders replaced, in plans."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from recipe_parts import add

from quard.base.canonical import canonical
from quard.base.errors import QuardError
from quard.boards import board
from quard.boards.fragments import Fragments
from quard.boards.trees import Trees
from quard.plan.plan import CopyStep, Plan
from quard.plan.reading import read_plan
from quard.plan.resolve import Resolver
from quard.recipes.catalog import Catalog
from quard.recipes.lint import lint

INSTALL = '[Install(Template("x.pc.in"), "usr/lib/pkgconfig/x.pc")]'
BOARD = """\
summary = "One"
target = "riscv64-linux-gnu"
machine = "virt"
packages = ["app"]
"""


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs/one.toml").write_text(BOARD)
    return tmp_path / "packages"


def plan(packages: Path, text: str, version: str = "1.0", install: str = INSTALL) -> Plan:
    """Return the plan of a package with a template."""
    add(packages, "app", finish=install, version=f'"{version}"')
    (packages / "app/x.pc.in").write_text(text)
    project = packages.parent
    own = board.load(Trees(project), "one").own
    resolver = Resolver(own, Catalog(packages), Fragments(Trees(project), own.configuration))
    return resolver.resolve({}, {}).plans["app"]


def step(made: Plan) -> CopyStep:
    found = made.steps[-1]
    assert isinstance(found, CopyStep)
    return found


def test_the_plan_has_the_values_that_the_file_names_and_no_others(packages: Path) -> None:
    made = plan(packages, "prefix={prefix}\nVersion: {version}\n")
    values = (("prefix", "/usr"), ("version", "1.0"))
    assert step(made) == CopyStep(
        "install", "{files}/x.pc.in", "usr/lib/pkgconfig/x.pc", "0644", values
    )
    assert [file.name for file in made.files] == ["x.pc.in"]


def test_the_content_and_the_values_are_in_the_identity(packages: Path) -> None:
    texts = ("{version}", "{version}\n", "{triple}", "{{version}}", "{version}")
    versions = ("1.0", "1.0", "1.0", "1.0", "1.1")
    plans = [plan(packages, *each) for each in zip(texts, versions, strict=True)]
    assert len({made.identity for made in plans}) == len(texts)
    assert step(plans[3]).values == ()


def test_without_a_placeholder_it_is_still_no_plain_file(packages: Path) -> None:
    """Doubled braces lose one pair in templates alone."""
    filled = plan(packages, "{{version}}")
    plain = plan(packages, "{{version}}", install=INSTALL.replace('Template("x', '("{files}/x'))
    assert step(plain).values is None and step(filled).values == ()
    assert filled.identity != plain.identity


@pytest.mark.parametrize("text", ["plain", "{version} {prefix}"])
def test_it_is_read_back_from_data(packages: Path, text: str) -> None:
    made = plan(packages, text)
    assert read_plan(json.loads(canonical(made.as_json()))) == made


def test_names_without_a_value_are_told_with_their_lines_before_anything_runs(
    packages: Path,
) -> None:
    with pytest.raises(QuardError) as caught:
        plan(packages, "{versions}\n${prefix}\n{stage} {version} {openssl.targets}\n")
    error = caught.value
    assert error.reason == "unknown-placeholder"
    assert error.message == "packages/app/x.pc.in has placeholders without a value"
    first, second, third, known = error.detail.splitlines()
    assert (
        first == "packages/app/x.pc.in:1: unknown placeholder {versions}; did you mean 'version'?"
    )
    assert second.startswith("packages/app/x.pc.in:3: {stage} is a folder of the build")
    assert third.startswith(
        "packages/app/x.pc.in:3: unknown placeholder {openssl.targets}; did you"
    )
    assert known.startswith("known: build, cflags, cross, ")


@pytest.mark.parametrize(
    "install",
    [
        '[Install(Template("absent.in"), "usr/x")]',
        '[Install(Template("0001.patch"), "usr/x")]',
        '[Install(Template("recipe.py"), "usr/x")]',
        '[Install(Template("../other"), "usr/x")]',
        '[Install(Template("app.conf"), "usr/x")]',
    ],
)
def test_the_file_must_be_one_that_builds_see(packages: Path, install: str) -> None:
    folder = add(packages, "app", finish=install, configs='[Config("app.conf", "etc/app.conf")]')
    for name in ("0001.patch", "app.conf"):
        (folder / name).touch()
    catalog = Catalog(packages)
    (found,) = lint(catalog["app"], catalog)
    assert (found.field, found.reason) == ("finish", "missing-file")
