"""What recipes said when they were last read, so that a build parses the changed ones only.

An entry holds for one content of a recipe, and all entries for one engine and one Python: whatever
is not exactly as it was is read anew. No time stamp plays a part.
"""

from __future__ import annotations

import contextlib
import hashlib
import pickle
import sys
from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from quard.base.files import replacing
from quard.model import Recipe

_DIGEST = 32
_ENGINE = Path(__file__).parent.parent
_READERS = ("", "base", "recipes", "plan")
"""Folders of the engine whose modules read and check recipes."""


@dataclass(frozen=True)
class _Parsed:
    """What is remembered of one recipe.

    content -- SHA-256 of its text
    pickled -- the recipe; unpickled only when it is asked for
    clean   -- file names beside it with which a check found nothing; None: not checked
    """

    content: str
    pickled: bytes
    clean: tuple[str, ...] | None = None


class ParseCache:
    """Keeps entries in one file; None keeps them nowhere."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._changed = False

    def recipe(self, name: str, content: str) -> Recipe | None:
        """Return the recipe of this content, if it is known."""
        entry = self._entries.get(name)
        if entry is None or entry.content != content:
            return None
        found: Recipe = pickle.loads(entry.pickled)
        return found

    def add(self, name: str, content: str, recipe: Recipe) -> None:
        """Learn what a recipe says."""
        if self._file is not None:
            self._entries[name] = _Parsed(content, pickle.dumps(recipe))
            self._changed = True

    def is_clean(self, name: str, content: str, beside: tuple[str, ...]) -> bool:
        """Tell whether a check of this recipe beside these files found nothing."""
        entry = self._entries.get(name)
        return entry is not None and entry.content == content and entry.clean == beside

    def set_clean(self, name: str, content: str, beside: tuple[str, ...]) -> None:
        """Learn that a check found nothing."""
        entry = self._entries.get(name)
        if entry is not None and entry.content == content:
            self._entries[name] = replace(entry, clean=beside)
            self._changed = True

    def save(self, names: Collection[str]) -> None:
        """Write down what was learnt of recipes that exist; a full disk only costs time later."""
        if self._file is None or not self._changed:
            return
        kept = {name: entry for name, entry in self._entries.items() if name in names}
        data = self._engine + pickle.dumps(kept)
        with contextlib.suppress(OSError), replacing(self._file) as part:
            part.write_bytes(hashlib.sha256(data).digest() + data)
        self._changed = False

    @cached_property
    def _entries(self) -> dict[str, _Parsed]:
        """What the file holds; nothing where it is damaged or of another engine."""
        try:
            data = self._file.read_bytes() if self._file is not None else b""
        except OSError:
            return {}
        if hashlib.sha256(data[_DIGEST:]).digest() != data[:_DIGEST]:
            return {}  # also keeps damage away from pickle, which would trust it
        engine, pickled = data[_DIGEST : 2 * _DIGEST], data[2 * _DIGEST :]
        return dict(pickle.loads(pickled)) if engine == self._engine else {}

    @cached_property
    def _engine(self) -> bytes:
        """What decides what a recipe's text means: everything that reads and checks recipes."""
        total = hashlib.sha256(sys.version.encode())
        for folder in _READERS:
            for path in sorted((_ENGINE / folder).glob("*.py")):
                content = hashlib.sha256(path.read_bytes()).hexdigest()
                total.update(f"{folder}/{path.name} {content}\n".encode())
        return total.digest()
