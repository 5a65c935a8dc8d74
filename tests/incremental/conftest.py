"""Fixtures of the end-to-end tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from incremental.project import Project

GREET_H = "int greet(void);\n"
GREET_C = '#include "greet.h"\nint greet(void) { return 42; }\n'
HELLO_C = "#include <greet.h>\nint main(void) { return greet() - 42; }\n"
ALL = ["alone", "greet", "hello", "libc"]
"""The packages of `greeting`."""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """An empty project: a board with the C library alone."""
    return Project(tmp_path / "project")


@pytest.fixture
def greeting(project: Project) -> Project:
    """A library, a program that uses it, and one that does not."""
    project.library("greet", GREET_C, GREET_H)
    project.program("hello", HELLO_C, "-lgreet", more='needs=("greet",),')
    project.program("alone", "int main(void) { return 0; }\n")
    project.board(["alone", "hello", "libc"])
    return project
