"""A value that depends on the target; part of the vocabulary in quard.model."""

from __future__ import annotations


class ByTarget:
    """One of several values, chosen by the target; it may stand for any value of a recipe.

    values -- by the word that chooses each: a GNU triple, a processor as triples name it,
              `bits:32`, `bits:64`, `endian:little`, `endian:big`, or `*` for all other targets.
              The first of these that holds for the target counts

    The parser puts the value in its place, so no recipe contains an object of this class.
    """

    def __init__(self, values: dict[str, object]) -> None:
        raise TypeError(f"recipes are parsed, not run: {values!r}")
