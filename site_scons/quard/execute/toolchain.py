"""The cross compiler: its location, its identity, and which of its files go to the target."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cached_property
from pathlib import Path

from quard.base.errors import QuardError
from quard.base.programs import Programs
from quard.base.record import Record, record
from quard.process.starting import run
from quard.process.system import MACHINE, System

COMMANDS = tuple("ar as cpp gcc ld nm objcopy objdump ranlib readelf size strings strip".split())
OPTIONAL = ("addr2line", "c++filt", "elfedit", "g++", "gcc-ar", "gcc-nm", "gcc-ranlib", "ld.bfd")
_PARTS = ("cc1", "cc1plus", "collect2", "lto1")
_STARTUP = ("crt1.o", "Scrt1.o", "rcrt1.o", "crti.o", "crtn.o", "gcrt1.o")
_LINKED = ("libc.so.6", "libm.so.6", "libgcc_s.so.1", "libstdc++.so.6")
"""The folders of these files have the compiler's shared libraries: the C library's and its own."""
_BEGIN_AND_END = ("crtbegin.o", "crtbeginS.o", "crtbeginT.o", "crtend.o", "crtendS.o")
_FURTHER = ("libatomic.so.1", "libdl.so.2", "libgomp.so.1", "libmvec.so.1", "libpthread.so.0")
_STATIC = (
    "libatomic.a libc.a libc_nonshared.a libdl.a libgcc.a libgcc_eh.a libgomp.a libm.a libmvec.a"
    " libpthread.a libresolv.a librt.a libstdc++.a libstdc++fs.a libsupc++.a libutil.a"
).split()
_OTHERS = ("libc.so", "libgomp.spec", "liblto_plugin.so", "libm.so", "libresolv.so.2", "librt.so.1")
"""Scripts and options of the linker, what it loads, and further shared libraries."""
_LIBRARIES = (*_LINKED, *_FURTHER, *_STATIC, *_STARTUP, *_BEGIN_AND_END, *_OTHERS)
"""What can be part of a linked file, or decides how one is linked."""
_LIB, _NOWHERE = "../../..", "/quard/none"
"""From the folder of a compiler's libgcc.a to the lib folder; a sysroot that has no libraries."""
_HEADERS = ("include/stdio.h", "include/linux/version.h", "include/gnu/libc-version.h")


@record
class Toolchain(Record):
    """A cross compiler.

    prefix      -- of its commands
    commands    -- name without prefix -> absolute path on the machine
    folder      -- folder that the sandbox must show besides the system's own, or None
    sysroot     -- its own sysroot to start from, or None if it finds its C library itself
    version     -- of the compiler, for people
    fingerprint -- SHA-256 over everything in it that affects results; "" if it is pinned
    system      -- the one that it belongs to
    """

    prefix: str
    commands: dict[str, Path]
    folder: Path | None
    sysroot: Path | None
    version: str
    fingerprint: str
    system: System = MACHINE

    def start(self, name: str) -> tuple[str, ...]:
        """Return the words that start one command outside of a sandbox."""
        return self.system.start(self.commands[name])

    def shown(self, path: Path) -> Path:
        """Return the path at which builds see one of its files."""
        return self.system.shown(path)

    def _ask(self, *options: str) -> str:
        return _ask(self.start("gcc"), *options)

    def library(self, name: str) -> Path:
        """Return a target library's real file. Raises QuardError library-missing."""
        found = self.find_library(name)
        if found is None:
            raise QuardError(
                f"the cross toolchain has no {name}",
                detail=f"{self.commands['gcc']} -print-file-name={name} names no file",
                reason="library-missing",
                hint="install the target's C library (Debian: libc6-dev-riscv64-cross)",
            )
        return found

    def find_library(self, name: str) -> Path | None:
        """Return a target library's real file; None if it has none."""
        path = Path(self._ask(f"-print-file-name={name}"))
        return path.resolve() if path.is_absolute() and path.exists() else None

    def header_folder(self, name: str) -> Path:
        """Return a folder of the kernel's headers for the target, as programs include it.

        Raises QuardError library-missing.
        """
        start = self.library("crt1.o")
        # Below lib are folders for an ABI or, in Debian's layout, for an architecture.
        libraries = start.parent if start.parent.name.startswith("lib") else start.parent.parent
        include = libraries.parent / "include"
        multiarch = self._ask("-print-multiarch")
        for folder in (include / multiarch / name, include / name):
            if folder.is_dir():
                return folder
        raise QuardError(
            f"the cross toolchain has no headers {name} of the kernel",
            detail=f"looked in {include}",
            reason="library-missing",
            hint="install the kernel's headers for the target (Debian:"
            " linux-libc-dev-riscv64-cross)",
        )

    @cached_property
    def is_machines_own(self) -> bool:
        """Whether it is the build machine's own compiler, as that of Debian for x86_64 on x86_64.

        A cross compiler searches its own folders and the sysroot. This one also searches the lib
        folder that it is installed in, in any case (gcc, -print-search-dirs).
        """
        own = Path(self._ask("-print-file-name=libgcc.a")).parent
        said = self._ask(f"--sysroot={_NOWHERE}", "-print-search-dirs")
        searched = said.rpartition("libraries: =")[2].split(":")
        return os.path.normpath(own / _LIB) in {os.path.normpath(path) for path in searched}

    def folder_of(self, name: str) -> Path:
        """Return the folder of a library as builds see it. Raises QuardError library-missing."""
        return self.shown(self.library(name).parent)

    @cached_property
    def static_pie(self) -> bool:
        """Whether its C library has the start file of static position-independent programs."""
        return self.find_library("rcrt1.o") is not None

    @cached_property
    def libraries(self) -> tuple[Path, ...]:
        """The folders of its shared libraries for the target; the first build determines them."""
        found = (Path(self._ask(f"-print-file-name={n}")) for n in _LINKED)
        folders = (path.parent.resolve() for path in found if path.is_absolute() and path.exists())
        return tuple(dict.fromkeys(folders))


