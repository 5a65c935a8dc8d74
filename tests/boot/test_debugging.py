"""`DEBUG=PORT`: gdb stops the kernel and a program at a breakpoint, by their symbols."""

from __future__ import annotations

import re
import socket
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from boot.conftest import BOARD, TOP
from boot.guest import BOOT_SECONDS, FORWARDS, Guest

pytestmark = pytest.mark.boot
PROMPT = r"\(gdb\) "
STEP = 120
"""Seconds for one command of gdb: it reads the symbols of a whole kernel, on a busy machine."""


def free_port() -> int:
    """Return a port that nothing listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def waiting(images: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Guest, int]]:
    """A machine that `./scons run` has started and that waits for gdb; and the port."""
    del images  # built
    port, folder = free_port(), tmp_path_factory.mktemp("debug")
    settings = {"DEBUG": str(port), "FORWARD": FORWARDS}
    guest = Guest(TOP / "scons", folder, settings, ("run", f"BOARD={BOARD}"))
    try:
        guest.start().wait_for("debug: QEMU waits for gdb", BOOT_SECONDS)
        yield guest, port
    finally:
        guest.close()


class Gdb:
    """gdb as a person uses it."""

    def __init__(self, port: int) -> None:
        script = TOP / "out" / BOARD / "debug" / "gdb.sh"
        words = [str(port), "-ex", "set pagination off", "-ex", "set width 0"]
        self.child = pexpect.spawn(str(script), words, encoding="utf-8", timeout=STEP)
        self.said = self._answer()

    def _answer(self) -> str:
        self.child.expect(PROMPT)
        return str(self.child.before)

    def ask(self, line: str) -> str:
        """Type a command and return what it printed."""
        self.child.sendline(line)
        return self._answer()

    def close(self) -> None:
        """Let the machine go on without gdb."""
        self.child.sendintr()
        self.child.sendline("detach")
        self.child.sendline("quit")
        self.child.expect(pexpect.EOF)
        self.child.close()


def test_the_kernel_and_a_program_stop_at_breakpoints_named_by_their_symbols(
    waiting: tuple[Guest, int],
) -> None:
    guest, port = waiting
    gdb = Gdb(port)
    try:
        gdb.ask("hbreak start_kernel")
        assert "start_kernel" in gdb.ask("continue")
        assert "start_kernel" in gdb.ask("backtrace")
        gdb.ask("delete")
        gdb.child.sendline("continue")
        guest.boot()
        guest.log_in()
        maps = guest.check("head -n1 /proc/$(cat /run/httpd.pid)/maps")
        found = re.match(r"([0-9a-f]+)-.* (/\S+)$", maps)
        assert found, maps
        gdb.child.sendintr()
        gdb.child.expect(PROMPT)
        gdb.ask(f"user {found[2]} 0x{found[1]}")
        assert "Hardware assisted breakpoint" in gdb.ask("hbreak send_headers")
        gdb.child.sendline("continue")
        page: list[str] = []
        url = f"http://127.0.0.1:{guest.port(80)}/"
        reader = threading.Thread(
            target=lambda: page.append(urllib.request.urlopen(url, timeout=STEP).read().decode())
        )
        reader.start()
        gdb.child.expect(r"Breakpoint \d+, .*send_headers")
        gdb.child.expect(PROMPT)
        assert "send_headers" in gdb.ask("backtrace 1")
        gdb.ask("delete")
        gdb.child.sendline("continue")
        reader.join(STEP)
        assert page and "<html" in page[0].lower()
    finally:
        gdb.close()
    assert guest.power_off(STEP)[0] == 0


def test_without_gdb_the_script_says_how_to_get_it(tmp_path: Path) -> None:
    for tool in ("dirname", "readlink"):
        found = subprocess.run(("which", tool), capture_output=True, text=True, check=True)
        (tmp_path / tool).symlink_to(found.stdout.strip())
    done = subprocess.run(
        ("/bin/sh", TOP / "qemu/gdb.sh"), env={"PATH": str(tmp_path)}, capture_output=True,
        text=True, check=False, timeout=30,
    )  # fmt: skip
    assert done.returncode == 2
    assert "reason: gdb-missing" in done.stderr
