"""Measure the build, the image and the boot; the last line is JSON.

usage: python -m bench [--board NAME] [--cold] [--runs N]

Without --cold the checkout is taken as it is: it is brought up to date first, then null builds, the
image's size and the boot are measured. With --cold a copy of the checkout is also built from
nothing but the fetched sources, which takes as long as it takes.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pexpect

PROJECT = Path(__file__).resolve().parents[2]
_POLL = 0.2
_BOOT_LIMIT = 120
_MIB = 1 << 20


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__.splitlines()[0])
    parser.add_argument("--board", default="quard-star")
    parser.add_argument("--cold", action="store_true", help="also build everything from nothing")
    parser.add_argument("--runs", type=int, default=5, help="null builds and boots (default 5)")
    options = parser.parse_args()
    board = f"BOARD={options.board}"
    print(f"bringing {options.board} up to date", flush=True)
    _scons(PROJECT, board)
    results: dict[str, Any] = {"board": options.board, "processors": len(os.sched_getaffinity(0))}
    results["null_build"] = _null_builds(board, options.runs)
    results["image"] = _sizes(PROJECT / "out" / options.board / "images")
    results["boot"] = _boots(PROJECT / "out" / options.board / "images", options.runs)
    if options.cold:
        results["cold_build"] = _cold_build(board)
    print(json.dumps(results, sort_keys=True))
    return 0


def _scons(checkout: Path, *arguments: str, quiet: bool = False) -> dict[str, float]:
    """Run SCons; return seconds and the peak memory of its own process, in MiB."""
    command = [sys.executable, "-P", "-m", "SCons", "-Q", *arguments]
    started = time.monotonic()
    process = subprocess.Popen(command, cwd=checkout, stdout=subprocess.DEVNULL if quiet else None)
    peak = 0
    while process.poll() is None:
        peak = max(peak, _peak(process.pid))
        time.sleep(_POLL if not quiet else 0.01)
    seconds = time.monotonic() - started
    if process.returncode:
        raise SystemExit(f"bench: {' '.join(command)} ended with status {process.returncode}")
    return {"seconds": round(seconds, 2), "peak_mib": round(peak / 1024, 1)}


def _peak(pid: int) -> int:
    """Return a process' peak resident memory in KiB (proc(5), VmHWM)."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return 0
    lines = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(lines[0].split()[1]) if lines else 0


def _null_builds(board: str, runs: int) -> dict[str, float]:
    found = [_scons(PROJECT, board, quiet=True)["seconds"] for _ in range(runs)]
    return {"median_seconds": statistics.median(found), "worst_seconds": max(found)}


def _sizes(images: Path) -> dict[str, float]:
    manifest = json.loads((images / "manifest.json").read_text(encoding="utf-8"))
    content = sum(entry.get("size", 0) for entry in manifest.values())
    sizes: dict[str, float] = {"content_mib": round(content / _MIB, 2)}
    for path in sorted(images.iterdir()):
        if path.suffix in (".json", ".sh") or path.name.startswith("."):
            continue
        sizes[f"{path.name}_mib"] = round(path.stat().st_size / _MIB, 2)
    return sizes


def _boots(images: Path, runs: int) -> dict[str, float]:
    logins, offs = [], []
    for _ in range(runs):
        started = time.monotonic()
        guest = pexpect.spawn(
            str(images / "run.sh"),
            ["FORWARD=tcp:0:22,tcp:0:80", "SNAPSHOT=1"],
            timeout=_BOOT_LIMIT,
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


def _cold_build(board: str) -> dict[str, float]:
    """Build a copy of the checkout with an empty store, from the sources that are there."""
    _scons(PROJECT, "source", board)
    sources = _sources()
    with tempfile.TemporaryDirectory(prefix="quardroot-bench-") as folder:
        copy = Path(folder) / "checkout"
        listed = subprocess.run(
            ("git", "ls-files", "-z"), cwd=PROJECT, check=True, capture_output=True, text=True
        )
        for name in filter(None, listed.stdout.split("\0")):
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(PROJECT / name, copy / name, follow_symlinks=False)
        return _scons(copy, board, f"cache.dir={folder}/cache", f"sources.dir={sources}")


def _sources() -> Path:
    """Return the folder of fetched sources, as the session finds it."""
    if os.environ.get("CI", "") not in ("", "0", "false"):
        return PROJECT / ".cache" / "sources"
    base = os.environ.get("XDG_CACHE_HOME", "") or f"{os.environ.get('HOME', '')}/.cache"
    return Path(base) / "quardroot" / "sources"


if __name__ == "__main__":
    sys.exit(main())
