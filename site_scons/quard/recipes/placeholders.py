"""Replacing the placeholders in a recipe's texts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from quard.base.errors import QuardError
from quard.base.names import meant
from quard.base.placeholders import LATE, PLACEHOLDERS

_WORD = re.compile(r"\{([a-z_]+|[a-z0-9][a-z0-9+-]*\.[a-z_]+)\}")
_LIKE_A_WORD = re.compile(r"(?<!\$)\{([A-Za-z_]+)\}")
"""A name that may be meant as a placeholder; not a shell's ${NAME}."""


def unknown_words(text: str) -> list[str]:
    """Return the names in braces, in any case, that are not placeholders."""
    return [word for word in _LIKE_A_WORD.findall(text) if word not in PLACEHOLDERS]


def render(text: str, values: Mapping[str, str]) -> str:
    """Return `text` with the early placeholders replaced.

    A name with a dot, {PACKAGE.WORD}, is one of the words of the target.
    Raises QuardError for a name in braces that is not in `PLACEHOLDERS`, or that has a dot and is
    not among `values`.
    """
    if "{" not in text:
        return text

    def replace(match: re.Match[str]) -> str:
        word = match.group(1)
        if word in LATE:
            return match.group(0)
        if word not in values:
            raise _unknown(word, text, values)
        return values[word]

    return _WORD.sub(replace, text)


def _unknown(word: str, text: str, values: Mapping[str, str]) -> QuardError:
    known, hint = sorted(PLACEHOLDERS), "correct the recipe"
    if "." in word:
        known = [value for value in values if "." in value]
        name = values["triple"]
        hint = meant(word, known, f"add it to [words] of the target {name}, in configs/targets")
    return QuardError(
        f"unknown placeholder {{{word}}}",
        detail=f"in {text!r}; known: " + ", ".join(known),
        reason="unknown-placeholder",
        hint=hint,
    )


def render_all(texts: Iterable[str], values: Mapping[str, str]) -> tuple[str, ...]:
    """Render several texts in order."""
    return tuple(render(text, values) for text in texts)
