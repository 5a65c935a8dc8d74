"""The checks of style: what `./scons test` and the hooks of pre-commit both run.

usage: .venv/bin/python tests/style.py [NAME...]      without a name, all of them

Each check is a tool of requirements.in, run from the top folder over the whole project; its
settings are in pyproject.toml.
"""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
LOCK = TOP / "requirements.lock"
CHECKS = {
    "lint": ("ruff", "check", "--quiet", "."),
    "format": ("ruff", "format", "--check", "--quiet", "."),
    "types": ("mypy", "--no-error-summary"),
    "spelling": ("codespell_lib",),
}


def run(name: str) -> tuple[int, str]:
    """Return the exit status of a check, and what it prints."""
    module, *arguments = CHECKS[name]
    if is_outdated(Path(sys.prefix)) or importlib.util.find_spec(module) is None:
        return 2, f"{sys.prefix} lacks what requirements.lock lists: ./scons list installs it\n"
    done = subprocess.run(
        (sys.executable, "-m", module, *arguments),
        cwd=TOP,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def is_outdated(environment: Path) -> bool:
    """Tell whether ./scons made the environment from another requirements.lock than today's."""
    made_from = environment / "bootstrap/requirements.lock"
    return made_from.exists() and made_from.read_bytes() != LOCK.read_bytes()


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
