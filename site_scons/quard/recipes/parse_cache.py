"""The parse cache: parsed recipes, kept so that a build parses only the changed ones.

An entry is valid for one content of a recipe, and all entries for one engine and one Python. If any
of these differs, the recipe is parsed again. Time stamps are not used.
"""

from __future__ import annotations

import contextlib
import hashlib
import pickle
import sys
from collections.abc import Collection
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from quard.base.files import listed, replacing
from quard.base.record import Record, record
from quard.model import Recipe

_DIGEST = 32
_ENGINE = Path(__file__).parent.parent
_READERS = ("", "base", "recipes", "plan")
"""Folders of the engine whose modules parse and check recipes."""


@record
class _Parsed(Record):
    """The cache entry of one recipe.

    content -- SHA-256 of its text
    pickled -- the recipe; unpickled only when it is requested
    clean   -- file names beside it when a check found nothing; None: not checked
    """

    content: str
    pickled: bytes
    clean: tuple[str, ...] | None = None


class ParseCache:
    """Entries kept in one file; without a file nothing is kept."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._changed = False

    def recipe(self, name: str, content: str) -> Recipe | None:
        """Return the recipe with this content, if it is cached."""
        entry = self._entries.get(name)
        if entry is None or entry.content != content:
            return None
        found: Recipe = pickle.loads(entry.pickled)
        return found

    def add(self, name: str, content: str, recipe: Recipe) -> None:
        """Add a parsed recipe."""
        if self._file is not None:
            self._entries[name] = _Parsed(content, pickle.dumps(recipe))
            self._changed = True

    def is_clean(self, name: str, content: str, beside: tuple[str, ...]) -> bool:
        """Return whether a check of this recipe beside these files found nothing."""
        entry = self._entries.get(name)
        return entry is not None and entry.content == content and entry.clean == beside

    def set_clean(self, name: str, content: str, beside: tuple[str, ...]) -> None:
        """Record that a check found nothing."""
        entry = self._entries.get(name)
        if entry is not None and entry.content == content:
            self._entries[name] = replace(entry, clean=beside)
            self._changed = True

    def save(self, names: Collection[str]) -> None:
        """Save the entries of recipes that exist; a full disk only costs time later."""
        if self._file is None or not self._changed:
            return
        kept = {n: entry for n, entry in self._entries.items() if n.partition(" ")[0] in names}
        data = self._engine + pickle.dumps(kept)
        with contextlib.suppress(OSError), replacing(self._file) as part:
            part.write_bytes(hashlib.sha256(data).digest() + data)
        self._changed = False

    @cached_property
    def _entries(self) -> dict[str, _Parsed]:
        """The entries in the file; empty if it is damaged or from another engine."""
        try:
            data = self._file.read_bytes() if self._file is not None else b""
        except OSError:
            return {}
        if hashlib.sha256(data[_DIGEST:]).digest() != data[:_DIGEST]:
            return {}  # pickle, which would trust it, must not see damaged data
        engine, pickled = data[_DIGEST : 2 * _DIGEST], data[2 * _DIGEST :]
        return dict(pickle.loads(pickled)) if engine == self._engine else {}

    @cached_property
    def _engine(self) -> bytes:
        """A hash over all code that parses and checks recipes, which decides what a text means."""
        total = hashlib.sha256(sys.version.encode())
        for folder in _READERS:
            for name in listed(_ENGINE / folder, ".py"):
                # A hundred files for every null build: Path would take as long as their hashes.
                with open(f"{_ENGINE}/{folder}/{name}", "rb") as file:
                    content = hashlib.sha256(file.read()).hexdigest()
                total.update(f"{folder}/{name} {content}\n".encode())
        return total.digest()
