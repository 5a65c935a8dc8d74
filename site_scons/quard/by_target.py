"""What depends on where a package runs; part of the vocabulary in quard.model."""

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


class ForBuild(tuple[tuple[str, object], ...]):
    """What differs when a package is built for the build machine, as pairs of name and value.

    A field that is given replaces the recipe's. `features` has the names of those that are on;
    without it, the recipe's defaults hold.
    """

    __slots__ = ()

    def __new__(cls, **fields: object) -> ForBuild:
        return super().__new__(cls, [(name, fields[name]) for name in sorted(fields)])

    def __getnewargs_ex__(self) -> tuple[tuple[()], dict[str, object]]:
        """Return the arguments that create an equal object, for copying and pickling."""
        return (), dict(self)
