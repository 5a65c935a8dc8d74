"""Downloading one address to one file: over HTTP with resume and retries, or copied from a file.

The content is not verified here: the caller compares its hash.

Redirects are followed, also from https to http: public archives use them, and the hash is what
is trusted. Proxies and credentials for a mirror come from the environment and ~/.netrc through
requests (HTTP_PROXY, HTTPS_PROXY, NO_PROXY), trusted certificates from `trust`. This is the only
place below the command line that depends on the environment.
"""

from __future__ import annotations

import contextlib
import os
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO
from urllib.parse import unquote

import requests

from quard.base.plain import shown
from quard.sources import page, trust
from quard.sources.attempt import Failed, Limits, Refused, Size, Stopped
from quard.sources.attended import attended
from quard.sources.part import Part, PartOrigin
from quard.sources.response import FAULTS, Transient, body, chunks, extent, failure, reason
from quard.sources.watch import Handle, amount

SIZE = Size()
_SILENT_ATTEMPTS = 2


class Transfer:
    """Downloads addresses to parts, for one thread.

    watch   -- called with total (None: unknown) and present bytes when a body begins
    note    -- called with a line of text before a new attempt
    stopped -- when set, `Stopped` is raised at the next chunk or pause
    size    -- of the file; more is not accepted
    """

    def __init__(
        self,
        limits: Limits,
        stopped: threading.Event,
        watch: Callable[[int | None, int], Handle],
        note: Callable[[str], None],
        size: Size = SIZE,
    ) -> None:
        self._size = size
        self._limits = limits
        self._stopped = stopped
        self._watch = watch
        self._note = note

    def get(self, address: str, part: Part, attempts: int = 0) -> bool:
        """Complete `part` from an http(s) or file address.

        attempts -- replaces the limit's number, if positive

        Returns whether the file combines bytes of several responses. Raises Failed, Stopped, or
        OSError if the part cannot be written.
        """
        scheme = address.partition(":")[0]
        if scheme == "file":
            self.copy(_local(address), part)
            return False
        if scheme not in ("http", "https"):
            raise Failed(f"{scheme!r} addresses are not supported")
        return attended(self._stopped, lambda: self._fetch(address, part, attempts))

    def _fetch(self, address: str, part: Part, attempts: int) -> bool:
        with requests.Session() as session:
            # A server that compresses the body would change the bytes.
            session.headers.update({"Accept-Encoding": "identity", "User-Agent": "quardroot"})
            try:
                trust.mount(session, address)
            except trust.Unusable as fault:
                raise Failed(f"TLS: {fault}") from None
            except ValueError as fault:
                raise Failed(f"not a valid address: {fault}") from None
            return self._persist(session, address, part, attempts or self._limits.attempts)

    def copy(self, source: Path, part: Part) -> None:
        """Complete `part` from a local file. Raises as `get` does."""
        part.discard()
        try:
            # Opening a pipe must not block.
            file = os.fdopen(os.open(source, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), "rb")
        except OSError as fault:
            raise Failed(reason(fault)) from None
        try:
            with file, part.path.open("wb") as out:
                status = os.fstat(file.fileno())
                if not stat.S_ISREG(status.st_mode):
                    raise Refused("is not a regular file")
                self._size.check(status.st_size, whole=True)
                with contextlib.closing(self._watch(status.st_size, 0)) as handle:
                    self._take(chunks(file.read), out, handle)
        except BaseException:
            part.discard()  # copies are not resumed
            raise

    def _persist(self, session: requests.Session, address: str, part: Part, attempts: int) -> bool:
        most = part.size()
        failed = tries = 0
        while True:
            tries += 1
            try:
                return self._attempt(session, address, part)
            except Refused:
                part.discard()
                raise
            except Transient as fault:
                if fault.restart:
                    part.discard()
                failed = 1 if part.size() - most >= self._limits.worth else failed + 1
                most = max(most, part.size())
                if failed >= (min(attempts, _SILENT_ATTEMPTS) if fault.silent else attempts):
                    text = f"{fault}, tried {tries} times" if tries > 1 else str(fault)
                    raise Failed(text, silent=fault.silent) from None
                self._pause(address, fault, failed)

    def _pause(self, address: str, fault: Transient, failed: int) -> None:
        wanted = max(self._limits.pause * 2 ** (failed - 1), fault.wait)
        seconds = min(wanted, self._limits.longest)
        self._note(f"{shown(address)}: {fault}; trying again in {seconds:.0f} s")
        if self._stopped.wait(seconds):
            raise Stopped

    def _attempt(self, session: requests.Session, address: str, part: Part) -> bool:
        """Make one request; return whether its body was appended to existing bytes."""
        there = part.size()
        origin = part.origin()
        if there and origin and there == origin.length:
            return True
        with self._request(session, address, there, origin) as response:
            start, total = extent(response, there, origin)
            if total is not None:
                self._size.check(total, whole=True)
            headers = response.headers
            etag, modified = headers.get("ETag", ""), headers.get("Last-Modified", "")
            if not start:
                part.discard()
            part.describe(PartOrigin(address, etag, modified, total))
            with part.path.open("ab") as out:
                with contextlib.closing(self._watch(total, start)) as handle:
                    self._take(body(response), out, handle)
                if total is not None and out.tell() < total:
                    raise Transient(f"ended after {amount(out.tell())} of {amount(total)}")
        return start > 0

    def _request(
        self, session: requests.Session, address: str, there: int, origin: PartOrigin | None
    ) -> requests.Response:
        headers = {}
        if there:
            headers["Range"] = f"bytes={there}-"
            # Another address may have the same bytes with other tags: the hash decides.
            if origin and origin.address == address and origin.validator():
                headers["If-Range"] = origin.validator()
        timeout = (self._limits.connect, self._limits.read)
        try:
            return session.get(address, headers=headers, stream=True, timeout=timeout)
        except FAULTS as fault:
            raise failure(fault, address, timeout) from None

    def _take(self, chunks: Iterator[bytes], out: IO[bytes], handle: Handle) -> None:
        for chunk in chunks:
            if self._stopped.is_set():
                raise Stopped
            if not out.tell() and (found := page.described(chunk)):
                raise Refused(f"sent {found} instead of the file")
            self._size.check(out.tell() + len(chunk))
            out.write(chunk)
            handle.advance(len(chunk))


def _local(address: str) -> Path:
    host, slash, path = address.removeprefix("file:").removeprefix("//").partition("/")
    if not slash or host not in ("", "localhost"):
        raise Failed("a file address needs an absolute path, as in file:///srv/sources")
    return Path("/" + unquote(path))
