"""What was found out about data that an image is made from, so that the next one need not read it.

Everything is known by a digest of the data that it was found out from. A damaged file is as good as
none, and so is one of another version of the engine, if that knows other values.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from quard.base import canonical
from quard.base.files import content, replace

NAME = "known"
"""Of the file beside the compressed pieces of an image (quard.image.kept)."""


_FORM = "form"


class Known:
    """Values by digests, in a file that has those of the last image.

    form -- what the values are, which has to change with them
    """

    def __init__(self, path: Path, form: str) -> None:
        self._path = path
        self._form = form
        self._before = _read(path, form)
        self._now: dict[str, Any] = {}

    def get(self, digest: str) -> Any:
        """Return what is known, None if nothing is; an empty digest is that of unknown data."""
        found = self._now.get(digest, self._before.get(digest))
        if found is not None:
            self._now[digest] = found
        return found

    def note(self, digest: str, value: Any) -> None:
        """Note what was found out, as JSON can express it; nothing for an empty digest."""
        if digest:
            self._now[digest] = value

    def write(self) -> None:
        """Keep what this image was made from, and nothing else. Raises OSError."""
        if self._now != self._before:
            replace(self._path, canonical.sealed({_FORM: self._form, **self._now}).encode())


def _read(path: Path, form: str) -> dict[str, Any]:
    try:
        found = canonical.unsealed(content(f"{path}")) or {}
    except OSError:
        return {}
    return found if found.pop(_FORM, None) == form else {}
