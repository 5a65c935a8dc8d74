"""Fetching sources: from the cache, local folders, addresses or mirrors, always verified."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import threading
from collections.abc import Iterator
from pathlib import Path

from quard.base.files import file_sha256
from quard.base.space import is_full
from quard.plan.source import Request, Variant
from quard.sites import GIT
from quard.sources import page, unfetched
from quard.sources.archives import Archives, Fetched
from quard.sources.attempt import (
    MOST,
    Failed,
    Limits,
    Other,
    Refused,
    Size,
    Stopped,
    Unreached,
)
from quard.sources.attended import attended
from quard.sources.candidates import candidates
from quard.sources.mirrors import Locations
from quard.sources.part import Part
from quard.sources.unfetched import Failure, other_bytes
from quard.sources.watch import Progress

LIMITS = Limits()
_POLL = 0.1
_AT_ONCE = 4
"""Downloads at a time."""


class Fetcher:
    """Fetches sources into one cache. Several threads and processes may use it at once.

    locations -- where sources are looked for besides their own addresses
    """

    def __init__(
        self,
        cache: Path,
        locations: Locations,
        progress: Progress,
        *,
        limits: Limits = LIMITS,
        most: int = MOST,
    ) -> None:
        self._cache = cache
        self._archives = Archives(cache, locations.folders)
        self._most = most
        self.locations = locations
        self._progress = progress
        self._limits = limits
        self._stopped = threading.Event()
        self._silent: set[str] = set()
        self._loading = threading.BoundedSemaphore(_AT_ONCE)

    def stop(self) -> None:
        """End every current and later fetch, as on Ctrl-C; partial downloads are kept."""
        self._stopped.set()

    def cached(self, request: Request) -> Fetched | None:
        """Return the first variant in the cache; damaged files are removed."""
        with self._cache_errors(request):
            return self._look(request)

    def fetch(self, request: Request) -> Fetched:
        """Return a variant from the cache, the folders, the addresses or the mirrors.

        Raises QuardError: `no-source`, `hash-mismatch` (no address is left to try, and at least
        one gave other bytes), `disk-full`, `cache-unusable`, `interrupted`.
        """
        with self._cache_errors(request):
            found = self._look(request)
            if found:
                return found
            with self._loading:
                return self._gather(request)

    def sweep(self) -> None:
        """Remove leftovers of killed builds from which no download can be resumed."""
        with contextlib.suppress(OSError):  # somebody else's cache: leftovers do no harm there
            for part in sorted(self._cache.glob("*/*.part")):
                with (part.parent / ".lock").open("w") as lock:
                    if _lock(lock.fileno()):
                        Part(part.with_suffix("")).size()

    def _look(self, request: Request) -> Fetched | None:
        """Return the first variant in the cache, in its own place or where people put it."""
        for variant in request.variants:
            if found := self._kept(request, variant):
                return found
        for variant in request.variants:
            for path in self._archives.given(request, variant):
                if file_sha256(path) == variant.sha256:
                    return self._adopt(variant, path)
        return None

    def _kept(self, request: Request, variant: Variant) -> Fetched | None:
        """Return a variant in its place in the cache; a damaged file is removed."""
        path = self._archives.kept(variant)
        if path is None:
            return None
        if self._is(path, variant):
            return Fetched(path, variant.sha256, variant.file, "")
        with self._locked(request, variant):
            # Another process may have replaced it meanwhile.
            if self._is(path, variant):
                return Fetched(path, variant.sha256, variant.file, "")
            with contextlib.suppress(FileNotFoundError):
                path.unlink()
                self._progress.note(
                    f"{request.package}: removed {path}: it is damaged (its sha256 is not"
                    " the expected one)"
                )
        return None

    def _is(self, path: Path, variant: Variant) -> bool:
        try:
            return file_sha256(path) == variant.sha256
        except FileNotFoundError:
            return False

    def _adopt(self, variant: Variant, path: Path) -> Fetched:
        """Give a verified file that was put into the cache its place there, too.

        Packages with the same bytes find it there. It stays where it was: an older version of the
        build system, or a person, may look for it.
        """
        place = self._archives.place(variant)
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.hardlink_to(path)
        except OSError:  # a cache that is only read, or a file system without links
            place = path
        return Fetched(place, variant.sha256, variant.file, "")

    def _gather(self, request: Request) -> Fetched:
        self._cache.mkdir(parents=True, exist_ok=True)  # people may put a file there
        failures = [*self._wrong(request)]
        for variant, address in candidates(request, self.locations, self._expand, failures):
            if self._stopped.is_set():
                raise Stopped
            try:
                with self._locked(request, variant):
                    path = self._archives.kept(variant)
                    if path and self._is(path, variant):  # fetched by another one meanwhile
                        return Fetched(path, variant.sha256, variant.file, "")
                    if address.startswith(GIT):
                        return self._clone(request.package, variant, address)
                    return self._take(request.package, variant, address)
            except Other as other:
                failures.append(other_bytes(address, variant, other))
            except Failed as fault:
                if fault.silent:
                    self._silent.add(_host(address))
                lost = fault.silent or isinstance(fault, Unreached)
                failures.append(Failure(address, str(fault), variant, lost=lost, hint=fault.hint))
        raise unfetched.exhausted(request, failures, self._cache, self.locations)

    def _wrong(self, request: Request) -> Iterator[Failure]:
        """Yield a failure for each file that was put into the cache and is not the recipe's."""
        for variant in request.variants:
            for path in self._archives.given(request, variant):
                other = Other("sha256", expected=variant.sha256, found=file_sha256(path))
                yield other_bytes(str(path), variant, other)

    def _expand(self, origin: str) -> tuple[str, ...]:
        return attended(self._stopped, lambda: self.locations.expand(origin))

    def _take(self, package: str, variant: Variant, address: str) -> Fetched:
        """Download one address to its final name. Raises Failed, Stopped, OSError."""
        # Loading the HTTP library takes 0.15 s, which a build without downloads need not spend.
        from quard.sources.download import Transfer  # noqa: PLC0415

        path = self._archives.place(variant)
        part = Part(path)
        transfer = Transfer(
            self._limits,
            self._stopped,
            functools.partial(self._progress.start, package, variant.file),
            lambda line: self._progress.note(f"{package}: {line}"),
            Size(variant.size, self._most),
        )
        # A host that has never answered gets one attempt per further file.
        attempts = 1 if _host(address) in self._silent else 0
        patched = transfer.get(address, part, attempts)
        if patched and file_sha256(part.path) != variant.sha256:
            part.discard()  # the pieces may belong to different files: retry in one piece
            transfer.get(address, part, attempts)
        found = file_sha256(part.path)
        if found != variant.sha256:
            text = page.described(part.beginning(page.BEGINNING))
            part.discard()
            raise (
                Refused(f"sent {text} instead of the file")
                if text
                else Other("sha256", expected=variant.sha256, found=found)
            )
        part.finish(path)
        return Fetched(path, found, variant.file, address)

    def _clone(self, package: str, variant: Variant, address: str) -> Fetched:
        """Fetch a commit as an archive. Raises Failed, Stopped, OSError."""
        from quard.sources.git import Git  # noqa: PLC0415 - like the HTTP library

        path = self._archives.place(variant)
        part = Part(path)
        part.discard()
        git = Git(self._stopped.is_set, lambda line: self._progress.note(f"{package}: {line}"))
        try:
            git.get(address, part.path)
            found = file_sha256(part.path)
            if found != variant.sha256:
                raise Other("digest of the tree", expected=variant.sha256, found=found)
            part.finish(path)
        finally:
            part.discard()
        return Fetched(path, found, variant.file, address)

    @contextlib.contextmanager
    def _locked(self, request: Request, variant: Variant) -> Iterator[None]:
        """Lock the variant's folder against other threads and processes."""
        folder = self._archives.place(variant).parent
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / ".lock").open("w") as lock:
            told = False
            while not _lock(lock.fileno()):
                if not told:
                    text = "waiting for another build that is fetching it"
                    self._progress.note(f"{request.package}: {text}")
                    told = True
                if self._stopped.wait(_POLL):
                    raise Stopped
            yield

    @contextlib.contextmanager
    def _cache_errors(self, request: Request) -> Iterator[None]:
        package = request.package
        try:
            yield
        except Stopped:
            raise unfetched.interrupted(package) from None
        except OSError as fault:
            if is_full(fault):
                # The first fault is reported, even if this fails on the full disk as well.
                with contextlib.suppress(OSError):
                    for variant in request.variants:
                        Part(self._archives.place(variant)).discard()
            raise unfetched.unusable(package, self._cache, fault) from fault


def _host(address: str) -> str:
    return address.partition("://")[2].partition("/")[0]


def _lock(descriptor: int) -> bool:
    """Try to take the lock; another thread could not end a wait inside flock."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
