"""What .editorconfig tells an editor is how the files of the project are written."""

from __future__ import annotations

import configparser
import re
from collections.abc import Iterator, Mapping

import pytest

import checkout

TEXT = (checkout.TOP / ".editorconfig").read_text(encoding="utf-8")


def pattern(glob: str) -> re.Pattern[str]:
    """Return what a section's glob matches, a path below the top folder (editorconfig.org)."""
    text = re.escape(glob if "/" in glob else f"**/{glob}")
    text = text.replace(r"\*\*/", "(?:.*/)?").replace(r"\*\*", ".*").replace(r"\*", "[^/]*")
    text = text.replace(r"\{", "(?:").replace(r"\}", ")").replace(",", "|")
    return re.compile(text)


def settings(text: str) -> list[tuple[re.Pattern[str], Mapping[str, str]]]:
    parser = configparser.ConfigParser()
    parser.read_string(f"[the top]\n{text}")
    return [(pattern(name), parser[name]) for name in parser.sections()[1:]]


def rules(path: str, text: str = TEXT) -> dict[str, str]:
    found: dict[str, str] = {}
    for matches, values in settings(text):
        if matches.fullmatch(path):
            found |= values
    return {name: value for name, value in found.items() if value != "unset"}


def problems(path: str, data: bytes, text: str = TEXT) -> Iterator[str]:
    """Yield how a file differs from what an editor would write."""
    asked = rules(path, text)
    if asked.get("charset") == "utf-8" and "\ufffd" in data.decode("utf-8", "replace"):
        yield f"{path}: is not UTF-8"
    if asked.get("end_of_line") == "lf" and b"\r\n" in data:
        yield f"{path}: lines end in CR LF"
    if "insert_final_newline" in asked and data and not data.endswith(b"\n"):
        yield f"{path}: the last line has no end"
    if "trim_trailing_whitespace" in asked and re.search(rb"[ \t]$", data, re.MULTILINE):
        yield f"{path}: spaces at the end of a line"
    # ruff looks at Python, where a text may begin its lines with anything.
    wrong = {"space": rb"^\t", "tab": rb"^ {2}"}.get(asked.get("indent_style", ""))
    if wrong and not path.endswith(".py") and re.search(wrong, data, re.MULTILINE):
        yield f"{path}: indented otherwise than with {asked['indent_style']}s"


def test_every_file_is_written_as_an_editor_would_write_it() -> None:
    texts = {
        name: (checkout.TOP / name).read_bytes()
        for name in checkout.files()
        if not (checkout.TOP / name).is_symlink()
    }
    assert len(texts) > 300
    assert [one for name, data in texts.items() for one in problems(name, data)] == []


@pytest.mark.parametrize(
    ("path", "data", "problem"),
    [
        ("a.md", b"\xff\n", "is not UTF-8"),
        ("a.md", b"a\r\n", "lines end in CR LF"),
        ("deep/a.md", b"a", "the last line has no end"),
        ("a.md", b"a \nb\n", "spaces at the end of a line"),
        ("a.sh", b"a\n\tb\n", "indented otherwise than with spaces"),
        ("rootfs/etc/x/y", b"a\n  b\n", "indented otherwise than with tabs"),
    ],
)
def test_a_file_that_is_written_otherwise_is_found(path: str, data: bytes, problem: str) -> None:
    assert list(problems(path, data)) == [f"{path}: {problem}"]


def test_a_later_section_wins_and_unset_takes_back() -> None:
    assert rules("packages/x/1.patch") == {"indent_size": "4"}
    assert rules("a.yaml")["indent_size"] == "2"
    assert rules("rootfs/init")["indent_style"] == "tab"
    assert rules("rootfs/www/index.html")["indent_style"] == "space"


def test_the_longest_line_is_that_of_ruff() -> None:
    ruff = (checkout.TOP / "pyproject.toml").read_text(encoding="utf-8")
    assert f"line-length = {rules('a.py')['max_line_length']}\n" in ruff
