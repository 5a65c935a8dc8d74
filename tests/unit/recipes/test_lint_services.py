"""The services and configuration files of a recipe: each rule broken once."""

from __future__ import annotations

from pathlib import Path

import pytest
from recipe_parts import add, load

from quard.recipes.catalog import Catalog
from quard.recipes.lint import lint


def findings(packages: Path, **changes: str) -> list[tuple[str, str, str]]:
    """Return the findings as (field, text, reason)."""
    folder = add(packages, "thing")
    for name in ("x.init", "x.conf"):
        (folder / name).write_text("")
    package = load(packages, "thing", **changes)
    return [(f.field, f.text, f.reason) for f in lint(package, Catalog(packages))]


def service(fields: str) -> dict[str, str]:
    return {"services": f"[Service({fields})]"}


@pytest.mark.parametrize(
    "changes",
    [
        service('"x", start=0, script="x.init"'),
        service('"x", start=99, run=["/usr/bin/x", "-f"], user="web"'),
        {"configs": '[Config("x.conf", "etc/x.conf"), Config("x.conf", "etc/y.conf", mode="600")]'},
    ],
)
def test_what_these_fields_may_say_is_clean(tmp_path: Path, changes: dict[str, str]) -> None:
    assert findings(tmp_path, **changes) == []


EITHER = "give either `script`, a file beside the recipe, or `run`, a program with arguments"


@pytest.mark.parametrize(
    ("fields", "text", "reason"),
    [
        ('"x", start=1', EITHER, "bad-service"),
        ('"x", start=1, script="x.init", run=["/x"]', EITHER, "bad-service"),
        ('"x", start=1, script="y.init"', "no file 'y.init'", "missing-file"),
        ('"x", start=100, script="x.init"', "start must be from 0 to 99, not 100", "bad-service"),
        (
            '"x", start=1, run=["x"]',
            "run: 'x' must be the program's path, which begins with /",
            "bad-service",
        ),
        (
            '"x", start=1, script="x.init", user="web"',
            "user is for `run`; a script says itself as whom a program runs",
            "bad-service",
        ),
        (
            '"x", start=1, run=["/x"], user="Web"',
            "user: 'Web' must be lower-case letters, digits, - and _",
            "bad-service",
        ),
    ],
)
def test_what_a_service_cannot_be_is_found(
    tmp_path: Path, fields: str, text: str, reason: str
) -> None:
    assert findings(tmp_path, **service(fields)) == [("service x", text, reason)]


def test_a_service_has_a_name(tmp_path: Path) -> None:
    text = "is not a valid name: use a-z, digits, + . and -"
    found = findings(tmp_path, **service('"X x", start=1, script="x.init"'))
    assert found == [("service X x", text, "bad-service")]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ('"y.conf", "etc/y.conf"', "missing-file"),
        ('"x.conf", "/etc/x.conf"', "bad-path"),
        ('"x.conf", "etc/x.conf", mode="4755"', "bad-mode"),
    ],
)
def test_what_a_configuration_file_cannot_be_is_found(
    tmp_path: Path, fields: str, reason: str
) -> None:
    assert [each[2] for each in findings(tmp_path, configs=f"[Config({fields})]")] == [reason]


def test_two_services_of_one_name_and_two_files_at_one_path_are_found(tmp_path: Path) -> None:
    one = 'Service("x", start=1, script="x.init")'
    file = 'Config("x.conf", "etc/x.conf")'
    found = findings(tmp_path, services=f"[{one}, {one}]", configs=f"[{file}, {file}]")
    assert [each[0] for each in found] == ["services", "configs"]


def test_a_step_cannot_use_what_goes_into_the_image_as_it_is(tmp_path: Path) -> None:
    found = findings(
        tmp_path,
        configs='[Config("x.conf", "etc/x.conf")]',
        finish='[Install("{files}/x.conf", "etc/y.conf")]',
    )
    assert [(field, reason) for field, _, reason in found] == [("finish", "missing-file")]
