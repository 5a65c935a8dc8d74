"""iperf3 from the guest to the host: the board's system, and the same kernel with next to none."""

from __future__ import annotations

import json
import shutil
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pexpect

from bench import minimal

_SECONDS = 5
_LIMIT = 180
_HOST = "192.168.31.2"
_SETTINGS = ("FORWARD=none", "SHARE=none", "SNAPSHOT=1")


def throughput(images: Path, runs: int) -> dict[str, object]:
    """Measure both in turn, several times; return Mbit/s and how the best runs compare."""
    board, least = [], []
    with tempfile.TemporaryDirectory(prefix="quardroot-bench-") as folder:
        small = _small_images(images, Path(folder))
        for _ in range(runs):
            least.append(_minimal(small))
            board.append(_board(images))
    return {
        "seconds_each": _SECONDS,
        "board": _shown(board),
        "minimal": _shown(least),
        "ratio": round(max(board) / max(least), 3),
    }


def _shown(rates: list[float]) -> dict[str, float]:
    return {
        "mbit_s": round(max(rates), 1),
        "median_mbit_s": round(statistics.median(rates), 1),
    }


def _small_images(images: Path, folder: Path) -> Path:
    """Make an images folder that differs in its initramfs alone."""
    for path in images.iterdir():
        if not path.name.startswith(("rootfs.", "run.sh")):
            (folder / path.name).symlink_to(path.resolve())
    shutil.copy2(images / "run.sh", folder / "run.sh")
    minimal.make(images / "rootfs.tar", folder)
    return folder


def _minimal(images: Path) -> float:
    with _server() as (port, server):
        words = f"APPEND=port={port} seconds={_SECONDS} quiet"
        guest = _start(images, "ROOT=cpio", words)
        try:
            guest.expect(pexpect.EOF)
        finally:
            guest.close(force=True)
        return _rate(server)


def _board(images: Path) -> float:
    with _server() as (port, server):
        guest = _start(images)
        try:
            guest.expect("login: ")
            guest.sendline("root")
            guest.expect("# ")
            guest.sendline(f"iperf3 -c {_HOST} -p {port} -t {_SECONDS}; poweroff")
            guest.expect(pexpect.EOF)
        finally:
            guest.close(force=True)
        return _rate(server)


def _start(images: Path, *settings: str) -> pexpect.spawn[str]:
    return pexpect.spawn(
        str(images / "run.sh"),
        [*_SETTINGS, *settings],
        timeout=_LIMIT,
        encoding="utf-8",
        codec_errors="replace",
    )


@contextmanager
def _server() -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """Run the host's iperf3 for one client; the guest reaches its loopback address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = ("iperf3", "-s", "-1", "--json", "-B", "127.0.0.1", "-p", str(port))
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            time.sleep(0.5)
            if server.poll() is not None:
                raise SystemExit(f"bench: {' '.join(command)} ended with {server.returncode}")
            yield port, server
        finally:
            server.kill()


def _rate(server: subprocess.Popen[str]) -> float:
    """Return what arrived, in Mbit/s. Ends the benchmark if nothing did."""
    try:
        output, _ = server.communicate(timeout=10)
    except subprocess.TimeoutExpired:
        raise SystemExit("bench: the guest's iperf3 did not reach the host's") from None
    report = json.loads(output)
    if "error" in report:
        raise SystemExit(f"bench: iperf3: {report['error']}")
    rate: float = report["end"]["sum_received"]["bits_per_second"] / 1e6
    return rate
