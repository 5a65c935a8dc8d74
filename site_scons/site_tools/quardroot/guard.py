"""What SCons does not provide: one build per tree at a time, and state that survives a kill.

SCons writes its signature file only when it ends, so a target that a killed run has rebuilt still
has its earlier signature. A journal of started targets, removed only after the signature file is
written, lists the files that the next run must not trust.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import hashlib
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Protocol

from quard.base.files import replace

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_DIGITS = 64
_OTHERS = frozenset(("configure", "shell", "store", "work"))
"""Folders below `out` that are cleaned up elsewhere."""


class Journal:
    """Names of started targets, in a file with a checksum.

    Its first line is the hash of the rest: with a truncated file, the next run would trust files
    that it must not. The second line identifies the boot of the machine: after a crash of the
    machine, the state of this file and of the targets on the disk is unknown.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writing = threading.Lock()
        self._size = 0
        self._hash = hashlib.sha256()

    def add(self, names: Iterable[str]) -> None:
        """Add targets, before they are made."""
        new = b"".join(os.fsencode(name) + b"\n" for name in names)
        with self._writing:
            flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC
            if not self._size:
                new, flags = _boot() + new, flags | os.O_TRUNC
            self._hash.update(new)
            handle = os.open(self._path, flags, 0o644)
            try:
                os.pwrite(handle, new, _DIGITS + 1 + self._size)
                os.pwrite(handle, self._hash.hexdigest().encode() + b"\n", 0)
            finally:
                os.close(handle)
            self._size += len(new)

    def read(self) -> frozenset[str] | None:
        """Return the targets, none if there is no journal; None if it cannot be trusted."""
        try:
            found = self._path.read_bytes()
        except FileNotFoundError:
            return frozenset()
        except OSError:
            return None
        head, text = found[: _DIGITS + 1], found[_DIGITS + 1 :]
        whole = head == hashlib.sha256(text).hexdigest().encode() + b"\n"
        if not (whole and text.startswith(_boot())):
            return None
        return frozenset(os.fsdecode(line) for line in text.removeprefix(_boot()).splitlines())

    def remove(self) -> None:
        """Forget all targets: all of them can be trusted."""
        self._path.unlink(missing_ok=True)
        self._size, self._hash = 0, hashlib.sha256()


class Target(Protocol):
    """A file that SCons makes, as far as the guard needs it."""

    def get_abspath(self) -> str: ...

    def get_state(self) -> int: ...


