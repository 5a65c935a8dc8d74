"""A store on this machine: blobs by their SHA-256, and the record of each action's result.

Layout: cas/ab/<sha256> (read-only files), ac/ab/<key>.json (records), tmp/ (unfinished work). The
first two folders have the layout of HTTP caches with /cas and /ac. Processes and threads share a
store without waiting for each other, except for the moment in which a blob is put in place or
removed.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import stat
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from quard.base.errors import QuardError
from quard.base.files import content, file_sha256, is_sha256, remove_tree, sha256_of
from quard.base.space import enough_space
from quard.store.record import decode_record, encode_record

IN_USE = 3600
"""Seconds for which a result stays that was just used, whatever the limit (quard.store.shrink)."""


class Store:
    """Blobs and records below one folder, which is created when something is first written.

    tell -- called with a line of text about each damaged record
    """

    def __init__(self, root: Path, tell: Callable[[str], None] = lambda _: None) -> None:
        self._root = root
        self.tell = tell
        self._removed: set[str] = set()
        self._sweep = threading.Lock()
        self._swept = False

    def path(self, sha256: str) -> Path:
        """Return the path of the blob, present or not. Raises ValueError for no SHA-256."""
        if not is_sha256(sha256):
            raise _no_sha256(sha256)
        return self._root / f"cas/{sha256[:2]}/{sha256}"

    def has(self, sha256: str) -> bool:
        """Return whether the blob exists; `verify` also checks its content."""
        return not self.missing((sha256,))

    def missing(self, digests: Iterable[str]) -> frozenset[str]:
        """Return those of the blobs that do not exist; no content is read."""
        wanted = frozenset(digests)
        for sha256 in wanted:
            if not is_sha256(sha256):
                raise _no_sha256(sha256)
        folder = f"{self._root}/cas"
        if not os.path.isdir(folder):  # as is this checkout's, as long as nothing needs it
            return wanted
        return frozenset(
            sha256 for sha256 in wanted if not _exists(f"{folder}/{sha256[:2]}/{sha256}")
        )

    def add(self, file: Path) -> str:
        """Move a finished file into the store, read-only, and return its SHA-256.

        It replaces a blob with the same hash, which may be damaged. `file` must not be written to
        any more; its hash is computed here. Raises QuardError `disk-full`, OSError.
        """
        if not stat.S_ISREG(file.lstat().st_mode):
            raise ValueError(f"not a file: {file}")
        with enough_space(self._root):
            try:
                return self._put(file)
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise
            with self.scratch() as folder:
                sha256 = self._put(Path(shutil.copyfile(file, folder / "blob")))
            file.unlink()
            return sha256

    def _put(self, file: Path) -> str:
        sha256 = file_sha256(file)
        place = self.path(sha256)
        place.parent.mkdir(parents=True, exist_ok=True)
        with self._locked():
            file.replace(place)
            place.chmod(0o444)
        self._removed.discard(sha256)
        return sha256

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """Yield an empty folder on the store's file system, private to the caller.

        It is removed at the end in any case. Leftovers of a killed process are removed by the next
        user of the store. Raises QuardError `disk-full`, also for writes inside the block.
        """
        with enough_space(self._root):
            parent = self._folder("tmp")
            with self._locked():
                self._remove_abandoned(parent)
                folder = Path(tempfile.mkdtemp(dir=parent))
                handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
                fcntl.flock(handle, fcntl.LOCK_EX)
            try:
                yield folder
            finally:
                remove_tree(folder)
                os.close(handle)

    @property
    def root(self) -> Path:
        return self._root

    def try_out(self) -> None:
        """Write a file and remove it again. Raises QuardError disk-full, OSError."""
        with self.scratch() as folder:
            (folder / "trial").touch()

    def folders(self) -> Iterator[Path]:
        """Yield the existing folders that hold blobs and records."""
        for kind in ("cas", "ac"):
            place = self._root / kind
            if place.is_dir():
                yield place
                yield from sorted(path for path in place.iterdir() if path.is_dir())

    def sweep(self) -> None:
        """Remove leftovers of killed users of the store, as the first use of `scratch` does."""
        if (self._root / "tmp").is_dir():
            with self.scratch():
                pass

    def record(self, key: str) -> dict[str, Any] | None:
        """Return the record of the action `key`; its blobs are not looked for.

        None if there is no record, or if it is damaged, which is reported.
        """
        path = f"{self._record_path(key)}"
        try:
            data = content(path)
        except FileNotFoundError:
            return None
        record = decode_record(key, data)
        if record is None:
            self.tell(
                f"the store in {self._root} is damaged: the record {key} cannot be read; it is"
                " ignored, and its package is rebuilt"
            )
            return None
        with suppress(OSError):  # another process may have removed it just now
            _note_use(path, os.stat(path))
        return record

    def drop(self, key: str) -> None:
        """Remove the record of the action `key`; it need not exist."""
        self._record_path(key).unlink(missing_ok=True)

    def put_record(self, key: str, record: Mapping[str, Any]) -> None:
        """Store an action's record, which has the form described in `decode_record`.

        Raises ValueError for another form, QuardError `missing-blob` if it names a blob that is
        not in the store, `disk-full`.
        """
        data = encode_record(key, record)
        checked = decode_record(key, data)
        if checked is None:
            raise ValueError(f"not the record of an action: {data[:200]!r}")
        missing = self.missing(checked["blobs"].values())
        for name, sha256 in sorted(checked["blobs"].items()):
            if sha256 in missing:
                raise _missing_blob(sha256, f"{name} of the action {key}")
        place = self._record_path(key)
        with self.scratch() as folder:
            (folder / "record").write_bytes(data)
            place.parent.mkdir(parents=True, exist_ok=True)
            (folder / "record").replace(place)

    def verify(self, sha256: str) -> bool:
        """Hash a blob; return False if it is missing or wrong. A wrong one is removed."""
        place = self.path(sha256)
        try:
            handle = os.open(place, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            return False
        except OSError as error:
            if error.errno != errno.ELOOP:
                raise
            place.unlink(missing_ok=True)
            self._removed.add(sha256)
            return False
        try:
            if sha256_of(handle) == sha256:
                return True
            self.discard(place, os.fstat(handle))
        finally:
            os.close(handle)
        self._removed.add(sha256)
        return False

    def has_removed(self, sha256: str) -> bool:
        """Return whether this object has found the blob damaged and removed it."""
        return sha256 in self._removed

    def discard(self, place: Path, seen: os.stat_result) -> None:
        """Remove the blob seen at a place, unless it has been replaced meanwhile."""
        with self._locked():
            try:
                there = place.lstat()
            except FileNotFoundError:
                return
            if (there.st_dev, there.st_ino) == (seen.st_dev, seen.st_ino):
                place.unlink()

    def _record_path(self, key: str) -> Path:
        if not is_sha256(key):
            raise ValueError(f"not the key of an action: {key!r}")
        return self._root / f"ac/{key[:2]}/{key}.json"

    def _folder(self, name: str) -> Path:
        folder = self._root / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the store's lock; flock(2) also excludes threads, as each opens the file itself."""
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        handle = os.open(self._folder("tmp") / ".lock", flags, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _remove_abandoned(self, parent: Path) -> None:
        """Remove scratch folders whose owner has ended: the kernel has released their lock."""
        with self._sweep:
            if self._swept:
                return
            self._swept = True
        for folder in sorted(path for path in parent.iterdir() if path.is_dir()):
            try:
                handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            except FileNotFoundError:
                continue
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            else:
                if folder.exists():  # its owner may have removed it just now
                    remove_tree(folder)
            finally:
                os.close(handle)


def _exists(path: str) -> bool:
    """Return whether a blob exists, and note that it is in use."""
    try:
        status = os.stat(path)
    except OSError:
        return False
    _note_use(path, status)
    return stat.S_ISREG(status.st_mode)


def _note_use(path: str, status: os.stat_result) -> None:
    """Note in a file's modification time that it is in use; twice in IN_USE is enough."""
    if status.st_mtime < time.time() - IN_USE / 2:
        with suppress(OSError):  # a store that others own
            os.utime(path)


def _no_sha256(value: object) -> ValueError:
    return ValueError(f"not a SHA-256: {value!r}")


def _missing_blob(sha256: str, what: str) -> QuardError:
    return QuardError(
        f"a blob is not in the store: {what}",
        detail=f"sha256 {sha256}",
        reason="missing-blob",
        hint="start the build again: what is missing from the store is rebuilt",
    )
