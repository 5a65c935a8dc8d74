"""The live view on a real terminal, as a screen shows it."""

from __future__ import annotations

import os
import re
import sys
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from screen_parts import Shown

from quard.base.errors import QuardError
from quard.face.estimate import Unit
from quard.face.outlook import Outlook
from quard.ledger.durations import Past

PAST = {"linux": {"unpack": Past({"unpack": 30.0, "build": 370.0})}}
OUTLOOK = Outlook("quard-star", {"linux": Unit(400.0), "zlib": Unit(None)}, PAST, 2)


@contextmanager
def building(view: Shown, *names: str, step: str = "build") -> Iterator[None]:
    """Have packages in progress."""
    with ExitStack() as stack:
        for name in names:
            stack.enter_context(view.console.package(name, "1.2"))(step)
        yield


@contextmanager
def shown(lines: int = 24, columns: int = 80, **look: bool | str) -> Iterator[Shown]:
    view = Shown(lines, columns, **look)  # type: ignore[arg-type]
    try:
        yield view
    finally:
        view.console.close()


def test_a_package_is_shown_with_its_step_and_its_times_and_then_one_line() -> None:
    with shown(columns=100) as view:
        view.console.expect(OUTLOOK)
        with view.console.package("linux", "6.12") as report:
            report("unpack")
            view.wait(lambda: len(view.rows()) == 2)
            row, total = view.rows()
            assert row.startswith("linux 6.12  unpack    0:00 of 0:30")
            assert "total 0:00 of 6:40  |" in row
            assert re.fullmatch(r"quard-star, 0:0\d, 0 of 2 done, 1 in progress", total)
            report("build")
            view.wait(lambda: "build     0:00 of 6:10" in view.rows()[0])
        view.console.done("linux", "6.12", "built in 0.1 s")
        view.wait(lambda: view.rows() == ["linux 6.12: built in 0.1 s"])


def test_what_was_never_built_here_is_compared_with_nothing() -> None:
    with shown() as view:
        view.console.expect(OUTLOOK)
        with building(view, "zlib", step="unpack"):
            view.wait(lambda: len(view.rows()) == 2)
            assert " of " not in view.rows()[0]
            assert "left" not in view.rows()[1]


def test_nothing_is_left_on_return_once_nothing_is_under_way() -> None:
    """Who gets the terminal next, an editor or a shell, must not be drawn over."""
    with shown() as view:
        for _ in range(30):
            with building(view, "zlib"):
                view.read(0.03)
            assert view.rows() == []
        before = len(view.raw)
        view.read(1.5)
        assert len(view.raw) == before


def test_lines_of_many_threads_stay_whole_and_in_their_order() -> None:
    with shown(lines=30, columns=60) as view:

        def work(number: int) -> None:
            for count in range(40):
                with view.console.package(f"p{number}", str(count)) as report:
                    for step in ("unpack", "configure", "build", "install"):
                        report(step)
                view.console.done(f"p{number}", str(count), "built in 0.0 s")
                view.out.write(f"direct {number}-{count}\n")

        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            view.read(0.02)
        view.read(0.3)
        lines = re.sub(rb"\x1b\[[0-9]*[A-Z]", b"", view.raw).decode().replace("\r\n", "\n")
        told = [line.rpartition("\r")[2] for line in lines.split("\n")]
        for number in range(8):
            mine = [line for line in told if line.startswith((f"p{number} ", f"direct {number}-"))]
            assert [line for line in mine if "built" in line] == [
                f"p{number} {count}: built in 0.0 s" for count in range(40)
            ]
            assert [line for line in mine if line.startswith("direct")] == [
                f"direct {number}-{count}" for count in range(40)
            ]
        rows = view.rows()
        assert len(rows) == 29
        assert all(re.fullmatch(r"p\d \d+: built in 0.0 s|direct \d-\d+", row) for row in rows)


def test_text_of_others_goes_above_also_in_pieces() -> None:
    with shown() as view, building(view, "zlib"):
        view.wait(lambda: len(view.rows()) == 2)
        view.out.write("scons: *** [")
        view.out.flush()
        view.read(1.3)
        assert view.rows() == ["scons: *** ["], "the rows wait for the end of the line"
        view.out.write("out/x] Error 1\n")
        view.wait(lambda: len(view.rows()) == 3)
        assert view.rows()[0] == "scons: *** [out/x] Error 1"
        assert view.rows()[1].startswith("zlib 1.2")


