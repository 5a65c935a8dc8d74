"""The emulator that a board's run.sh starts."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

_NAME = re.compile(r'^\[ -x "\$qemu" \] \|\| qemu="([^"]+)"$', re.MULTILINE)
"""The line of run.sh that names the machine's own program, for where it is not one of the tools."""


def emulator(images: Path) -> str:
    """Return the program: the pinned one beside the images, else the machine's own."""
    found = _NAME.search((images / "run.sh").read_text("utf-8"))
    assert found is not None
    pinned = images.parent / "tools" / found[1]
    return str(pinned) if os.access(pinned, os.X_OK) else found[1]


def version(program: str) -> str:
    """Return the emulator's version, such as 10.0.13."""
    ran = subprocess.run((program, "--version"), capture_output=True, text=True, check=True)
    return ran.stdout.splitlines()[0].removeprefix("QEMU emulator version ").split()[0]
