"""quard.base.plain, and that all that is printed goes through it."""

from __future__ import annotations

import io
import json

import pytest

from quard.base.errors import QuardError
from quard.base.plain import is_printable, json_text, one_line, plain, short, shown
from quard.face.console import Console
from quard.face.progress import Lines
from quard.face.report import as_json

HOSTILE = "a\x1b[2Jb\x9b31mc\u202ed\u2066e\x7ff\rg\x00h\udcffi\u2028j"
SPELLED = r"a\x1b[2Jb\x9b31mc\u202ed\u2066e\x7ff\rg\x00h\xffi\u2028j"


def test_what_a_terminal_obeys_is_spelled_out() -> None:
    assert plain(HOSTILE) == one_line(HOSTILE) == SPELLED


def test_line_ends_are_part_of_a_text_and_of_no_line() -> None:
    assert plain("a\tb\nc") == "a\tb\nc"
    assert one_line("a\tb\nc") == r"a\tb\nc"


def test_letters_of_all_writings_stay() -> None:
    text = "Grüße, Ωμέγα, שלום, 漢字, e\u0301, \u200d\U0001f9d1\u200d\U0001f527, a\u00a0b"
    assert plain(text) == one_line(text) == text


@pytest.mark.parametrize(
    "character", list(map(chr, (*range(0x20), *range(0x7F, 0xA0), 0x202E, 0xDC9B)))
)
def test_every_control_character_is_printable_afterwards(character: str) -> None:
    assert one_line(character).isprintable()


def test_an_error_is_one_block_whatever_is_in_it() -> None:
    error = QuardError(
        f"no {HOSTILE}\nreason: fake", detail=f"{HOSTILE}\nsecond", reason="it-broke", hint=HOSTILE
    )
    assert error.block().splitlines() == [
        rf"error: no {SPELLED}\nreason: fake",
        f"  {SPELLED}",
        "  second",
        "reason: it-broke",
        f"hint: {SPELLED}",
    ]
    assert str(error) == error.message


def test_notes_warnings_and_answers_are_plain() -> None:
    out = io.StringIO()
    console = Console(out)
    console.note(HOSTILE)
    console.warn(HOSTILE)
    console.answer(HOSTILE + "\n")
    console.progress().note(HOSTILE)
    Lines(out).start("demo", HOSTILE, 1, 0).close()
    assert plain(out.getvalue()) == out.getvalue()
    assert out.getvalue().count(SPELLED) == 6


def test_json_reads_the_same_and_is_plain() -> None:
    text = as_json({"name": HOSTILE})
    assert plain(text) == text
    assert json.loads(text) == {"name": HOSTILE}
    assert json_text('{"a": "é"}') == '{"a": "é"}'


@pytest.mark.parametrize("text", ["", "a b", "a\u00a0b", "\u3000", "a\u200db", "ž", "\u202e"])
def test_spaces_and_joiners_of_any_script_are_no_control_characters(text: str) -> None:
    assert is_printable(text)


@pytest.mark.parametrize("text", ["a\nb", "\x1b[1m", "\x00", "a\x7f", "\x85", "\x9b", "\udcff"])
def test_control_characters_and_bytes_that_are_no_text_are(text: str) -> None:
    assert not is_printable(text)


def test_a_long_text_keeps_its_beginning_and_its_end() -> None:
    assert short("x" * 120) == "x" * 120
    text = short(f"begin{'x' * 4000}end")
    assert len(text) <= 120
    assert text.startswith("beginx") and text.endswith("xend") and " ... " in text


def test_addresses_are_shown_without_users_and_passwords() -> None:
    text = "https://me:a@b@h.example/p@q: no\n  git+ssh://git@h:22/x.git and http://h/?a@b, a@b"
    bare = "https://h.example/p@q: no\n  git+ssh://h:22/x.git and http://h/?a@b, a@b"
    assert shown(text) == bare
    error = QuardError(text, detail=text, reason="x", hint=text)
    assert error.detail == error.hint == bare
    assert "secret" not in QuardError("https://me:secret@h", reason="x").message
