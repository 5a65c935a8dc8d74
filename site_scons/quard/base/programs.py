"""Identities of the machine's programs: digests of their files, kept between runs."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

from quard.base import canonical
from quard.base.files import file_sha256, replace


class Programs:
    """Digests of programs and what is known of them, by their path, size, times and inode.

    A change that leaves all of these as they are would be missed; but a package manager installs
    the files, and it replaces them.

    memory -- file that keeps the digests, so that only the first run reads the programs
    """

    def __init__(self, memory: Path) -> None:
        self._path = memory
        self._changed = False
        try:
            found = canonical.unsealed(memory.read_bytes())
        except OSError:
            found = None
        self._known = _entries(found or {})

    def fingerprint(self, version: str, files: Iterable[Path]) -> str:
        """Return a SHA-256 over a version and over name and content of files; remember them."""
        total = hashlib.sha256(version.encode())
        for file in files:
            total.update(f"{file.name} {self._digest(file)}\n".encode())
        self.save()
        return total.hexdigest()

    def fingerprint_of_all(self, subject: str, version: str, files: Collection[str]) -> str:
        """Return what `fingerprint` does, for many files that are installed together.

        They have one entry in the memory, not one each: if one changes, all are read again.
        subject -- names the entry
        """
        name, stamp = f"files of {subject}", _stamps(files)
        known = self._known.get(name, [])
        if known[:1] != [stamp]:
            total = hashlib.sha256(os.fsencode(version))
            for file in files:
                total.update(os.fsencode(f"{os.path.basename(file)} {file_sha256(Path(file))}\n"))
            known = [stamp, total.hexdigest()]
            self._keep(name, known)
        self.save()
        return known[1]

    def _digest(self, path: Path) -> str:
        """Return the SHA-256 of a file's content."""
        stamp = _stamp(path)
        known = self._known.get(str(path))
        if known and known[0] == stamp and len(known) == 2:
            return known[1]
        found = file_sha256(path)
        self._keep(str(path), [stamp, found])
        return found

    def recall(self, subject: str, files: Iterable[Path]) -> list[str] | None:
        """Return what `note` was given, if none of these files has changed since."""
        match self._known.get(f"facts of {subject}"):
            case [stamp, *facts] if stamp == _stamps(files):
                return facts
        return None

    def note(self, subject: str, files: Iterable[Path], facts: Iterable[str]) -> None:
        """Remember facts that stay true as long as these files stay as they are."""
        self._keep(f"facts of {subject}", [_stamps(files), *facts])

    def _keep(self, name: str, entry: list[str]) -> None:
        self._known[name] = entry
        self._changed = True

    def save(self) -> None:
        """Write new entries, if any; if writing fails, the next run computes them again."""
        if self._changed:
            with contextlib.suppress(OSError):
                replace(self._path, canonical.sealed(self._known).encode("ascii"))
            self._changed = False


def _entries(found: Any) -> dict[str, list[str]]:
    """Return the entries of a memory file that have the current form."""
    if not isinstance(found, dict):
        return {}
    return {
        name: entry
        for name, entry in found.items()
        if isinstance(entry, list) and all(isinstance(part, str) for part in entry)
    }


def _stamps(files: Iterable[Path | str]) -> str:
    """Return a digest of the paths and the stamps of files, which may be many."""
    text = " ".join(f"{path}:{_stamp(path)}" for path in sorted(map(str, files)))
    return hashlib.sha256(os.fsencode(text)).hexdigest()


def _stamp(path: Path | str) -> str:
    status = os.stat(path)
    return f"{status.st_size} {status.st_mtime_ns} {status.st_ino} {status.st_ctime_ns}"