def pinned(prefix: str, system: System, search: str = "") -> Toolchain:
    """Return the toolchain of pinned tools. Raises QuardError compiler-missing.

    search -- the PATH where these are the whole system
    """
    commands = _commands(prefix, system.search(search))
    return Toolchain(
        prefix=prefix,
        commands=commands,
        folder=None,
        sysroot=None,
        version=_ask(system.start(commands["gcc"]), "-dumpfullversion"),
        fingerprint="",
        system=system,
    )


def find(prefix: str, folder: Path | None, search: str, programs: Programs) -> Toolchain:
    """Return the toolchain on the machine whose commands begin with `prefix`.

    folder -- its installation folder; None searches `search`, a PATH
    Raises QuardError compiler-missing.
    """
    commands = _commands(prefix, str(folder / "bin") if folder else search)
    gcc = commands["gcc"]
    version, sysroot, *files = _facts(commands, programs)
    return Toolchain(
        prefix=prefix,
        commands=commands,
        folder=folder or _installation(gcc),
        sysroot=Path(sysroot) if sysroot else None,
        version=version,
        fingerprint=programs.fingerprint(version, map(Path, files)),
    )


def _commands(prefix: str, path: str) -> dict[str, Path]:
    """Return the commands in the folders of `path`. Raises QuardError compiler-missing."""
    commands = {}
    for name in COMMANDS + OPTIONAL:
        found = shutil.which(prefix + name, path=path)
        if found:
            commands[name] = Path(found)
        elif name in COMMANDS:
            raise QuardError(
                f"the cross compiler's {prefix}{name} is missing",
                detail=f"looked in {path}",
                reason="compiler-missing",
                hint=f"./scons installs it on Debian (gcc-{prefix.removesuffix('-')}); elsewhere "
                "install it, or name its folder in the board's [toolchain]",
            )
    return commands


def _installation(gcc: Path) -> Path | None:
    """Return the folder of a compiler that was found outside the system's own folders."""
    real = gcc.resolve()
    return None if real.is_relative_to("/usr") else real.parent.parent


def _facts(commands: dict[str, Path], programs: Programs) -> list[str]:
    """Return the compiler's version, its own sysroot, and the files that affect results."""
    subject = " ".join((str(commands["gcc"]), *_PARTS, *_LIBRARIES))
    known = programs.recall(subject, commands.values())
    if known and all(Path(file).exists() for file in known[2:]):
        return known
    found = _inspect(commands)
    # A compiler without its C library will get one, which changes none of its own files.
    if any(Path(file).name == _STARTUP[0] for file in found[2:]):
        programs.note(subject, commands.values(), found)
    return found


def _inspect(commands: dict[str, Path]) -> list[str]:
    """Query the compiler for what `_facts` returns."""
    gcc = (str(commands["gcc"]),)
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
    return [version, own, *sorted(files, key=lambda file: (Path(file).name, file))]


def _ask(gcc: tuple[str, ...], *options: str) -> str:
    try:
        done = run((*gcc, *options), env={"LC_ALL": "C"})
        done.check_returncode()
    except (OSError, subprocess.CalledProcessError) as error:
        raise QuardError(
            f"{gcc[-1]} cannot run {' '.join(options)}",
            detail=str(error),
            reason="compiler-missing",
            hint="check that the cross compiler is installed completely",
        ) from error
    return os.fsdecode(done.stdout).strip()
