"""The checks of style: what `./scons test` and the hooks of pre-commit both run.

usage: .venv/bin/python tests/style.py [NAME...]      without a name, all of them

Each check runs one tool from the top folder over the whole project. Those of requirements-test.in
have their settings in pyproject.toml.
"""

from __future__ import annotations

import argparse
import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import checkout

TOP = checkout.TOP
LOCK = TOP / "requirements-test.lock"
CHECKS = {
    "lint": ("ruff", "check", "--quiet", "."),
    "format": ("ruff", "format", "--check", "--quiet", "."),
    "types": ("mypy", "--no-error-summary"),
    "spelling": ("codespell_lib",),
    "shell": ("shellcheck", "--external-sources", "--source-path=SCRIPTDIR:rootfs/etc/init.d"),
}
"""Name -> module of Python and its arguments; shellcheck is a program."""
SCRIPT = (b"#!/bin/sh\n", b"#!/usr/bin/env bash\n", b"# shellcheck shell=")
"""How a shell script begins, or a file that one reads in."""
PARTS = "qemu/run/"
"""What run.sh is made of: a script only together, which tests/unit/machine checks."""


def run(name: str) -> tuple[int, str]:
    """Return the exit status of a check, and what it prints."""
    tool, *arguments = CHECKS[name]
    if name == "shell":
        if shutil.which(tool) is None:
            return 2, f"{tool} is not installed: ./scons test installs it\n"
        command = [tool, *arguments, *scripts()]
    else:
        if is_outdated(Path(sys.prefix)) or importlib.util.find_spec(tool) is None:
            return 2, f"{sys.prefix} lacks what {LOCK.name} lists: ./scons test installs it\n"
        command = [sys.executable, "-m", tool, *arguments]
    done = subprocess.run(
        command,
        cwd=TOP,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def scripts() -> list[str]:
    """Return the paths of the project's shell scripts."""
    found = []
    for name in checkout.files():
        if not (TOP / name).is_symlink() and not name.startswith(PARTS):
            with (TOP / name).open("rb") as file:
                if file.readline().startswith(SCRIPT):
                    found.append(name)
    return found


def is_outdated(environment: Path) -> bool:
    """Tell whether ./scons made the environment without today's packages for tests."""
    made_from = environment / "bootstrap"
    if not made_from.exists():
        return False
    lock = made_from / LOCK.name
    return not lock.exists() or lock.read_bytes() != LOCK.read_bytes()


def main() -> int:
    parser = argparse.ArgumentParser(description="Run the checks of style.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(CHECKS))
    names = parser.parse_args().names
    if unknown := [name for name in names if name not in CHECKS]:
        parser.error(f"no such check: {', '.join(unknown)}; there are {', '.join(CHECKS)}")
    status = 0
    for name in names or CHECKS:
        failed, text = run(name)
        if failed:
            status = 1
            print(f"{name}: {' '.join(CHECKS[name])}", text, sep="\n", end="")
    return status


if __name__ == "__main__":
    sys.exit(main())
