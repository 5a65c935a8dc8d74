"""From the start of QEMU to the login prompt, and from `poweroff` to its end."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

import pexpect

_LIMIT = 120


def boots(images: Path, runs: int) -> dict[str, float]:
    """Boot the board's images several times; return the medians in seconds."""
    logins, offs = [], []
    for _ in range(runs):
        started = time.monotonic()
        guest = pexpect.spawn(
            str(images / "run.sh"),
            ["FORWARD=tcp:0:22,tcp:0:80", "SNAPSHOT=1"],
            timeout=_LIMIT,
            encoding="utf-8",
            codec_errors="replace",
        )
        try:
            guest.expect("login: ")
            logins.append(time.monotonic() - started)
            guest.sendline("root")
            guest.expect("# ")
            begun = time.monotonic()
            guest.sendline("poweroff")
            guest.expect(pexpect.EOF)
            offs.append(time.monotonic() - begun)
        finally:
            guest.close(force=True)
    return {
        "login_median_seconds": round(statistics.median(logins), 2),
        "poweroff_median_seconds": round(statistics.median(offs), 2),
    }
