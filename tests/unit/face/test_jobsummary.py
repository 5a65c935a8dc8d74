"""summary.json as Markdown for the page of a CI job."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from quard.face import jobsummary
from quard.ledger.summary import Built, Summary


def written(tmp_path: Path, found: Summary, *current: str) -> str:
    path = tmp_path / "summary.json"
    path.write_text(json.dumps(found.as_json(current, 4.25)))
    return str(path)


def test_it_says_what_was_made_and_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = Summary("tiny")
    done.add_built(Built("greet", 1.5, ("source: a|b", "option <x>")))
    done.add_built(Built("linux", 3, ("no result",), worker="w_1"))
    done.add_restored("hello")
    done.add_image("rootfs.tar")
    assert jobsummary.main([written(tmp_path, done, "libc")]) == 0
    assert capsys.readouterr().out == (
        "## tiny: done in 4.2 s\n\n"
        "| built | seconds | why |\n|---|---:|---|\n"
        "| linux | 3.0 | no result<br>by the worker w&#95;1 |\n"
        "| greet | 1.5 | source: a&#124;b<br>option &#60;x&#62; |\n\n"
        "- Restored (1): hello\n- Up to date (1): libc\n- Images (1): rootfs.tar\n"
    )


def test_it_names_what_failed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = Summary("tiny")
    done.add_failed("hello")
    assert jobsummary.main([written(tmp_path, done)]) == 0
    out = capsys.readouterr().out
    assert out.startswith("## tiny: failed in") and "- Failed (1): hello" in out


def test_nothing_made_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert jobsummary.main([written(tmp_path, Summary("tiny"), "libc")]) == 0
    assert "Nothing had to be made" in capsys.readouterr().out


@pytest.mark.parametrize("text", [None, "", "{}", "[]"])
def test_a_missing_summary_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str | None
) -> None:
    path = tmp_path / "summary.json"
    if text is not None:
        path.write_text(text)
    assert jobsummary.main([str(path)]) == 0
    assert "no summary" in capsys.readouterr().out


def test_other_arguments_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert jobsummary.main([]) == 2
    assert "quard.face.jobsummary" in capsys.readouterr().err
