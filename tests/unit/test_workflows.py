"""The workflows of docs/ci are what the services accept, by the services' own schemas."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import checkout

FOLDER = checkout.TOP / "docs/ci"
SCHEMAS = {
    "github.yml": ("--builtin-schema=vendor.github-workflows",),
    "gitlab.yml": ("--builtin-schema=vendor.gitlab-ci", "--data-transform=gitlab-ci"),
}


def checked(path: Path, *schema: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "check_jsonschema", *schema, str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_each_workflow_has_a_schema() -> None:
    assert sorted(path.name for path in FOLDER.iterdir()) == sorted(SCHEMAS)


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_workflow_is_as_its_service_expects(name: str) -> None:
    done = checked(FOLDER / name, *SCHEMAS[name])
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_workflow_names_no_address(name: str) -> None:
    """Where things come from is the site's choice: a variable of the service says it."""
    assert "://" not in (FOLDER / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("github.yml", "runs-on:", "run-on:"),
        ("github.yml", "timeout-minutes: 120", "timeout-minutes: long"),
        ("gitlab.yml", "when: always", "when: sometimes"),
    ],
)
def test_the_schemas_find_mistakes(tmp_path: Path, name: str, old: str, new: str) -> None:
    text = (FOLDER / name).read_text(encoding="utf-8")
    assert old in text
    wrong = tmp_path / name
    wrong.write_text(text.replace(old, new))
    done = checked(wrong, *SCHEMAS[name])
    assert done.returncode == 1 and "Schema validation errors" in done.stdout
