"""A problem that a check finds in a recipe."""

from __future__ import annotations

from dataclasses import dataclass

from quard.base.record import Record
from quard.recipes.catalog import Package


@dataclass(frozen=True, repr=False)
class Finding(Record):
    """One problem in one recipe.

    reason -- slug, as in QuardError
    """

    package: str
    field: str
    text: str
    reason: str

    def __str__(self) -> str:
        return f"packages/{self.package}/recipe.py: {self.field}: {self.text}"


def finding(package: Package, field: str, text: str, reason: str) -> Finding:
    return Finding(package.name, field, text, reason)
