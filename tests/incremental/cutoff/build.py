"""Building libraries and dependants with the real cross compiler, always at the same paths."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from incremental.cutoff import source
from incremental.cutoff.dependants import Dependant, Unit
from incremental.cutoff.model import Library
from quard.boards.targets import target
from quard.parts.split import split
from quard.parts.strip import Toolkit
from quard.store import blob

CROSS = "riscv64-linux-gnu-"
_TOOLS = Toolkit(
    objcopy=(f"{CROSS}objcopy",),
    strip=(f"{CROSS}strip",),
    ranlib=(f"{CROSS}ranlib",),
    abi=target("riscv64-linux-gnu").elf,
)
_LIMIT = 120

Interface = Callable[[Path, Sequence[str]], Mapping[str, Any]]


@dataclass(frozen=True)
class Package:
    """What a dependant gets of a library: the interface, and the digest of its dev part."""

    interface: Mapping[str, Any]
    dev: str


@dataclass(frozen=True)
class Failed:
    """A tool refused. Its messages name addresses: two refusals are equal whatever they say."""

    text: str = field(compare=False)


class BuildError(Exception):
    """A library could not be built: the generator is at fault."""


class CaseFolder:
    """One folder in which libraries and their dependants are built.

    folder -- is emptied by every `clear`
    """

    def __init__(self, folder: Path, interface: Interface) -> None:
        self._folder = folder
        self._interface = interface
        self._objects: dict[tuple[Unit, tuple[str, ...], str], bytes | Failed] = {}
        self.sysroot = folder / "sysroot"

    def clear(self) -> None:
        """Begin a case with nothing in the folder."""
        self._objects.clear()
        if self._folder.exists():
            shutil.rmtree(self._folder)
        self.empty()

    def empty(self) -> None:
        """Begin again with an empty sysroot."""
        if self.sysroot.exists():
            shutil.rmtree(self.sysroot)
        self.sysroot.mkdir(parents=True)

    def library(self, library: Library) -> Package:
        """Build a library against the sysroot and install it there. Raises BuildError."""
        work, stage = self._fresh("build"), self._fresh("stage")
        for name, text in source.files(library).items():
            (work / name).write_text(text)
        for part in ("include", "lib/pkgconfig", "bin"):
            (stage / "usr" / part).mkdir(parents=True)
        if library.shared:
            self._shared(library, work, stage / "usr/lib")
        if library.static:
            self._static(library, work, stage / "usr/lib")
        _install(library, work, stage / "usr")
        parts = split(stage, debug=self._fresh("debug"), tools=_TOOLS)
        packed = self._folder / "dev"
        digest = blob.pack(stage, parts.dev, packed)
        found = Package(self._interface(stage, parts.dev), digest)
        blob.extract(packed, self.sysroot, digest)
        return found

    def dependants(
        self, library: Library, dependants: Sequence[Dependant]
    ) -> dict[str, bytes | Failed]:
        """Build dependants against the sysroot; return the linker's output of each."""
        work = self._fresh("use")
        headers = _digest(self.sysroot / "usr/include")
        return {one.name: self._dependant(library, one, work, headers) for one in dependants}

    def _dependant(
        self, library: Library, dependant: Dependant, work: Path, headers: str
    ) -> bytes | Failed:
        cflags: tuple[str, ...] = ()
        libs: tuple[str, ...] = (f"-l{library.name}",)
        if dependant.pkg_config:
            cflags = self._pkg_config("--cflags", library.name)
            libs = self._pkg_config("--libs", library.name)
        objects = []
        for unit in dependant.units:
            compiled = self._compiled(unit, cflags, work, headers)
            if isinstance(compiled, Failed):
                return compiled
            objects.append(f"{dependant.output}.{unit.name}.o")
            (work / objects[-1]).write_bytes(compiled)
        needs = ("-ly",) if library.depends else ()
        values = {"OBJECTS": tuple(objects), "LIBRARY": libs, "NEEDS": needs}
        words = _filled(dependant.link, values)
        output = work / dependant.output
        failed = self._run(work, "gcc", *words, "-o", output.name)
        return failed or output.read_bytes()

    def _compiled(
        self, unit: Unit, cflags: tuple[str, ...], work: Path, headers: str
    ) -> bytes | Failed:
        """Compile a unit, or take the object that the same text, flags and headers gave."""
        key = (unit, cflags, headers)
        if key not in self._objects:
            (work / f"{unit.name}.c").write_text(unit.text)
            words = ("-pipe", *unit.options, *cflags, "-c", f"{unit.name}.c", "-o", "unit.o")
            failed = self._run(work, "gcc", *words)
            self._objects[key] = failed or (work / "unit.o").read_bytes()
        return self._objects[key]

    def _shared(self, library: Library, work: Path, lib: Path) -> None:
        name = library.name
        self._must(
            work,
            *("-pipe", "-fPIC", "-DSHARED", *library.compile, "-c", f"{name}.c", "-o", "pic.o"),
        )
        words = ["-shared", "-o", str(lib / library.file), "pic.o", *library.link]
        words += [f"-Wl,-soname,{library.soname}"] if library.soname else []
        words += [f"-Wl,--version-script={name}.map"] if library.nodes else []
        words += ["-ly"] if library.depends else []
        self._must(work, *words)
        for link in sorted({library.soname, f"lib{name}.so"} - {"", library.file}):
            (lib / link).symlink_to(library.file)

    def _static(self, library: Library, work: Path, lib: Path) -> None:
        name = library.name
        for unit in (name, f"{name}_extra"):
            self._must(work, "-pipe", "-fPIC", *library.compile, "-c", f"{unit}.c")
        archive = str(lib / f"lib{name}.a")
        failed = self._run(work, "ar", "rcsD", archive, f"{name}.o", f"{name}_extra.o")
        if failed:
            raise BuildError(failed.text)

    def _must(self, work: Path, *words: str) -> None:
        failed = self._run(work, "gcc", *words)
        if failed:
            raise BuildError(f"{' '.join(words)}\n{failed.text}")

    def _pkg_config(self, what: str, name: str) -> tuple[str, ...]:
        env = {
            "PATH": os.environ["PATH"],
            "PKG_CONFIG_LIBDIR": str(self.sysroot / "usr/lib/pkgconfig"),
            "PKG_CONFIG_SYSROOT_DIR": str(self.sysroot),
        }
        done = subprocess.run(
            ("pkg-config", what, name), env=env, capture_output=True, text=True, check=True
        )
        return tuple(done.stdout.split())

    def _run(self, work: Path, tool: str, *words: str) -> Failed | None:
        sysroot = (f"--sysroot={self.sysroot}",) if tool == "gcc" else ()
        done = subprocess.run(
            (f"{CROSS}{tool}", *sysroot, *words),
            cwd=work,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_LIMIT,
            check=False,
        )
        return Failed(done.stderr) if done.returncode else None

    def _fresh(self, name: str) -> Path:
        folder = self._folder / name
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir()
        return folder


def _install(library: Library, work: Path, usr: Path) -> None:
    name = library.name
    for header in (f"{name}.h", f"{name}_types.h", *library.further):
        shutil.copyfile(work / header, usr / "include" / header)
    shutil.copyfile(work / f"{name}.pc", usr / f"lib/pkgconfig/{name}.pc")
    shutil.copyfile(work / f"{name}-config", usr / f"bin/{name}-config")
    (usr / f"bin/{name}-config").chmod(0o755)


def _filled(words: Sequence[str], values: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(one for word in words for one in values.get(word, (word,)))


def _digest(folder: Path) -> str:
    """Return a digest of the names and contents of all files below a folder."""
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            found.update(f"{path.relative_to(folder)} {len(content)}\n".encode() + content)
    return found.hexdigest()
