"""The web server through the forwarded port: the page in a browser, and what it refuses."""

from __future__ import annotations

import html
import http.client
import re
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from boot.guest import Guest

pytestmark = pytest.mark.boot

SECONDS = 60
BROWSER = (
    "chromium",
    "--headless",
    "--no-sandbox",  # it will not run as root with one; the page is ours
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--virtual-time-budget=10000",  # milliseconds that pass only while nothing is being fetched
    "--dump-dom",
)
ROW = re.compile(r"<tr><th>(.*?)</th><td>(.*?)</td></tr>")


def ask(
    guest: Guest, method: str, path: str, **headers: str
) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", guest.port(80), timeout=SECONDS)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return answer, answer.read()
    finally:
        connection.close()


def raw(guest: Guest, request: bytes) -> bytes:
    """Send bytes as they are, and return all that comes back."""
    with socket.create_connection(("127.0.0.1", guest.port(80)), timeout=SECONDS) as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_browser_shows_host_name_lease_and_uptime(guest: Guest, tmp_path: Path) -> None:
    assert shutil.which(BROWSER[0]), "chromium is in host-packages.list"
    done = subprocess.run(
        [*BROWSER, f"--user-data-dir={tmp_path}/data", f"http://127.0.0.1:{guest.port(80)}/"],
        env={"HOME": str(tmp_path), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=2 * SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert '<body data-state="ok">' in done.stdout, done.stdout
    rows = {name: html.unescape(value) for name, value in ROW.findall(done.stdout)}
    assert rows["host"] == "quard-star"
    assert rows["boot"] == "ok"
    assert re.fullmatch(r"0 days 00:\d\d:\d\d", rows["uptime"]), rows
    assert rows["lease of eth0"] == (
        "address 192.168.31.100/24, router 192.168.31.2, dns 192.168.31.3, "
        "server 192.168.31.2, seconds 86400"
    )


def test_status_as_text_tells_the_same_at_each_request(guest: Guest) -> None:
    answer, body = ask(guest, "GET", "/cgi-bin/status")
    assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-store")
    lines = body.decode().splitlines()
    assert "host: quard-star" in lines and "address of eth0: 192.168.31.100/24" in lines
    assert all(": " in line for line in lines)


@pytest.mark.parametrize("path", ["/", "/index.html", "/cgi-bin/status"])
def test_head_has_the_header_alone(guest: Guest, path: str) -> None:
    answer = raw(
        guest, f"HEAD {path} HTTP/1.1\r\nHost: board\r\nConnection: close\r\n\r\n".encode()
    )
    header, _, body = answer.partition(b"\r\n\r\n")
    assert re.match(rb"HTTP/1\.[01] 200 OK\r\n", header), answer
    assert b"Content-" in header and body == b""


def test_post_to_the_status_is_not_allowed(guest: Guest) -> None:
    answer, _ = ask(guest, "POST", "/cgi-bin/status", **{"Content-Length": "0"})
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_page_is_only_read(guest: Guest, method: str) -> None:
    answer, _ = ask(guest, method, "/index.html", **{"Content-Length": "0"})
    assert answer.status in (400, 501)


def test_what_is_not_there_is_not_found(guest: Guest) -> None:
    for path in ("/nothing", "/cgi-bin/nothing"):
        assert ask(guest, "GET", path)[0].status == 404, path


def test_range_of_bytes_is_a_part_of_the_page(guest: Guest) -> None:
    whole = ask(guest, "GET", "/index.html")[1]
    answer, part = ask(guest, "GET", "/index.html", Range="bytes=100-299")
    assert (answer.status, part) == (206, whole[100:300])
    assert answer.headers["Content-Range"] == f"bytes 100-299/{len(whole)}"


@pytest.mark.parametrize(
    "path",
    [
        "/../etc/shadow",
        "/../../etc/passwd",
        "/cgi-bin/../../etc/passwd",
        "/%2e%2e/etc/passwd",
        "/..%2fetc/passwd",
        "//etc/passwd",
        "/./../etc/passwd",
        "../etc/passwd",
        "/etc/passwd",
    ],
)
def test_nothing_outside_the_pages_folder_is_served(guest: Guest, path: str) -> None:
    answer = raw(guest, f"GET {path} HTTP/1.1\r\nHost: board\r\nConnection: close\r\n\r\n".encode())
    assert re.match(rb"HTTP/1\.[01] 40[0134] ", answer), answer
    assert b"root:" not in answer


def test_broken_and_endless_requests_do_not_end_the_server(guest: Guest) -> None:
    for request in (b"\r\n\r\n", b"GET\r\n\r\n", b"\0\xff\r\n\r\n", b"GET /" + b"a" * 50_000):
        with socket.create_connection(("127.0.0.1", guest.port(80)), timeout=SECONDS) as connection:
            connection.sendall(request)
    assert ask(guest, "GET", "/")[0].status == 200
    assert guest.run("pidof httpd").status == 0


def test_pages_and_scripts_are_not_served_by_root(guest: Guest) -> None:
    output = guest.check("for id in $(pidof httpd); do stat -c %U /proc/$id; done")
    assert set(output.split()) == {"www-data"}
