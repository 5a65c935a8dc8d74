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
import ports
import pytest

from boot.conftest import BOARD, TOP
from boot.guest import BOOT_SECONDS, FORWARDS, Guest

pytestmark = pytest.mark.boot
PROMPT = r"\(gdb\) "
STEP = 120
"""Seconds for one command of gdb: it reads the symbols of a whole kernel, on a busy machine."""


@pytest.fixture(scope="module")
def waiting(images: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Guest, int]]:
    """A machine that `./scons run` has started and that waits for gdb; and the port."""
    del images  # built
    folder = tmp_path_factory.mktemp("debug")
    with ports.reserved() as port:
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

    def go_on(self) -> None:
        """Let the machine run, with gdb listening."""
        self.child.sendline("continue")
        self.child.expect("Continuing")

    def stop(self) -> None:
        """Stop the machine, as with Ctrl-C."""
        self.child.sendintr()
        self._answer()

    def stopped_in(self, function: str) -> None:
        """Wait until a breakpoint in `function` is reached."""
        self.child.expect(rf"Breakpoint \d+, .*{function}")
        self._answer()
        assert function in self.ask("backtrace 1")

    def close(self) -> None:
        """Let the machine go on without gdb."""
        self.child.sendintr()
        self.child.sendline("detach")
        self.child.sendline("quit")
        self.child.expect(pexpect.EOF)
        self.child.close()


def test_kernel_and_programs_stop_at_breakpoints_named_by_their_symbols(
    waiting: tuple[Guest, int],
) -> None:
    guest, port = waiting
    gdb = Gdb(port)
    try:
        gdb.ask("hbreak start_kernel")
        assert "start_kernel" in gdb.ask("continue")
        assert "start_kernel" in gdb.ask("backtrace")
        gdb.ask("delete")
        gdb.go_on()
        guest.boot()
        guest.log_in()
        address = guest.check("grep -m1 busybox /proc/$(pidof httpd)/maps").partition("-")[0]
        gdb.stop()
        assert "can be anywhere" in gdb.ask("user /usr/bin/busybox")
        gdb.ask(f"user /usr/bin/busybox 0x{address}")
        assert "Hardware assisted breakpoint" in gdb.ask("hbreak send_headers")
        gdb.go_on()
        page: list[str] = []
        url = f"http://127.0.0.1:{guest.port(80)}/"
        reader = threading.Thread(
            target=lambda: page.append(urllib.request.urlopen(url, timeout=STEP).read().decode())
        )
        reader.start()
        gdb.stopped_in("send_headers")
        gdb.ask("delete")
        gdb.go_on()
        reader.join(STEP)
        assert page and "<html" in page[0].lower()
    finally:
        gdb.close()


def test_a_program_that_can_be_anywhere_is_found_by_its_address(waiting: tuple[Guest, int]) -> None:
    guest, port = waiting
    maps = guest.check("grep -m1 sshd /proc/$(cat /run/sshd.pid)/maps")
    found = re.match(r"([0-9a-f]+)-.* (/\S+)$", maps)
    assert found and found[2] == "/usr/sbin/sshd", maps
    gdb = Gdb(port)
    try:
        assert "can be anywhere" in gdb.ask("user /usr/sbin/sshd")
        gdb.ask(f"user /usr/sbin/sshd 0x{found[1]}")
        gdb.ask("hbreak srclimit_check_allow")
        gdb.go_on()
        with socket.create_connection(("127.0.0.1", guest.port(22)), timeout=STEP) as client:
            gdb.stopped_in("srclimit_check_allow")
            gdb.ask("delete")
            gdb.go_on()
            assert client.recv(8) == b"SSH-2.0-"
    finally:
        gdb.close()
    assert guest.power_off(STEP)[0] == 0


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("user", "usage: user PATH [ADDRESS]"),
        ("user /usr/bin/nothing", "not among what the packages install"),
        ("user /etc/ssh/ssh_config", "no program with symbols"),
        ("user /usr/sbin/sshd somewhere", "somewhere is not an address"),
        ("module macvlan", "usage: module NAME ADDRESS"),
        ("module macvlan 0x1000", "macvlan is not among the kernel modules of the board"),
    ],
)
def test_a_mistake_in_gdb_is_one_line(line: str, answer: str, images: Path) -> None:
    del images
    folder = TOP / "out" / BOARD / "debug"
    words = ("gdb-multiarch", "-batch", "-nx", "-ex", f"set sysroot {folder / 'root'}")
    done = subprocess.run(
        (*words, "-x", folder / "gdb.py", "-ex", line), capture_output=True, text=True,
        check=False, timeout=STEP,
    )  # fmt: skip
    assert answer in done.stderr
    assert "Traceback" not in done.stderr


def test_symbols_of_a_module_are_found_by_its_name_and_lie_at_its_address(tmp_path: Path) -> None:
    place = tmp_path / "usr/lib/debug/usr/lib/modules/6.12/kernel/drivers/net/a-b.ko.debug"
    place.parent.mkdir(parents=True)
    (tmp_path / "a.c").write_text("int first(void) { return 1; }\n", encoding="ascii")
    compiler = ("riscv64-linux-gnu-gcc", "-c", "-O1", "-o", place, tmp_path / "a.c")
    subprocess.run(compiler, check=True, timeout=STEP)
    words = ("gdb-multiarch", "-batch", "-nx", "-ex", f"set sysroot {tmp_path}")
    lines = ("module a_b 0xffffffff01f2d000", "info address first", "module a_b here")
    done = subprocess.run(
        (*words, "-x", TOP / "qemu/gdb.py", *(w for line in lines for w in ("-ex", line))),
        capture_output=True, text=True, check=False, timeout=STEP,
    )  # fmt: skip
    assert "0xffffffff01f2d000" in done.stdout.splitlines()[-1], done.stdout + done.stderr
    assert "here is not an address" in done.stderr


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