def test_long_lines_are_left_as_they_are() -> None:
    """A path that was broken into lines could not be copied."""
    with shown(columns=40) as view, building(view, "zlib"):
        view.wait(lambda: len(view.rows()) == 2)
        view.console.note("/a" * 45)
        view.wait(lambda: len(view.rows()) == 5)
        assert "".join(view.rows()[:3]) == "/a" * 45
        assert b"/a" * 45 in view.raw


def test_warnings_and_errors_go_above(monkeypatch: pytest.MonkeyPatch) -> None:
    with shown() as view, building(view, "zlib"):
        monkeypatch.setattr(sys, "stderr", view.out)
        view.wait(lambda: len(view.rows()) == 2)
        view.console.warn("not sealed")
        view.console.error(QuardError("bash: build failed", detail="a\nb", reason="build-failed"))
        view.wait(lambda: len(view.rows()) == 7)
        assert view.rows()[:5] == [
            "warning: not sealed",
            "error: bash: build failed",
            "  a",
            "  b",
            "reason: build-failed",
        ]


NAMES = [f"package{number}" for number in range(8)]


@pytest.mark.parametrize(("lines", "packages"), [(1, 0), (2, 0), (3, 0), (5, 2), (10, 5), (24, 8)])
def test_a_low_terminal_shows_those_that_take_longest_and_says_so(
    lines: int, packages: int
) -> None:
    with shown(lines=lines) as view, building(view, *NAMES):
        view.wait(lambda: "8 in progress" in "".join(view.rows()))
        view.read(1.2)
        rows = view.rows()
        assert [row.split()[0] for row in rows[:-1]] == NAMES[:packages]
        rest = 8 - packages
        assert rows[-1].endswith(f", {rest} not shown" if rest else ", 8 in progress")


@pytest.mark.parametrize("columns", [10, 20, 40, 60, 80, 300])
def test_rows_fit_into_any_width(columns: int) -> None:
    with shown(lines=12, columns=columns) as view:
        view.console.expect(OUTLOOK)
        with building(view, "a-name-that-is-longer-than-most", "linux", "zlib", step="unpack"):
            view.wait(lambda: len(view.rows()) == 4)
            if columns >= 40:
                view.wait(lambda: re.search(r" 0:[0-5][1-9] of 6:40", view.rows()[1]))
            else:
                view.read(1.2)
            rows = view.rows()
            assert len(rows) == 4 and all(len(row) < columns for row in rows)
            if columns >= 40:
                assert rows[0].startswith("a-name-that") and "unpack" in rows[0]
                assert "unpack" in rows[1]
                assert rows[3].startswith("quard-star, 0:")
            if columns == 300:
                assert rows[0].startswith("a-name-that-is-longer-than-most 1.2  unpack")
        assert view.rows() == []


@pytest.mark.parametrize("after", [(24, 30), (24, 140), (6, 80), (40, 60)])
def test_a_resized_terminal_keeps_nothing_of_the_rows_before(after: tuple[int, int]) -> None:
    with shown(lines=24, columns=80) as view:
        view.console.note("above")
        with building(view, *NAMES):
            view.wait(lambda: len(view.rows()) == 10)
            view.resize(*after)
            view.read(1.5)
            view.console.note("later")
            view.read(0.3)
            rows = view.rows()
            packages = [row for row in rows if row.startswith("package")]
            assert len(set(packages)) == len(packages)
            assert "later" in rows and "in progress" in rows[-1]
        view.read(0.3)
        assert {*view.rows()} <= {"above", "later", ""}


def test_a_terminal_without_columns_gets_eighty() -> None:
    with shown(lines=0, columns=0) as view, building(view, "zlib"):
        view.wait(lambda: len(view.rows()) == 2)
        assert view.rows()[0].startswith("zlib 1.2")


