"""Placeholders: the early ones become text, the late ones stay, others are errors."""

from __future__ import annotations

import random
import re

import pytest

from quard.base.errors import QuardError
from quard.base.placeholders import LATE, PLACEHOLDERS
from quard.plan.late import late
from quard.recipes.placeholders import render, render_all, unknown_words

EARLY = {word: f"<{word}>" for word in PLACEHOLDERS if word not in LATE}
PIECES = (
    *(f"{{{word}}}" for word in PLACEHOLDERS),
    "A",
    " ",
    "/",
    "$",
    "${",
    "}",
    "{",
    "{}",
    "{A}",
)


def texts(seed: int) -> list[str]:
    random_ = random.Random(seed)
    return ["".join(random_.choices(PIECES, k=random_.randrange(8))) for _ in range(300)]


@pytest.mark.parametrize("word", sorted(EARLY))
def test_every_early_placeholder_is_replaced_wherever_it_stands(word: str) -> None:
    assert render(f"a{{{word}}}b{{{word}}}", EARLY) == f"a<{word}>b<{word}>"


@pytest.mark.parametrize("word", LATE)
def test_every_late_placeholder_stays(word: str) -> None:
    assert render(f"-I{{{word}}}/include", EARLY) == f"-I{{{word}}}/include"


def test_rendering_replaces_early_words_and_leaves_every_other_character() -> None:
    for text in texts(1):
        wanted = text
        for word, value in EARLY.items():
            wanted = wanted.replace(f"{{{word}}}", value)
        assert render(text, EARLY) == wanted
        assert not any(f"{{{word}}}" in wanted for word in EARLY)


def test_what_a_value_holds_is_not_rendered_again() -> None:
    assert render("{name}", {"name": "{version}", "version": "1"}) == "{version}"


def test_an_unknown_placeholder_is_refused_with_text_and_known_words() -> None:
    with pytest.raises(QuardError) as caught:
        render("--host={tripel}", EARLY)
    assert caught.value.reason == "unknown-placeholder"
    assert caught.value.message == "unknown placeholder {tripel}"
    assert "--host={tripel}" in caught.value.detail
    assert "triple" in caught.value.detail


def test_an_early_placeholder_without_a_value_is_refused_too() -> None:
    """A source's address has a name and a version and nothing else."""
    with pytest.raises(QuardError) as caught:
        render("{triple}", {"name": "x", "version": "1"})
    assert caught.value.reason == "unknown-placeholder"


def test_unknown_words_are_listed_in_order() -> None:
    assert unknown_words("{b}{name}{a}{src}{b}") == ["b", "a", "b"]
    assert unknown_words("no braces, ${VAR}, {}") == []


def test_several_texts_keep_their_order() -> None:
    assert render_all(("{name}", "x", "{src}"), EARLY) == ("<name>", "x", "{src}")


def test_the_executor_replaces_exactly_the_late_words() -> None:
    folders = {word: f"/quard/{word}" for word in LATE}
    for text in texts(2):
        rendered = render(text, EARLY)
        wanted = re.sub(
            "|".join(rf"\{{({word})\}}" for word in LATE),
            lambda match: f"/quard/{match.group(0)[1:-1]}",
            rendered,
        )
        assert late(rendered, folders) == wanted
