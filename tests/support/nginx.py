"""nginx on 127.0.0.1 as the pages show it: an HTTP cache, and in front of gRPC servers."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import ports
from waiting import is_served, within

_DOCS = Path(__file__).resolve().parents[2] / "docs"
CACHE, EXECUTION = _DOCS / "remote-cache.md", _DOCS / "remote-execution.md"
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


def _shown(page: Path, number: int, changes: dict[str, str]) -> str:
    """Return an nginx block of a page with changes of its texts."""
    blocks = re.findall(r"^```nginx\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
    text: str = blocks[number]
    for old, new in changes.items():
        assert old in text, f"nginx block {number} of {page} has no {old!r}"
        text = text.replace(old, new)
    return text


def server_block(folder: Path, port: int) -> str:
    """Return the HTTP cache of the page, without TLS, in a folder and at a port."""
    changes = {
        "    ssl_certificate /etc/nginx/cache.crt;\n": "",
        "    ssl_certificate_key /etc/nginx/cache.key;\n": "",
        "listen 443 ssl": f"listen 127.0.0.1:{port} reuseport",
        "/srv/quardroot-cache": str(folder / "data"),
        "/etc/nginx/quardroot.htpasswd": str(folder / "htpasswd"),
    }
    return _shown(CACHE, 0, changes)


def grpc_block(authority: Path, behind: int, port: int) -> str:
    """Return the server of the page that is in front of one at the port `behind`.

    authority -- folder with what tests/company.py makes
    """
    changes = {
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl reuseport",
        "/etc/nginx/cache.crt": str(authority / "server.pem"),
        "/etc/nginx/cache.key": str(authority / "server.key"),
        "/etc/nginx/team.crt": str(authority / "ca.pem"),
        "grpc://127.0.0.1:8980": f"grpc://127.0.0.1:{behind}",
    }
    return _shown(CACHE, 1, changes)


def execution_block(authority: Path, behind: int, port: int, *, patience: str = "1h") -> str:
    """Return the server of the page that is in front of workers at the port `behind`.

    patience -- time without an answer after which it ends a call
    """
    changes = {
        "listen 8980 ssl": f"listen 127.0.0.1:{port} ssl reuseport",
        "/etc/nginx/build.crt": str(authority / "server.pem"),
        "/etc/nginx/build.key": str(authority / "server.key"),
        "/etc/nginx/team.crt": str(authority / "ca.pem"),
        "grpc_read_timeout 1h": f"grpc_read_timeout {patience}",
        "grpc://127.0.0.1:50071": f"grpc://127.0.0.1:{behind}",
    }
    return _shown(EXECUTION, 0, changes)


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
def running(folder: Path, block: Callable[[int], str] | None = None) -> Iterator[Nginx]:
    """Serve from a folder, which is made.

    block -- returns the configuration of the server at a port; None: the HTTP cache
    """
    with ports.held() as port:
        yield from _serving(folder, port, block or partial(server_block, folder))


def _serving(folder: Path, port: int, block: Callable[[int], str]) -> Iterator[Nginx]:
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/sbin:/bin")
    assert program, "nginx is missing: ./scons test installs it (host-packages.list)"
    for name in ("tmp", "data/ac", "data/cas"):
        (folder / name).mkdir(parents=True)
    (folder / "htpasswd").write_text("ci:{PLAIN}secret\n")
    user = "" if os.geteuid() else "user root;"  # else its workers cannot read our folders
    text = _OWN.format(folder=folder, user=user, server=block(port))
    (folder / "nginx.conf").write_text(text)
    (folder / "access.log").touch()
    with (folder / "out").open("wb") as out:
        process = subprocess.Popen(
            [program, "-p", folder, "-c", folder / "nginx.conf", "-e", folder / "error.log"],
            stdin=subprocess.DEVNULL, stdout=out, stderr=out,
        )  # fmt: skip
    try:
        within(60, lambda: process.poll() is not None or is_served("127.0.0.1", port))
        assert process.poll() is None and is_served("127.0.0.1", port), (folder / "out").read_text()
        yield Nginx(folder, port)
    finally:
        process.terminate()
        process.wait(10)
