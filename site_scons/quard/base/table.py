"""Strict reading of TOML: unknown keys and wrong types are errors, typos get a suggestion."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from quard.base import given
from quard.base.errors import QuardError
from quard.base.names import meant, nearest


def read(path: Path, shown: str, reason: str) -> Table:
    """Return the top-level table of a file.

    shown  -- the file's name in messages
    reason -- slug of every error that this table and its inner tables raise
    """
    try:
        data = tomllib.loads(given.text(path))
    except OSError as error:
        raise QuardError(
            f"{shown} cannot be read",
            detail=error.strerror or str(error),
            reason=reason,
            hint="fix or restore the file",
        ) from error
    except (ValueError, RecursionError) as error:  # also a number of thousands of digits
        raise QuardError(
            f"{shown} is not valid TOML",
            detail=str(error),
            reason=reason,
            hint="correct the line; https://toml.io describes TOML",
        ) from error
    return Table(data, shown, reason)


T = TypeVar("T")


class Table:
    """A table whose keys are taken one by one; `finish` rejects any that are left.

    where   -- the file's name in messages
    origins -- of a table that is merged from several files: full name of a key -> its file
    """

    def __init__(
        self,
        data: Mapping[str, Any],
        where: str,
        reason: str,
        name: str = "",
        origins: Mapping[str, str] | None = None,
    ) -> None:
        self._data = dict(data)
        self._where = where
        self._reason = reason
        self._name = name
        self._origins = origins
        self._known: list[str] = []

    def text(self, key: str, default: str | None = None) -> str:
        """Take a string; without a default the key is required."""
        return self._plain(key, self._take(key, str, "a string", default))

    def number(self, key: str, default: int | None = None) -> int:
        """Take an integer."""
        return self._take(key, int, "a whole number", default)

    def flag(self, key: str, default: bool | None = None) -> bool:
        """Take true or false."""
        return self._take(key, bool, "true or false", default)

    def texts(self, key: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """Take a list of strings."""
        found = self._take(key, list, "a list of strings", None if default is None else [*default])
        if not all(isinstance(item, str) for item in found):
            raise self.error(key, "must be a list of strings")
        return tuple(self._plain(key, item) for item in found)

    def choice(self, key: str, allowed: tuple[str, ...], default: str | None = None) -> str:
        """Take one of the allowed words."""
        found = self.text(key, default)
        if found not in allowed:
            raise self.error(key, f"must be one of {', '.join(allowed)}, not {found!r}")
        return found

    def table(self, key: str) -> Table:
        """Take an inner table; an absent one is empty."""
        found = self._take(key, dict, "a table", {})
        return Table(found, self._where, self._reason, f"{self._name}{key}.", self._origins)

    def tables(self, key: str) -> tuple[Table, ...]:
        """Take a list of tables."""
        found = self._take(key, list, "a list of tables", [])
        if not all(isinstance(item, dict) for item in found):
            raise self.error(key, "must be a list of tables")
        return tuple(
            Table(item, self._file(key), self._reason, f"{self._name}{key}[{number}].")
            for number, item in enumerate(found)
        )

    def names(self) -> tuple[str, ...]:
        """Return the keys not taken yet, sorted. For tables whose keys are names."""
        return tuple(sorted(self._data))

    def value(self, key: str) -> Any:
        """Take a value of any type."""
        self._known.append(key)
        return self._data.pop(key)

    def rest(self) -> dict[str, Any]:
        """Take all keys that have not been taken."""
        found, self._data = self._data, {}
        return found

    def finish(self) -> None:
        """Raise QuardError if a key has not been taken."""
        for key in sorted(self._data):
            known = "known: " + ", ".join(sorted(self._known))
            raise QuardError(
                f"{self._file(key)}: unknown key {self._name}{key}",
                detail=known,
                reason=self._reason,
                hint=meant(key, self._known, "remove or correct it"),
            )

    def error(self, key: str, text: str, hint: str = "") -> QuardError:
        """Return the error for one key of this table."""
        return QuardError(
            f"{self._file(key)}: {self._name}{key} {text}",
            reason=self._reason,
            hint=hint or f"correct it in {self._file(key)}",
        )

    def _file(self, key: str) -> str:
        """Return the name of the file that has a key."""
        return (self._origins or {}).get(f"{self._name}{key}", self._where)

    def _instead(self, key: str) -> str:
        """Return a hint on a missing key: it may be misspelt, or below the header of a table."""
        for place, inner in _inner(self._data, self._name):
            if key in inner:
                return f"[{place}] has it: move it above this line, to the keys that it belongs to"
        near = nearest(key, self._data)
        return f"there is {near[0]!r}: did you mean {key!r}?" if near else ""

    def _plain(self, key: str, text: str) -> str:
        """Check and return a text that may become part of a path, a command or an environment."""
        if "\0" in text:
            raise self.error(key, f"contains a NUL character: {text!r}")
        return text

    def _take(self, key: str, kind: type[T], name: str, default: T | None) -> T:
        self._known.append(key)
        if key not in self._data:
            if default is None:
                hint = self._instead(key) or f"add `{key}` to {self._file(key)}"
                raise self.error(key, "is missing", hint)
            return default
        found: T = self._data.pop(key)
        if type(found) is not kind:
            changed = self._changed(key, found, default) if kind is list else found
            if kind is list and self._origins is not None and isinstance(found, dict):
                self._check_change(key, found)
            if type(changed) is not kind:
                raise self.error(key, f"must be {name}, not {found!r}")
            found = changed
        return found

    def _check_change(self, key: str, found: Mapping[str, Any]) -> None:
        """Reject a key that changes no list, in a table that stands for a list."""
        from quard.base.changes import ADD, REMOVE  # noqa: PLC0415 - for a wrong key only

        change = Table(
            {ADD: [], REMOVE: [], **found},
            self._where,
            self._reason,
            f"{self._name}{key}.",
            self._origins,
        )
        change.value(ADD)
        change.value(REMOVE)
        change.finish()

    def _changed(self, key: str, found: Any, default: Any) -> Any:
        """Return the list that changes of several files lead to; another value as it is."""
        from quard.base.changes import Changes, UnfitChangeError  # noqa: PLC0415 - hardly ever used

        if not isinstance(found, Changes):
            return found
        try:
            return found.of(default or ())
        except UnfitChangeError as error:
            raise QuardError(
                f"{error.file}: {self._name}{key}{error.text}",
                reason=self._reason,
                hint=f"correct it in {error.file}",
            ) from None


def _inner(data: Mapping[str, Any], name: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the tables in a table, each with its name from the top."""
    for key, value in data.items():
        if isinstance(value, dict):
            yield f"{name}{key}", value
            yield from _inner(value, f"{name}{key}.")
