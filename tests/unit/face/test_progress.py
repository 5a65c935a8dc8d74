"""quard.face.progress on a real terminal and in a log."""

from __future__ import annotations

import io
import re
import threading

import pytest
from screen_parts import Shown

from quard.face.progress import Lines
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
    assert first == "zlib: fetching z.tar (4.0 KiB, 1.0 KiB already downloaded)"
    assert "interrupted after 1.0 KiB" in second


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
    view = Shown(lines=size[0], columns=size[1])
    bars = view.console.progress()
    first = bars.start("linux", "linux-6.12.tar.xz", 100 << 20, 50 << 20)
    second = bars.start("libmnl", "v1.tar", None, 0)
    first.advance(1 << 20)
    second.advance(1 << 10)
    bars.note("linux: trying again")
    view.wait(lambda: len(view.rows()) == 4 and "1.00k" in view.rows()[2])
    above, linux, libmnl, total = view.rows()
    assert above == "linux: trying again"
    assert linux.startswith("linux-6.12.tar.xz:  51%|")
    assert " 51.0M/100M " in linux and "B/s]" in linux
    assert libmnl.startswith("libmnl v1.tar: 1.00kB [") and "B/s]" in libmnl
    assert total == "0:00"
    first.close()
    view.wait(lambda: len(view.rows()) == 3)
    second.close()
    assert view.rows() == ["linux: trying again"]
    view.console.close()


def test_amounts_are_readable() -> None:
    assert [amount(n) for n in (0, 1023, 1024, 5 << 20, 3 << 30)] == [
        "0 B",
        "1023 B",
        "1.0 KiB",
        "5.0 MiB",
        "3.0 GiB",
    ]
