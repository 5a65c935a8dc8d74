"""The block that a user reads."""

from __future__ import annotations

from quard.base.errors import QuardError, together


def test_the_block_has_message_indented_detail_reason_and_hint_in_this_order() -> None:
    error = QuardError("it broke", detail="line one\nline two", reason="it-broke", hint="mend it")
    assert error.block() == (
        "error: it broke\n  line one\n  line two\nreason: it-broke\nhint: mend it"
    )


def test_a_block_without_detail_and_hint_is_two_lines() -> None:
    assert QuardError("it broke", reason="it-broke").block() == "error: it broke\nreason: it-broke"


def test_the_exception_reads_as_its_message() -> None:
    assert str(QuardError("it broke", detail="why", reason="it-broke")) == "it broke"


def test_one_error_alone_stays_as_it_is() -> None:
    error = QuardError("it broke", reason="it-broke")
    assert together("the thing", [error]) is error


def test_several_of_one_kind_are_one_block_with_their_hint() -> None:
    errors = [QuardError(f"{name} broke", detail="why", reason="r", hint="mend") for name in "ab"]
    assert together("the thing", errors).block() == (
        "error: 2 errors in the thing\n"
        "  a broke\n    why\n  b broke\n    why\n"
        "reason: r\nhint: mend"
    )


def test_several_kinds_stand_together_each_with_its_hint() -> None:
    errors = [
        QuardError("a broke", reason="r", hint="mend"),
        QuardError("b is gone", reason="s", hint="look"),
        QuardError("c broke", reason="r", hint="mend"),
    ]
    assert together("the thing", errors).block() == (
        "error: 3 errors in the thing\n"
        "  a broke\n  c broke\n  r: mend\n  b is gone\n  s: look\n"
        "reason: r\nhint: the hints are above, one for each reason"
    )
