"""Stripping a staging folder: debug information leaves ELF files, archives become deterministic.

Every file is processed once, however many names it has, and keeps its names, mode and inode; only a
file of the build machine whose run path depends on its folder becomes one file for each. Files that
are not for the target, that have a forbidden rpath or that do not parse are left as they are and
reported all together.
"""

from __future__ import annotations

import errno
import os
import posixpath
import shlex
import shutil
import stat
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from quard.base.errors import QuardError
from quard.base.placeholders import NATIVE
from quard.base.plain import one_line
from quard.base.record import Record, record
from quard.base.space import says_full
from quard.parts import elf, elf_edit
from quard.parts.elf_view import MAGIC
from quard.parts.foreign import ARCHIVE, FIRMWARE, foreign, foreign_members
from quard.parts.runpath import relative_rpath, separate_folders
from quard.parts.stage import below, is_file
from quard.process.starting import run
from quard.target import ElfAbi

DEBUG = "usr/lib/debug"
MODULE = ".ko"
"""Suffix of a kernel module."""
_SIGNATURE = b"~Module signature appended~\n"
"""The last bytes of a signed module."""

_LOADER_FOLDERS = {
    f"{prefix}/lib{suffix}" for prefix in ("", "/usr") for suffix in ("", "64", "64/lp64d")
}
"""What the dynamic loader searches anyway: an rpath of only these has no effect."""
_SYMTAB = 2


@record
class Toolkit(Record):
    """The cross tools that split needs, each as the start of an argument vector.

    native -- for programs of the build machine, the folder that run paths name during the build;
              they become relative, since users may see the folder elsewhere
    """

    objcopy: tuple[str, ...]
    strip: tuple[str, ...]
    ranlib: tuple[str, ...]
    abi: ElfAbi
    native: str = ""


@dataclass
class Stripped:
    """What stripping found: the frames of the ELF files by path, and what is wrong.

    foreign -- lines on files that are not for the target
    rpaths  -- lines on files with a forbidden rpath
    damaged -- errors of files that are not complete ELF files or archives
    """

    frames: dict[str, elf.Elf] = field(default_factory=dict)
    foreign: list[str] = field(default_factory=list)
    rpaths: list[str] = field(default_factory=list)
    damaged: list[QuardError] = field(default_factory=list)

    @property
    def wrong(self) -> list[QuardError]:
        """All that is wrong, an error for each kind."""
        found = list(self.damaged)
        if self.foreign:
            found.append(
                QuardError(
                    "not for the target: " + _first(self.foreign),
                    detail="\n".join(map(one_line, self.foreign)),
                    reason="wrong-architecture",
                    hint="`drop` the files that only the build runs; the others come from a"
                    " compiler other than the target's",
                )
            )
        if self.rpaths:
            found.append(
                QuardError(
                    "libraries would be searched in unusual places: " + _first(self.rpaths),
                    detail="\n".join(map(one_line, self.rpaths)),
                    reason="rpath",
                    hint="install relinked files (make install), or build without -rpath",
                )
            )
        return found


def _first(lines: Sequence[str]) -> str:
    """Return the path at the start of the first line, and how many others there are."""
    more = len({line.partition(": ")[0] for line in lines}) - 1
    return lines[0].partition(": ")[0] + (f" and {more} more" if more else "")


def strip_all(
    stage: Path, paths: Sequence[str], debug: Path, tools: Toolkit, markers: Sequence[str]
) -> Stripped:
    """Strip the files among `paths`; their debug information goes below `debug`.

    markers -- texts that no rpath may contain
    Raises QuardError `split-tool` if a tool is missing.
    """
    for tool in (tools.objcopy, tools.strip, tools.ranlib):
        if any(shutil.which(word) is None for word in (tool[0], tool[-1])):
            raise _tool_failed(tool, (), "No such file or directory")
    if tools.native:
        separate_folders(stage, paths, (tools.native, NATIVE))
    found = Stripped()
    done: dict[int, elf.Elf | None] = {}
    with tempfile.TemporaryDirectory(dir=debug.parent) as scratch:
        work = _Work(tools, debug, Path(scratch) / "out", markers, found)
        for path in paths:
            place = stage / path
            if not is_file(place):
                continue
            inode = place.stat().st_ino
            if inode not in done:
                try:
                    done[inode] = work.strip(place, path)
                except QuardError as error:
                    found.damaged.append(error)
                    done[inode] = None
            frame = done[inode]
            if frame is not None:
                found.frames[path] = frame
    return found


