"""The cross compiler: its location, its identity, and which of its files go to the target."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from quard.base import canonical, given
from quard.base.errors import QuardError
from quard.base.files import replacing

COMMANDS = tuple("ar as cpp gcc ld nm objcopy objdump ranlib readelf size strings strip".split())
OPTIONAL = ("addr2line", "c++filt", "elfedit", "g++", "gcc-ar", "gcc-nm", "gcc-ranlib", "ld.bfd")
_PARTS = ("cc1", "cc1plus", "collect2", "lto1")
_STARTUP = ("crt1.o", "Scrt1.o", "rcrt1.o")
_LIBRARIES = ("libc.so.6", "libc_nonshared.a", "libgcc.a", "libgcc_s.so.1", *_STARTUP)
_LINKED = ("libc.so.6", "libm.so.6", "libgcc_s.so.1", "libstdc++.so.6")
"""The folders of these files have the compiler's shared libraries: the C library's and its own."""
_HEADERS = ("include/stdio.h", "include/linux/version.h", "include/gnu/libc-version.h")


@dataclass(frozen=True)
class Toolchain:
    """A cross compiler found on the machine.

    prefix      -- of its commands
    commands    -- name without prefix -> absolute path
    folder      -- folder that the sandbox must show besides the system's own, or None
    sysroot     -- its own sysroot to start from, or None if it finds its C library itself
    version     -- of the compiler, for people
    fingerprint -- SHA-256 over everything in it that affects results
    """

    prefix: str
    commands: dict[str, Path]
    folder: Path | None
    sysroot: Path | None
    version: str
    fingerprint: str

    def command(self, name: str) -> str:
        """Return the absolute path of one command, as text."""
        return str(self.commands[name])

    def library(self, name: str) -> Path:
        """Return a target library's real file. Raises QuardError library-missing."""
        found = _ask(self.commands["gcc"], f"-print-file-name={name}")
        path = Path(found)
        if not path.is_absolute() or not path.exists():
            raise QuardError(
                f"the cross toolchain has no {name}",
                detail=f"{self.commands['gcc']} -print-file-name={name} gave {found!r}",
                reason="library-missing",
                hint="install the target's C library (Debian: libc6-dev-riscv64-cross)",
            )
        return path.resolve()

    @cached_property
    def static_pie(self) -> bool:
        """Whether its C library has the start file of static position-independent programs."""
        path = Path(_ask(self.commands["gcc"], "-print-file-name=rcrt1.o"))
        return path.is_absolute() and path.exists()

    @cached_property
    def libraries(self) -> tuple[Path, ...]:
        """The folders of its shared libraries for the target; the first build determines them."""
        found = (Path(_ask(self.commands["gcc"], f"-print-file-name={n}")) for n in _LINKED)
        folders = (path.parent.resolve() for path in found if path.is_absolute() and path.exists())
        return tuple(dict.fromkeys(folders))


def find(prefix: str, folder: Path | None, search: str, memory: Path) -> Toolchain:
    """Return the toolchain whose commands begin with `prefix`.

    folder -- its installation folder; None searches `search`, a PATH
    memory -- file that caches digests of unchanged files, so that only the first call reads them
    Raises QuardError compiler-missing.
    """
    path = str(folder / "bin") if folder else search
    commands = {}
    for name in COMMANDS + OPTIONAL:
        found = shutil.which(prefix + name, path=path)
        if found:
            commands[name] = Path(found)
        elif name in COMMANDS:
            raise QuardError(
                f"the cross compiler's {prefix}{name} is not there",
                detail=f"looked in {path}",
                reason="compiler-missing",
                hint="install it (Debian: apt-get install gcc-riscv64-linux-gnu), "
                "or name its folder in the board's [toolchain]",
            )
    gcc = commands["gcc"]
    facts = _Memory(memory)
    version, sysroot, files = facts.recall(commands, lambda: _inspect(commands))
    fingerprint = hashlib.sha256(version.encode())
    for file in files:
        fingerprint.update(f"{Path(file).name} {facts.digest(Path(file))}\n".encode())
    facts.save()
    return Toolchain(
        prefix=prefix,
        commands=commands,
        folder=folder or _installation(gcc),
        sysroot=Path(sysroot) if sysroot else None,
        version=version,
        fingerprint=fingerprint.hexdigest(),
    )


