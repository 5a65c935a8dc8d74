"""Replacing the late placeholders, which remain in a plan, with the executor's folders."""

from __future__ import annotations

from collections.abc import Mapping

from quard.base.placeholders import LATE


def late(text: str, folders: Mapping[str, str]) -> str:
    """Return a plan's text with the executor's folders in place of the late placeholders."""
    for word in LATE:
        text = text.replace(f"{{{word}}}", folders[word])
    return text