def test_names_are_made_plain() -> None:
    with shown() as view:
        bars = view.console.progress()
        with view.console.package("zl\x1b[2Jib", "1\n2\u202e") as report:
            report("build\rit")
            handle = bars.start("other", "f\x07\x9b2J\nile", 100, 0)
            view.wait(lambda: len(view.rows()) == 3)
            assert view.rows()[0].startswith(r"zl\x1b[2Jib 1\n2\u202e  build\rit")
            assert view.rows()[1].startswith(r"other f\x07\x9b2J\nile:")
            handle.close()


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_another_encoding_gets_plain_characters(encoding: str) -> None:
    with shown(encoding=encoding, columns=100) as view:
        view.console.expect(OUTLOOK)
        handle = view.console.progress().start("other", "ß-文件.tar", 100, 50)
        with view.console.package("linux", "6.12") as report:
            report("unpack")
            view.wait(lambda: len(view.rows()) == 3 and "|" in view.rows()[0])
            bar = view.rows()[0].partition("|")[2]
            assert set(bar) <= set("# 0123456789|")
            assert max(view.raw) < (128 if encoding == "ascii" else 256)
            assert rb"\u6587\u4ef6.tar" in view.raw
        handle.close()


def test_wide_characters_take_two_columns() -> None:
    with shown(columns=30) as view, view.console.package("文" * 20, "1"):
        view.wait(lambda: len(view.rows()) == 2)
        view.read(1.2)
        assert len(view.rows()) == 2


def test_colours_are_there_where_they_are_wanted_only() -> None:
    for colours in (True, False):
        with shown(colours=colours) as view, building(view, "zlib"):
            view.wait(lambda: len(view.rows()) == 2)
            assert bool(re.search(rb"\x1b\[[0-9;]*m", view.raw)) is colours


def test_the_cursor_is_never_hidden_and_no_mode_is_changed() -> None:
    """What a killed process had changed would stay so."""
    with shown(colours=True) as view:
        before = termios.tcgetattr(view.slave)
        with building(view, "zlib", "bash"):
            view.wait(lambda: len(view.rows()) == 3)
            view.console.note("a line")
            view.read(1.2)
            assert termios.tcgetattr(view.slave) == before
            assert not view.screen.cursor.hidden
        view.read(0.2)
        found = set(re.findall(rb"\x1b[^A-Za-z]*[A-Za-z]", view.raw))
        assert {word[-1:] for word in found} <= {b"J", b"K", b"A", b"m"}


def test_while_suspended_the_terminal_is_somebody_elses() -> None:
    with shown() as view, building(view, "zlib"):
        view.wait(lambda: len(view.rows()) == 2)
        view.console.suspend()
        assert view.rows() == []
        before = len(view.raw)
        view.read(1.5)
        assert len(view.raw) == before
        view.console.resume()
        view.wait(lambda: len(view.rows()) == 2)


def test_after_its_end_nothing_is_drawn() -> None:
    with shown() as view, building(view, "zlib"):
        view.wait(lambda: len(view.rows()) == 2)
        view.console.close()
        assert view.rows() == []
        view.console.note("the last line")
        view.read(1.5)
        assert view.rows() == ["the last line"]


def test_a_terminal_that_is_gone_stops_nobody() -> None:
    view = Shown()
    with building(view, "zlib"):
        view.wait(lambda: len(view.rows()) == 2)
        view.hang_up()
        time.sleep(1.3)
        with building(view, "bash"):
            pass
    view.console.close()


def test_ten_rows_cost_less_than_a_hundredth_of_a_processor() -> None:
    with shown() as view:
        view.console.expect(OUTLOOK)
        with building(view, *NAMES, "linux"):
            view.wait(lambda: len(view.rows()) == 10)
            began, cpu = time.monotonic(), time.process_time()
            while time.monotonic() - began < 5:
                time.sleep(0.5)
            spent = time.process_time() - cpu
        assert spent < 0.05, f"{spent:.3f} s of 5 s"


def test_descriptors_of_the_same_terminal_are_told_from_others() -> None:
    with shown() as view, building(view, "zlib"):
        view.wait(lambda: len(view.rows()) == 2)
        screen = view.console.screen
        assert screen is not None
        other = os.dup(view.slave)
        read, write = os.pipe()
        assert screen.shows(other) and not screen.shows(write)
        for descriptor in (other, read, write):
            os.close(descriptor)
        assert not screen.shows(write)
