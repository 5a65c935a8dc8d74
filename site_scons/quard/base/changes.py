"""Changes of a list: entries that one file removes from, and adds to, the list of another one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

from quard.base.record import Record, record

ADD, REMOVE = "add", "remove"


class UnfitChangeError(Exception):
    """An entry cannot be added or removed.

    file -- the name of the file that does so
    text -- what is wrong, after the name of the key
    """

    def __init__(self, file: str, text: str) -> None:
        super().__init__(text)
        self.file = file
        self.text = text


@record
class Changes(Record):
    """A list that is not known yet: what files change in it, one after the other.

    start -- the list that the first change is about; None: the default
    steps -- each change with the name of its file
    """

    start: Sequence[Any] | None
    steps: tuple[tuple[str, Mapping[str, Sequence[Any]]], ...]

    def __repr__(self) -> str:
        """Return the last change as its file has it, for errors."""
        return repr(self.steps[-1][1])

    def then(self, file: str, change: Mapping[str, Sequence[Any]]) -> Changes:
        """Return these changes and one more."""
        return Changes(self.start, (*self.steps, (file, change)))

    def of(self, default: Sequence[Any]) -> list[Any]:
        """Return the changed list. Raises UnfitChangeError.

        Entries are removed first, and others added at the end. Each must have an effect: a name
        that the list no longer has would otherwise stay in a file for ever.
        """
        found = [*(default if self.start is None else self.start)]
        for file, change in self.steps:
            for item in change.get(REMOVE, ()):
                if item not in found:
                    text = f".{REMOVE} has {item!r}, which the list does not have"
                    raise UnfitChangeError(file, text)
                found.remove(item)
            for item in change.get(ADD, ()):
                if item in found:
                    raise UnfitChangeError(file, f".{ADD} has {item!r}, which the list has already")
                found.append(item)
        return found


def is_change(value: Any) -> TypeGuard[dict[str, list[Any]]]:
    """Return whether a value is a change of a list: a table of `add`, `remove` or both."""
    return (
        isinstance(value, dict)
        and bool(value)
        and {*value} <= {ADD, REMOVE}
        and all(isinstance(items, list) for items in value.values())
    )
