"""Lint, formatting and types of the whole project, with the tools' own output when they object."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
CHECKS = {
    "lint": ("ruff", "check", "."),
    "format": ("ruff", "format", "--check", "."),
    "types": ("mypy",),
}


@pytest.mark.parametrize("command", CHECKS.values(), ids=CHECKS)
def test_the_project_passes(command: tuple[str, ...]) -> None:
    done = subprocess.run(
        (sys.executable, "-m", *command),
        cwd=TOP,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"python -m {' '.join(command)}\n{done.stdout}"