def _installation(gcc: Path) -> Path | None:
    """Return the folder of a compiler that was found outside the system's own folders."""
    real = gcc.resolve()
    return None if real.is_relative_to("/usr") else real.parent.parent


def _inspect(commands: dict[str, Path]) -> tuple[str, str, list[str]]:
    """Query the compiler for its version, its own sysroot and the files that affect results."""
    gcc = commands["gcc"]
    version = _ask(gcc, "-dumpfullversion")
    sysroot = _ask(gcc, "-print-sysroot")
    files = {str(path.resolve()) for path in commands.values()}
    for part in _PARTS:
        path = Path(_ask(gcc, f"-print-prog-name={part}"))
        if path.is_absolute() and path.exists():
            files.add(str(path.resolve()))
    for name in _LIBRARIES:
        path = Path(_ask(gcc, f"-print-file-name={name}"))
        if path.is_absolute() and path.exists():
            files.add(str(path.resolve()))
            for header in _HEADERS:
                near = path.parent.parent / header
                if near.exists():
                    files.add(str(near.resolve()))
    own = sysroot if sysroot not in ("", "/") and Path(sysroot).is_dir() else ""
    return version, own, sorted(files, key=lambda file: (Path(file).name, file))


def _ask(gcc: Path, option: str) -> str:
    try:
        done = subprocess.run(
            (gcc, option), capture_output=True, text=True, check=True, env={"LC_ALL": "C"}
        )
    except (OSError, subprocess.CalledProcessError) as error:
        raise QuardError(
            f"{gcc} does not answer {option}",
            detail=str(error),
            reason="compiler-missing",
            hint="is the cross compiler installed whole?",
        ) from error
    return done.stdout.strip()


class _Memory:
    """Digests of files by path, size, time and inode, kept between runs.

    A change that leaves all of these as they are would be missed; but a package manager installs
    the compiler's files, and it replaces them.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._changed = False
        try:
            found = canonical.unsealed(path.read_bytes())
        except OSError:
            found = None
        self._known = _entries(found or {})

    def digest(self, path: Path) -> str:
        """Return the SHA-256 of a file's content."""
        stamp = _stamp(path)
        known = self._known.get(str(path))
        if known and known[0] == stamp and len(known) == 2:
            return known[1]
        with given.opened(path) as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        self._known[str(path)] = [stamp, found]
        self._changed = True
        return found

    def recall(
        self, commands: dict[str, Path], inspect: Callable[[], tuple[str, str, list[str]]]
    ) -> tuple[str, str, list[str]]:
        """Return the result of `inspect` for these commands; call it again only if one changed."""
        key = f"facts of {commands['gcc']}"
        stamp = " ".join(f"{path}:{_stamp(path)}" for _, path in sorted(commands.items()))
        match self._known.get(key):
            case [known, version, sysroot, *files] if known == stamp:
                if all(Path(file).exists() for file in files):
                    return version, sysroot, files
        version, sysroot, files = inspect()
        # A compiler without its C library will get one, which changes none of its own files.
        if any(Path(file).name == _STARTUP[0] for file in files):
            self._known[key] = [stamp, version, sysroot, *files]
            self._changed = True
        return version, sysroot, files

    def save(self) -> None:
        """Write new entries, if any; if writing fails, the next run computes them again."""
        if self._changed:
            with contextlib.suppress(OSError), replacing(self._path) as part:
                part.write_text(canonical.sealed(self._known), encoding="ascii")


def _entries(found: Any) -> dict[str, list[str]]:
    """Return the entries of a memory file that have the current form."""
    if not isinstance(found, dict):
        return {}
    return {
        name: entry
        for name, entry in found.items()
        if isinstance(entry, list) and all(isinstance(part, str) for part in entry)
    }


def _stamp(path: Path) -> str:
    status = path.stat()
    return f"{status.st_size} {status.st_mtime_ns} {status.st_ino} {status.st_ctime_ns}"