@record
class _Work(Record):
    """What stripping one file needs; `out` is where the tools write."""

    tools: Toolkit
    debug: Path
    out: Path
    markers: Sequence[str]
    found: Stripped

    def strip(self, place: Path, path: str) -> elf.Elf | None:
        """Process one file according to its type; return the frame of an ELF file."""
        with place.open("rb") as file:
            magic = file.read(len(ARCHIVE))
        if magic == ARCHIVE:
            self._archive(place, path)
            return None
        if not magic.startswith(MAGIC):
            return None
        frame = elf.read(place)
        if what := foreign(self.tools.abi, path, frame):
            self.found.foreign.append(f"{path}: {what}")
            return frame
        if frame.machine != self.tools.abi.machine or below(path, FIRMWARE):
            return frame
        if self.tools.native and relative_rpath(place, path, (self.tools.native, NATIVE)):
            frame = elf.read(place)
        if wrong := _forbidden_rpath(frame, self.markers):
            self.found.rpaths.append(f"{path}: {wrong}")
        elif _superfluous_rpath(frame):
            elf_edit.remove_rpath(place)
        if frame.marked_textrel and not frame.textrel:
            elf_edit.remove_textrel(place)
        if frame.kind == "rel":
            self._relocatable(place, path, frame)
        elif frame.kind in ("exec", "dyn"):
            kept = self._keep_debug(place, path, frame)
            self._rewrite(place, "--strip-unneeded" if frame.library else "--strip-all", link=kept)
        return elf.read(place)

    def _relocatable(self, place: Path, path: str, frame: elf.Elf) -> None:
        """Strip an object file or kernel module but keep its symbols, which its users need.

        A module's debug symbols are stored under its path, not its build-id: nothing in a running
        kernel leads a debugger to the build-id. Stripping a signed module would lose its signature.
        """
        if path.endswith(MODULE):
            self._keep_debug(place, path, frame, by_path=True)
            if _signed(place):
                return
        self._rewrite(place, "--strip-debug")

    def _archive(self, place: Path, path: str) -> None:
        members = list(foreign_members(self.tools.abi, path, place))
        self.found.foreign += [f"{path}: {member}" for member in members]
        if not members:
            self._rewrite(place, "--strip-debug")

    def _keep_debug(
        self, place: Path, path: str, frame: elf.Elf, *, by_path: bool = False
    ) -> Path | None:
        """Save debug information; return the copy if only a debug link leads to it."""
        names = tuple(section.name for section in frame.sections)
        symbols = any(section.type == _SYMTAB for section in frame.sections)
        if not symbols and not any(name.startswith((".debug_", ".zdebug_")) for name in names):
            return None
        build_id = "" if by_path else frame.build_id
        name = f".build-id/{build_id[:2]}/{build_id[2:]}" if build_id else path
        target = self.debug / f"{DEBUG}/{name}.debug"
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            _run(self.tools.objcopy, "--only-keep-debug", str(place), str(target))
            target.chmod(0o644)
        return None if build_id else target

    def _rewrite(self, place: Path, how: str, link: Path | None = None) -> None:
        """Strip into another file and copy it back: the file keeps its names, mode and inode."""
        deterministic = "--enable-deterministic-archives"
        _run(self.tools.strip, how, deterministic, "-o", str(self.out), str(place))
        if link is not None:
            _run(self.tools.objcopy, f"--add-gnu-debuglink={link}", str(self.out))
        with self.out.open("rb") as stripped:
            if stripped.read(len(ARCHIVE)) == ARCHIVE:
                _run(self.tools.ranlib, "-D", str(self.out))
        mode = stat.S_IMODE(place.stat().st_mode)
        with place.open("r+b") as file, self.out.open("rb") as stripped:
            shutil.copyfileobj(stripped, file)
            file.truncate()
        self.out.unlink()
        place.chmod(mode)  # writing clears setuid


def _run(tool: tuple[str, ...], *arguments: str) -> None:
    """Run one tool with an empty environment: binutils read the target format from GNUTARGET."""
    done = run((*tool, *arguments), env={"LC_ALL": "C"})
    if done.returncode:
        raise _tool_failed(tool, arguments, done.stderr.decode(errors="replace").strip())


def _tool_failed(tool: tuple[str, ...], arguments: Sequence[str], output: str) -> QuardError:
    if says_full(output):
        raise OSError(errno.ENOSPC, output)
    return QuardError(
        f"{Path(tool[-1]).name} failed while splitting a package",
        detail=f"{shlex.join((*tool, *arguments))}\n{output}",
        reason="split-tool",
        hint="check the file that it names: the build may have left it damaged",
    )


def _signed(place: Path) -> bool:
    with place.open("rb") as file:
        file.seek(-min(len(_SIGNATURE), place.stat().st_size), os.SEEK_END)
        return file.read() == _SIGNATURE


def _folders(frame: elf.Elf) -> list[str]:
    texts = [text for text in (frame.rpath, frame.runpath) if text is not None]
    return [folder for text in texts for folder in text.split(":")]


def _forbidden_rpath(frame: elf.Elf, markers: Sequence[str]) -> str:
    """Return the forbidden folder in an rpath: one of the build, or a relative one."""
    folders = _folders(frame)
    for folder in folders:
        absolute = folder.startswith(("/", "$ORIGIN", "${ORIGIN}"))
        if not absolute or any(marker in folder for marker in markers):
            return f"{folder!r} in its rpath {':'.join(folders)}"
    return ""


def _superfluous_rpath(frame: elf.Elf) -> bool:
    """Return whether a file's rpath names only folders that are searched anyway."""
    folders = {posixpath.normpath(folder) for folder in _folders(frame)}
    return bool(folders) and folders <= _LOADER_FOLDERS
