"""Making roots: fetching and unpacking the packages that are missing, several at a time."""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from pathlib import Path

from quard.base import canonical
from quard.base.errors import QuardError, together
from quard.base.files import replace
from quard.base.space import disk_full, is_full
from quard.process.starting import run
from quard.process.stop import REASON, Stop
from quard.process.system import System
from quard.sources.watch import amount
from quard.tools import bytecode, content, listing, whole
from quard.tools.layout import VERSION
from quard.tools.lock import LockedPackage
from quard.tools.merge import Root

_TRANSFERS = 4
"""Packages that are fetched while others are unpacked."""
_FOLDERS = ("packages", "bytecode", "roots")
_UNAVAILABLE = "tools-unavailable"
_LOADER_SECONDS = 60
_PYTHON = "usr/bin/python3"


class Making:
    """Makes roots below one folder; the parameters are those of `Roots`."""

    def __init__(
        self,
        folder: Path,
        fetch: Callable[[LockedPackage], Path],
        report: Callable[[str], None],
        stop: Stop,
        look: listing.Look,
    ) -> None:
        self._look = look
        self._folder = folder
        self._fetch = fetch
        self._report = report
        self._stop = stop
        self._processors = len(os.sched_getaffinity(0))
        self._unpacking = threading.Semaphore(self._processors)
        self._ended = threading.Event()
        self._told = threading.Event()

    def packages(self, packages: Sequence[LockedPackage]) -> None:
        """Fetch and unpack packages. Raises as `Roots.provide` does."""
        with self._system_errors():
            self._prepare()
            self._provide_packages(packages)

    def root(
        self, place: Path, packages: Sequence[LockedPackage], links: Mapping[str, str]
    ) -> None:
        """Make the root `place`. Raises as `Roots.provide` does."""
        with self._system_errors():
            self._prepare()
            self._provide_packages(packages)

            def fill(into: Path) -> Mapping[str, str]:
                root = Root(into)
                for package in packages:
                    root.add(package.name, self._content(package))
                root.link(links)
                _try(System(into))
                compiled = self._add_bytecode(root, System(into), packages)
                root.finish()
                describe(place, packages, links, compiled)
                return root.hashes

            whole.make(place, fill, self._stop.check, self._waiting, self._look)
            whole.settle(self._folder / name for name in _FOLDERS)

    def _content(self, package: LockedPackage) -> Path:
        return self._folder / "packages" / package.sha256

    def _prepare(self) -> None:
        for name in _FOLDERS:
            folder = self._folder / name
            folder.mkdir(parents=True, exist_ok=True)
            whole.sweep(folder)
        if os.statvfs(self._folder).f_flag & os.ST_NOEXEC:
            raise _noexec(self._folder)

    def _provide_packages(self, packages: Sequence[LockedPackage]) -> None:
        """Fetch and unpack what is missing, large ones first. Raises QuardError, OSError."""
        found = {each: self._missing(self._content(each)) for each in packages}
        missing = [package for package, why in found.items() if why is not None]
        if not missing:
            return
        size = sum(package.size for package in missing)
        count = f"{len(missing)} package{'' if len(missing) == 1 else 's'}"
        damage = [f"{package.name} is damaged: {why}" for package, why in found.items() if why]
        what = "; ".join((f"{count} of the pinned tools ({amount(size)})", *damage[:1]))
        self._report(f"fetching and unpacking {what}")
        missing.sort(key=lambda package: (-package.size, package.name))
        with ThreadPoolExecutor(self._processors + _TRANSFERS, "tools") as pool:
            futures = [pool.submit(self._provide_package, package) for package in missing]
            try:
                wait(futures, return_when=FIRST_EXCEPTION)
            finally:
                self._ended.set()  # if one has failed, those that still run need not finish
                pool.shutdown(cancel_futures=True)
        faults = [future.exception() for future in futures if not future.cancelled()]
        _raise([fault for fault in faults if fault and not isinstance(fault, _Ended)])

    def _missing(self, content: Path) -> str | None:
        """Return why a package must be unpacked: "" if it never was; None if it need not be."""
        return self._look(content) or None if whole.is_whole(content) else ""

    def _provide_package(self, package: LockedPackage) -> None:
        def check() -> None:
            self._stop.check()
            if self._ended.is_set():
                raise _Ended

        def fill(into: Path) -> Mapping[str, str]:
            check()
            deb = self._fetch(package)
            with self._unpacking:
                return content.unpack(deb, into, check)

        whole.make(self._content(package), fill, check, self._waiting, self._look)

    def _add_bytecode(
        self, root: Root, system: System, packages: Sequence[LockedPackage]
    ) -> tuple[str, ...]:
        """Add the compiled modules of Python; without them everything works, but slowly.

        Return the names of their folders.
        """
        inside = root.followed(_PYTHON)
        python = system.folder / inside
        interpreter = next((p for p in packages if p.name == root.files.get(inside)), None)
        if interpreter is None:
            return ()
        names = {name for path, name in root.files.items() if bytecode.is_module(path)}

        def made(package: LockedPackage) -> tuple[str, Path]:
            name = canonical.digest([VERSION, interpreter.sha256, package.sha256])
            place = self._folder / "bytecode" / name
            source = self._content(package)

            def fill(into: Path) -> Mapping[str, str]:
                return bytecode.compile_modules(system, python, source, into, self._stop)

            whole.make(place, fill, self._stop.check, self._waiting, self._look)
            return package.name, place

        with ThreadPoolExecutor(self._processors, "bytecode") as pool:
            try:
                found = list(pool.map(made, (each for each in packages if each.name in names)))
            except bytecode.Failed as fault:
                self._report(f"the pinned Python starts slowly: it cannot compile modules: {fault}")
                return ()
        for name, place in found:
            root.add(name, place)
        return tuple(sorted(place.name for _, place in found))

    def _waiting(self) -> None:
        if not self._told.is_set():
            self._told.set()
            self._report("waiting for another build that unpacks the pinned tools")

    @contextlib.contextmanager
    def _system_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as fault:
            if is_full(fault):
                raise disk_full(
                    "unpacking the pinned tools",
                    self._folder,
                    fault.strerror or "",
                    instead="[cache] dir in local.toml sets another folder",
                ) from fault
            raise QuardError(
                "cannot store the pinned tools",
                detail=str(fault),
                reason="cache-unusable",
                hint="the cache must be a writable folder; [cache] dir in local.toml sets another",
            ) from fault


