"""The compiler's drivers in a work folder, run as a sealed build runs them."""

from __future__ import annotations

import subprocess

from quard.process.sandbox import Work


def run(work: Work, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a driver in the source folder, with what a sealed build's environment has."""
    return subprocess.run(
        (str(work.tools / name), *arguments),
        cwd=work.src,
        env={"PATH": str(work.tools), "LC_ALL": "C"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
