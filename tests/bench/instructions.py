"""What a boot costs in guest instructions: they scatter by a thousandth, where seconds do by half.

QEMU counts them with a plugin (count.c), which the build machine's compiler makes on the spot. The
machine has one processor, and its clock follows the instructions (-icount): a slow host makes for
no more interrupts of the timer, and no processor waits for another.
"""

from __future__ import annotations

import re
import shutil
import statistics
import subprocess
import tempfile
from pathlib import Path

import pexpect

_LIMIT = 300
_SOURCE = Path(__file__).with_name("count.c")
_QEMU = "qemu-system-riscv64"
_MACHINE = "-smp 1 -icount shift=1,sleep=on"
_MARKS = (("kernel", "Run /.* as init process"), ("login", "login: "))
"""Up to where is counted, by what the console shows."""


def instructions(images: Path, runs: int) -> dict[str, float]:
    """Boot several times; return millions of instructions, the least and the median ones.

    One boot more comes first and makes sshd's host keys: that takes a random number of tries.
    """
    with tempfile.TemporaryDirectory(prefix="quardroot-bench-") as scratch:
        plugin = compile_plugin(Path(scratch))
        _boot(images, Path(scratch), plugin)
        found = [_boot(images, Path(scratch), plugin) for _ in range(runs)]
    result: dict[str, float] = {}
    for number, (name, _) in enumerate(_MARKS):
        counts = [counts[number] for counts in found]
        result[f"{name}_millions"] = round(min(counts) / 1e6, 1)
        result[f"{name}_median_millions"] = round(statistics.median(counts) / 1e6, 1)
    return result


def compile_plugin(folder: Path) -> Path:
    """Return the plugin for this machine's QEMU. Ends the benchmark where that cannot be."""
    made = folder / "count.so"
    version = subprocess.run(
        (_QEMU, "--version"), capture_output=True, text=True, check=True
    ).stdout
    found = re.search(r"version (\d+)", version)
    # QEMU 9 has another interface, of which what is used here is the same.
    number = 2 if found and int(found.group(1)) >= 9 else 1
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
