"""A problem that a check finds in a recipe."""

from __future__ import annotations

from collections.abc import Iterator

from quard.base.record import Record, record
from quard.recipes.catalog import Package


@record
class Finding(Record):
    """One problem in one recipe.

    file   -- the recipe's, as messages name it
    reason -- slug, as in QuardError
    """

    file: str
    field: str
    text: str
    reason: str

    def __str__(self) -> str:
        return f"{self.file}: {self.field}: {self.text}"


def finding(package: Package, field: str, text: str, reason: str) -> Finding:
    return Finding(package.file, field, text, reason)


def twice(package: Package, field: str, names: tuple[str, ...]) -> Iterator[Finding]:
    """Yield a finding for each name that a list has more than once; its order does not matter."""
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield finding(package, field, f"{name!r} is listed twice", "named-twice")
