"""A problem that a check finds in a recipe."""

from __future__ import annotations

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