class Guard:
    """Holds the tree's lock and keeps its journal, in `folder`.

    dry     -- whether this run makes nothing, and so must not be recorded
    cut_off -- whether the previous run was cut off; known after `enter`
    """

    def __init__(self, folder: Path, *, dry: bool = False) -> None:
        self.dry = dry
        self._folder = folder
        self._journal = Journal(folder / "journal")
        self.sconsign = folder / "sconsign.dblite"
        self._sum = folder / "sconsign.sha256"
        self._started: list[Target] = []
        self._failed: list[Target] = []
        self._before: tuple[int, int] | None = None
        self.lock = -1
        self.cut_off = False

    def enter(self, waiting: Callable[[str], None]) -> None:
        """Take the tree's lock, waiting for another build to end, and repair what a kill left.

        waiting -- called with one line if there is another build
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        self.lock = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self.lock, 32, 0).decode(errors="replace").strip()
            waiting(f"waiting for another build in this tree (process {holder or 'unknown'})")
            fcntl.flock(self.lock, fcntl.LOCK_EX)
        # A run that reaches its end empties the file.
        self.cut_off = bool(os.pread(self.lock, 1, 0))
        name = f"{os.getpid()}\n".encode()
        os.pwrite(self.lock, name, 0)
        os.ftruncate(self.lock, len(name))
        self._mend()
        self._before = self._stamp()
        # atexit runs last in, first out; SCons has written its file before any of them.
        atexit.register(self._leave)

    @property
    def was_killed(self) -> bool:
        """Whether the last run did not reach its end, and no other run is active."""
        try:
            handle = os.open(self._folder / "lock", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            if not os.pread(handle, 1, 0):
                return False
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            os.close(handle)
        return True

    def started(self, nodes: Iterable[Target]) -> None:
        """Note that these targets are about to be made."""
        targets = list(nodes)
        self._started += targets
        self._journal.add(self._relative(node.get_abspath()) for node in targets)

    def _relative(self, path: str) -> str:
        """Return a path below the folder, relative to it, as a checkout may be moved."""
        below = path.removeprefix(f"{self._folder}/")
        return os.path.relpath(path, self._folder) if below == path else below

    def failed(self, nodes: Iterable[Target]) -> None:
        """Note that these targets failed, however SCons treats that."""
        self._failed += nodes

    def has_failed(self, node: Target) -> bool:
        """Return whether a target failed in this run."""
        return node in self._failed

    def unfinished(self) -> frozenset[Path]:
        """Return the targets that a cut-off run had begun; changes nothing."""
        return frozenset(self._folder / name for name in self._journal.read() or ())

    @property
    def signed(self) -> bool:
        """Whether there is a signature file that can be trusted."""
        whole = self.sconsign.exists() and self._digest() == self._recorded()
        return whole and self._journal.read() is not None

    @property
    def began(self) -> bool:
        """Whether this run has begun to make anything."""
        return bool(self._started)

    @property
    def has_signatures(self) -> bool:
        """Whether there is a signature file; known after `enter`, which removes a bad one."""
        return self.sconsign.exists()

    def unsigned(self) -> None:
        """Remove an incomplete signature file that SCons could not write."""
        with contextlib.suppress(OSError):
            self.sconsign.with_suffix(".tmp").unlink()

    def release(self) -> None:
        """Release the lock, if this run has it, before the process becomes another program."""
        self._leave()
        if self.lock >= 0:
            os.close(self.lock)
            self.lock = -1

    def _mend(self) -> None:
        """Remove what a cut-off run left, and everything that cannot be trusted.

        Without a signature file everything is made again, or restored from the store.
        """
        if not self.signed:
            self.sconsign.unlink(missing_ok=True)
        for path in self.unfinished():
            path.unlink(missing_ok=True)
        self._journal.remove()
        if self.cut_off:
            for path in self._temporaries():
                path.unlink(missing_ok=True)

    def _temporaries(self) -> Iterator[Path]:
        """Yield temporary files that were not renamed into their place."""
        for place, folders, files in os.walk(self._folder):
            folders[:] = [name for name in folders if name not in _OTHERS]
            for name in files:
                if name.endswith(".part") or name == "sconsign.tmp":
                    yield Path(place, name)

    def _leave(self) -> None:
        if self.lock < 0:
            return
        made = False
        for node in self._started:
            if _is_made(node) and node not in self._failed:
                made = True
            else:
                # Its signature is that of an earlier build, whatever the file is.
                Path(node.get_abspath()).unlink(missing_ok=True)
        # Merely to open the file makes an empty one where there was none, also in a dry run.
        written = self._stamp() != self._before and not self.dry
        if self._sign() if written else not made:
            self._journal.remove()
        os.ftruncate(self.lock, 0)

    def _sign(self) -> bool:
        """Record the hash of the signature file; return whether that succeeded.

        If not, on a full disk, the journal stays, and the next run trusts nothing from this one.
        """
        try:
            replace(self._sum, self._digest().encode())
        except OSError:
            return False
        return True

    def _stamp(self) -> tuple[int, int] | None:
        """Return values that change whenever the signature file is written."""
        try:
            status = self.sconsign.stat()
        except FileNotFoundError:
            return None
        return status.st_ino, status.st_mtime_ns

    def _digest(self) -> str:
        with self.sconsign.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def _recorded(self) -> str:
        try:
            return self._sum.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return ""


def _is_made(node: Target) -> bool:
    """Return whether SCons has made a target in this run."""
    from SCons.Node import executed  # noqa: PLC0415 - only then is SCons loaded

    return node.get_state() == executed


def _boot() -> bytes:
    """Return a line that identifies the machine's boot, proc_sys_kernel(5)."""
    try:
        return _BOOT.read_bytes()
    except OSError:
        return b"unknown\n"