class _Ended(Exception):
    """Another package has failed."""


def _raise(faults: Sequence[BaseException]) -> None:
    """Raise what made packages fail, if anything did: one error for all of the same kind."""
    for fault in faults:
        if not isinstance(fault, QuardError):
            raise fault
    errors = [fault for fault in faults if isinstance(fault, QuardError)]
    errors = [error for error in errors if error.reason != REASON] or errors[:1]
    if errors:
        errors.sort(key=lambda error: (error.reason, error.message))
        raise _one(errors)


def _one(errors: Sequence[QuardError]) -> QuardError:
    """Return one error. What keeps several packages from being downloaded is one cause."""
    first = errors[0]
    if len(errors) == 1 or any(error.reason != _UNAVAILABLE for error in errors):
        return together("the packages of the pinned tools", errors)
    others = {error.message for error in errors} - {first.message}
    message = f"{first.message}, and others" if others else first.message
    return QuardError(message, detail=first.detail, reason=_UNAVAILABLE, hint=first.hint)


def _try(system: System) -> None:
    """Start the root's dynamic loader, if it has one. Raises QuardError, OSError."""
    loader, *others = system.start(system.place("/usr/bin/true"))
    if not others:
        return
    try:
        # In a session of its own: Ctrl-C would look like a loader that does not work.
        done = run((loader, "--version"), env={}, timeout=_LOADER_SECONDS, session=True)
    except PermissionError:
        raise _noexec(system.folder.parent) from None
    except OSError as fault:
        if fault.errno != errno.ENOEXEC:
            raise
        raise _wrong_machine(fault.strerror or "") from None
    except subprocess.TimeoutExpired as fault:
        raise _wrong_machine(str(fault)) from None
    if done.returncode:
        raise _wrong_machine(done.stderr.decode(errors="replace"))


def _noexec(folder: Path) -> QuardError:
    return QuardError(
        "no program can be started from the folder of the pinned tools",
        detail=str(folder),
        reason="tools-noexec",
        hint="its file system is mounted with noexec, or a security module forbids it; [cache] dir"
        " in local.toml sets another folder",
    )


def _wrong_machine(said: str) -> QuardError:
    return QuardError(
        "the pinned tools do not run on this machine",
        detail=said,
        reason="tools-unavailable",
        hint="the lock must be that of this machine's processor, and its kernel must run glibc's"
        " programs",
    )


def describe(
    place: Path,
    packages: Sequence[LockedPackage],
    links: Mapping[str, str],
    compiled: Sequence[str] = (),
) -> None:
    """Write what a root is made of, for people and for `unused`. Raises OSError.

    compiled -- names of folders with compiled modules
    """
    named = {each.name: {"sha256": each.sha256, "version": each.version} for each in packages}
    found = {"bytecode": list(compiled), "layout": VERSION, "links": dict(links), "packages": named}
    text = canonical.readable(found)
    replace(place.with_name(f"{place.name}.json"), text.encode())
