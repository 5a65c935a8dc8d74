"""nginx as an HTTP cache on 127.0.0.1: the configuration that docs/remote-cache.md shows."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs/remote-cache.md"
_OWN = """\
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
{user}
events {{ worker_connections 256; }}
http {{
  access_log {folder}/access.log;
  client_body_temp_path {folder}/tmp; proxy_temp_path {folder}/tmp/p;
  fastcgi_temp_path {folder}/tmp/f; uwsgi_temp_path {folder}/tmp/u; scgi_temp_path {folder}/tmp/s;
{server}
}}
"""


def server_block(folder: Path, port: int) -> str:
    """Return the server of the page, without its certificates, in a folder and at a port."""
    shown = re.search(r"^```nginx\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert shown, f"{PAGE} has no nginx block"
    text = "".join(line for line in shown[1].splitlines(True) if "ssl_certificate" not in line)
    for old, new in (
        ("listen 443 ssl", f"listen 127.0.0.1:{port}"),
        ("/srv/quardroot-cache", str(folder / "data")),
        ("/etc/nginx/quardroot.htpasswd", str(folder / "htpasswd")),
    ):
        assert old in text, f"the nginx block of {PAGE} has no {old!r}"
        text = text.replace(old, new)
    return text


@dataclass
class Nginx:
    """One server.

    address -- for users who may write; anyone may read at `reading`
    """

    folder: Path
    port: int

    @property
    def reading(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def address(self) -> str:
        return f"http://ci:secret@127.0.0.1:{self.port}"

    def lines(self, method: str, prefix: str = "/") -> list[list[str]]:
        """Return the words of the log's lines about a method and paths with a prefix."""
        found = []
        for line in (self.folder / "access.log").read_text().splitlines():
            words = line.split()
            if words[5].strip('"') == method and words[6].startswith(prefix):
                found.append(words)
        return found

    def forget_log(self) -> None:
        (self.folder / "access.log").write_text("")

    @property
    def received(self) -> int:
        """Bytes of all bodies that were read from it."""
        return sum(int(words[9]) for words in self.lines("GET") if words[8] == "200")


@contextmanager
def running(folder: Path) -> Iterator[Nginx]:
    """Serve from a folder, which is made."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/sbin:/bin")
    assert program, "nginx is missing: ./scons test installs it (host-packages.list)"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    for name in ("tmp", "data/ac", "data/cas"):
        (folder / name).mkdir(parents=True)
    (folder / "htpasswd").write_text("ci:{PLAIN}secret\n")
    user = "" if os.geteuid() else "user root;"  # else its workers cannot read our folders
    text = _OWN.format(folder=folder, user=user, server=server_block(folder, port))
    (folder / "nginx.conf").write_text(text)
    (folder / "access.log").touch()
    with (folder / "out").open("wb") as out:
        process = subprocess.Popen(
            [program, "-p", folder, "-c", folder / "nginx.conf", "-e", folder / "error.log"],
            stdin=subprocess.DEVNULL, stdout=out, stderr=out,
        )  # fmt: skip
    try:
        _wait(port, process, folder)
        yield Nginx(folder, port)
    finally:
        process.terminate()
        process.wait(10)


def _wait(port: int, process: subprocess.Popen[bytes], folder: Path) -> None:
    end = time.monotonic() + 10
    while time.monotonic() < end:
        assert process.poll() is None, (folder / "out").read_text()
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise AssertionError("nginx does not listen")
