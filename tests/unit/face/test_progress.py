"""quard.face.progress on a real terminal and in a log."""

from __future__ import annotations

import io
import os
import pty
import re
import termios
import threading

import pytest

from quard.face.progress import Bars, Lines
from quard.sources.watch import amount


def test_a_log_gets_a_line_at_the_start_and_one_at_the_end() -> None:
    out = io.StringIO()
    handle = Lines(out).start("zlib", "zlib-1.3.tar.gz", 3 << 20, 0)
    handle.advance(1 << 20)
    handle.advance(2 << 20)
    handle.close()
    first, second = out.getvalue().splitlines()
    assert first == "zlib: fetching zlib-1.3.tar.gz (3.0 MiB)"
    assert re.fullmatch(r"zlib: zlib-1.3.tar.gz: received 3.0 MiB in \d+\.\d s \(.*/s\)", second)


def test_a_log_tells_what_was_resumed_and_what_broke_off() -> None:
    out = io.StringIO()
    handle = Lines(out).start("zlib", "z.tar", 4096, 1024)
    handle.advance(1024)
    handle.close()
    first, second = out.getvalue().splitlines()
    assert first == "zlib: fetching z.tar (4.0 KiB, 1.0 KiB there already)"
    assert "broke off after 1.0 KiB" in second


def test_an_unknown_size_is_said() -> None:
    out = io.StringIO()
    Lines(out).start("zlib", "z.tar", None, 0).close()
    assert "size unknown" in out.getvalue()
    assert "received 0 B" in out.getvalue()


def test_lines_of_several_threads_stay_whole() -> None:
    out = io.StringIO()
    lines = Lines(out)

    def talk() -> None:
        for _ in range(200):
            lines.note("x" * 50)

    threads = [threading.Thread(target=talk) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(out.getvalue().splitlines()) == {"x" * 50}


@pytest.mark.parametrize("size", [(24, 100), (0, 0)], ids=["sized", "serial line"])
def test_bars_show_packages_bytes_and_rate_at_once_and_go_away(size: tuple[int, int]) -> None:
    master, slave = pty.openpty()
    termios.tcsetwinsize(slave, size)
    with os.fdopen(slave, "w") as terminal:
        bars = Bars(terminal)
        first = bars.start("linux", "linux-6.12.tar.xz", 100 << 20, 50 << 20)
        second = bars.start("libmnl", "v1.tar", None, 0)
        first.advance(1 << 20)
        second.advance(1 << 10)
        bars.note("linux: trying again")
        first.close()
        second.close()
        terminal.write("END")
        terminal.flush()
        read = b""
        while not read.endswith(b"END"):  # a terminal hands over what it has, in pieces
            read += os.read(master, 1 << 16)
    os.close(master)
    shown = read.decode().removesuffix("END")
    assert "linux-6.12.tar.xz:  50%" in shown
    assert "50.0M/100M" in shown
    assert "B/s" in shown
    assert "libmnl v1.tar:" in shown
    assert "linux: trying again" in shown
    assert shown.rpartition("\r")[0].rpartition("\r")[2].strip(" \x1b[A\n") == ""


def test_amounts_are_readable() -> None:
    assert [amount(n) for n in (0, 1023, 1024, 5 << 20, 3 << 30)] == [
        "0 B",
        "1023 B",
        "1.0 KiB",
        "5.0 MiB",
        "3.0 GiB",
    ]
