"""From the start of QEMU to an answering sshd and the login prompt; from `poweroff` to the end.

QEMU before 8.1 keeps translated code under the address at which a program runs. Programs at random
addresses are therefore translated again at each start, which real hardware does not have to do: a
second series of boots, with programs at fixed addresses, measures the image without that.
"""

from __future__ import annotations

import re
import socket
import statistics
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pexpect

from bench.emulator import emulator, version

_LIMIT = 120
_STEP = 0.05
_BANNER = b"SSH-2.0"
_FORWARD = re.compile(r"forward: tcp 127\.0\.0\.1:(\d+) -> guest port 22\b")


def boots(images: Path, runs: int) -> dict[str, Any]:
    """Boot the board's images several times; return the medians in seconds.

    One boot more comes first and makes sshd's host keys.
    """
    with tempfile.TemporaryDirectory(prefix="quardroot-bench-") as folder:
        first = _boot(images, folder)
        rest = [_boot(images, folder) for _ in range(runs)]
        fixed = [_boot(images, folder, "APPEND=norandmaps") for _ in range(runs)]
    return {
        "first_login_seconds": round(first[0], 2),
        "first_ssh_seconds": round(first[1], 2),
        **_medians(rest),
        "at_fixed_addresses": _medians(fixed),
        "qemu": version(emulator(images)),
    }


def _medians(measured: Sequence[tuple[float, float, float]]) -> dict[str, float]:
    logins, answers, offs = (statistics.median(times) for times in zip(*measured, strict=True))
    return {
        "login_median_seconds": round(logins, 2),
        "poweroff_median_seconds": round(offs, 2),
        "ssh_median_seconds": round(answers, 2),
    }


def _boot(images: Path, state: str, *more: str) -> tuple[float, float, float]:
    """Return the seconds to the prompt, to sshd's first words, and to the end."""
    started = time.monotonic()
    guest = pexpect.spawn(
        str(images / "run.sh"),
        ["FORWARD=tcp:0:22,tcp:0:80", f"STATE={state}", *more],
        timeout=_LIMIT,
        encoding="utf-8",
        codec_errors="replace",
    )
    try:
        with ThreadPoolExecutor(1) as pool:
            guest.expect(_FORWARD)
            assert isinstance(guest.match, re.Match)
            port = int(guest.match[1])
            guest.expect("Starting sshd")
            answered = pool.submit(_answer, port, started + _LIMIT)
            guest.expect("login: ")
            login = time.monotonic() - started
            answer = answered.result() - started
        guest.sendline("root")
        guest.expect("# ")
        begun = time.monotonic()
        guest.sendline("poweroff")
        guest.expect(pexpect.EOF)
        return login, answer, time.monotonic() - begun
    finally:
        guest.close(force=True)


def _answer(port: int, limit: float) -> float:
    """Return when the server behind a port says its first words.

    One connection at a time: each costs the guest a process. Before the server listens, the guest
    refuses, and QEMU passes that on by closing the connection that it has taken.
    """
    while time.monotonic() < limit:
        with socket.create_connection(("127.0.0.1", port), timeout=_LIMIT) as connection:
            try:
                if connection.recv(len(_BANNER)) == _BANNER:
                    return time.monotonic()
            except ConnectionError:
                pass  # another way of closing it
        time.sleep(_STEP)
    raise SystemExit(f"bench: sshd did not answer within {_LIMIT} s")
