"""What SCons leaves to the user: one build per tree at a time, and state that survives a kill.

SCons writes its signature file only when it ends, so that a target which a killed run made anew
still carries the signature of the one before. A journal of started targets, removed only after
the signature file is written, tells the next run which files not to trust.
"""

from __future__ import annotations

import atexit
import fcntl
import hashlib
import os
import threading
from collections.abc import Callable, Iterable
from pathlib import Path


class Guard:
    """Holds the tree's lock and keeps its journal, in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._journal = folder / "journal"
        self.sconsign = folder / "sconsign.dblite"
        self._sum = folder / "sconsign.sha256"
        self._written = threading.Lock()
        self._before: tuple[int, int] | None = None
        self.lock = -1

    def enter(self, waiting: Callable[[str], None]) -> None:
        """Take the tree's lock, waiting for another build to end, and mend what a kill left.

        waiting -- told in one line that there is another build
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        self.lock = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self.lock, 32, 0).decode(errors="replace").strip()
            waiting(f"waiting for another build in this tree (process {holder or 'unknown'})")
            fcntl.flock(self.lock, fcntl.LOCK_EX)
        os.ftruncate(self.lock, 0)
        os.pwrite(self.lock, f"{os.getpid()}\n".encode(), 0)
        self._mend()
        self._before = self._stamp()
        # atexit runs last in, first out; SCons has written its file before any of them.
        atexit.register(self._leave)

    def started(self, targets: Iterable[Path]) -> None:
        """Note that these targets are about to be made."""
        # Relative, as a checkout may be moved.
        text = "".join(f"{os.path.relpath(target, self._folder)}\n" for target in targets)
        with self._written, self._journal.open("a", encoding="utf-8") as journal:
            journal.write(text)

    def unfinished(self) -> frozenset[Path]:
        """Return the targets that a run which was cut off had begun; changes nothing."""
        try:
            lines = self._journal.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return frozenset()
        return frozenset(self._folder / line for line in lines)

    @property
    def signed(self) -> bool:
        """Whether there is a signature file, and it is whole."""
        return self.sconsign.exists() and self._digest() == self._recorded()

    def release(self) -> None:
        """Give the lock back before the process becomes another program."""
        self._leave()
        os.close(self.lock)
        self.lock = -1

    def _mend(self) -> None:
        """Remove the targets of an unfinished run, and a signature file that is not whole."""
        if self._journal.exists():
            for line in self._journal.read_text(encoding="utf-8").splitlines():
                (self._folder / line).unlink(missing_ok=True)
            self._journal.unlink()
        if self.sconsign.exists() and self._digest() != self._recorded():
            self.sconsign.unlink()

    def _leave(self) -> None:
        if self.lock < 0:
            return
        if self._stamp() != self._before:
            temporary = self._sum.with_name(f"{self._sum.name}.part")
            try:
                temporary.write_text(self._digest(), encoding="utf-8")
                temporary.replace(self._sum)
            except OSError:
                # A full disk: the journal stays, and the next run trusts nothing of this one.
                temporary.unlink(missing_ok=True)
                return
            self._journal.unlink(missing_ok=True)

    def _stamp(self) -> tuple[int, int] | None:
        """Return what tells one writing of the signature file from the next."""
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
        except OSError:
            return ""
