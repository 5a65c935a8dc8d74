"""What a boot costs in guest instructions: they scatter by a thousandth, where seconds do by half.

QEMU counts them with a plugin (count.c), which the build machine's compiler makes on the spot. The
machine has one processor, and its clock follows the instructions (-icount): a slow host makes for
no more interrupts of the timer, and no processor waits for another.
"""

from __future__ import annotations

import itertools
import shutil
import statistics
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pexpect

from bench.emulator import emulator, version

_LIMIT = 300
_SOURCE = Path(__file__).with_name("count.c")
_MACHINE = "-smp 1 -icount shift=1,sleep=on"
_MARKS = (
    ("kernel", "Run /.* as init process"),
    ("rcS", "Starting syslogd"),
    ("S01syslogd", "Starting network"),
    ("S40network", r"Starting (?:sshd|dropbear)"),
    ("S50sshd", "Starting httpd"),
    ("S60httpd", " is up, "),
    ("login", "login: "),
)
"""Parts of the boot, and what the console shows when the next one begins."""


def instructions(images: Path, runs: int) -> dict[str, Any]:
    """Boot several times; return millions of instructions, the least and the median ones.

    Up to the kernel's end and up to the login prompt; of the parts between these, the median. One
    boot more comes first and makes sshd's host keys: that takes a random number of tries.
    """
    with tempfile.TemporaryDirectory(prefix="quardroot-bench-") as scratch:
        plugin = compile_plugin(Path(scratch), emulator(images))
        _boot(images, Path(scratch), plugin)
        found = [_boot(images, Path(scratch), plugin) for _ in range(runs)]
    result: dict[str, Any] = {}
    for number in (0, -1):
        counts = [counts[number] for counts in found]
        name = _MARKS[number][0]
        result[f"{name}_millions"] = round(min(counts) / 1e6, 1)
        result[f"{name}_median_millions"] = round(statistics.median(counts) / 1e6, 1)
    result["parts_millions"] = {
        name: round(statistics.median(part) / 1e6, 1)
        for (name, _), part in zip(_MARKS, zip(*map(_parts, found), strict=True), strict=True)
    }
    return result


def _parts(counts: list[int]) -> list[int]:
    """Return how many instructions each part has taken, of how many there were at its end."""
    return [end - begin for begin, end in itertools.pairwise([0, *counts])]


def compile_plugin(folder: Path, qemu: str) -> Path:
    """Return the plugin for an emulator. Ends the benchmark where that cannot be."""
    made = folder / "count.so"
    # QEMU 9 has another interface, of which what is used here is the same, and QEMU 11 a third one.
    major = int(version(qemu).partition(".")[0])
    number = next(number for since, number in ((11, 7), (9, 2), (0, 1)) if major >= since)
    options = ("-O2", "-shared", "-fPIC", "-fvisibility=hidden", f"-DPLUGIN_VERSION={number}")
    done = subprocess.run(
        (shutil.which("gcc") or "cc", *options, str(_SOURCE), "-o", str(made)),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"bench: the counting plugin does not compile: {done.stderr}")
    return made


def count(path: Path) -> int:
    """Return what the plugin has counted so far."""
    return int.from_bytes(path.read_bytes(), "little")


def _boot(images: Path, scratch: Path, plugin: Path) -> list[int]:
    """Return the instructions up to each mark."""
    out = scratch / "count"
    words = f"{_MACHINE} -plugin {plugin},out={out}"
    guest = pexpect.spawn(
        str(images / "run.sh"),
        ["FORWARD=tcp:0:22", f"STATE={scratch / 'state'}", f"QEMU_ARGS={words}"],
        timeout=_LIMIT,
        encoding="utf-8",
        codec_errors="replace",
    )
    try:
        counts = []
        for _, pattern in _MARKS:
            guest.expect(pattern)
            counts.append(count(out))
        guest.sendline("root")
        guest.expect("# ")
        guest.sendline("poweroff")
        guest.expect(pexpect.EOF)
    finally:
        guest.close(force=True)
    return counts
