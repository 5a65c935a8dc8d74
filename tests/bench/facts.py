"""What the figures depend on besides the project: the machine, without its name."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path
from typing import Any


def facts() -> dict[str, Any]:
    """Return facts about this machine and how busy it is."""
    return {
        "processors": len(os.sched_getaffinity(0)),
        "processor": _processor(),
        "memory_gib": round(_memory() / 2**30, 1),
        "kernel": _version(platform.release()),
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 1),
    }


def _version(release: str) -> str:
    """Return a kernel's version without what its builder added to it, such as -amd64 or +."""
    return re.split(r"[^\d.]", release)[0]


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
