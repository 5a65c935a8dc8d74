"""The block that a user reads."""

from __future__ import annotations

from quard.errors import QuardError


def test_the_block_has_message_indented_detail_reason_and_hint_in_this_order() -> None:
    error = QuardError("it broke", detail="line one\nline two", reason="it-broke", hint="mend it")
    assert error.block() == (
        "error: it broke\n  line one\n  line two\nreason: it-broke\nhint: mend it"
    )


def test_a_block_without_detail_and_hint_is_two_lines() -> None:
    assert QuardError("it broke", reason="it-broke").block() == "error: it broke\nreason: it-broke"


def test_the_exception_reads_as_its_message() -> None:
    assert str(QuardError("it broke", detail="why", reason="it-broke")) == "it broke"
