"""What is said once, and where to."""

from __future__ import annotations

import io
import sys

import pytest

from quard.base.errors import QuardError
from quard.face.console import Console


@pytest.fixture
def out() -> io.StringIO:
    return io.StringIO()


def test_the_same_warning_is_printed_once(out: io.StringIO) -> None:
    console = Console(out)
    for text in ("slow", "late", "slow"):
        console.warn(text)
    assert out.getvalue().splitlines() == ["warning: slow", "warning: late"]


def test_errors_go_to_standard_error_each_of_them_once(
    out: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    console = Console(out)
    for message in ("a fails", "b fails", "a fails"):
        console.error(QuardError(message, reason="build-failed"))
    assert out.getvalue() == ""
    assert capsys.readouterr().err.splitlines() == [
        "error: a fails",
        "reason: build-failed",
        "error: b fails",
        "reason: build-failed",
    ]


@pytest.mark.parametrize("reason", ["disk-full", "cache-unusable"])
def test_what_ends_everything_is_told_once(
    out: io.StringIO, capsys: pytest.CaptureFixture[str], reason: str
) -> None:
    console = Console(out)
    for message in ("nothing for a", "nothing for b"):
        console.error(QuardError(message, reason=reason))
    assert capsys.readouterr().err.splitlines() == ["error: nothing for a", f"reason: {reason}"]


def test_errors_of_one_cause_are_told_once(
    out: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    console = Console(out)
    for message, cause in (("no a", "network"), ("no b", "network"), ("no c", "")):
        console.error(QuardError(message, reason="no-source", cause=cause))
    told = capsys.readouterr().err
    assert told.count("reason: ") == 2
    assert "error: no a" in told and "error: no c" in told


def test_a_silent_console_tells_warnings_on_standard_error_and_answers(
    capsys: pytest.CaptureFixture[str],
) -> None:
    console = Console(sys.stdout, sys.stdout, silent=True)
    console.note("a note")
    console.done("zlib", "1", "built")
    with console.package("zlib", "1") as report:
        report("unpack")
    console.progress().note("fetching")
    console.warn("beware")
    console.warn("beware")
    console.answer("the answer\n")
    assert capsys.readouterr() == ("the answer\n", "warning: beware\n")
