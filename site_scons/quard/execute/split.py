"""From a staging folder to parts: what runs on the target, what others build with, debug symbols.

The folder is changed in place: top-level bin, sbin, lib and lib64 move below usr (and usr/lib64
into usr/lib), documentation and what the recipe drops go, ELF files lose their debug information to
a second folder and are stripped, archives become deterministic. Files below `boot/` (kernels,
firmware) are for the machine outside and are left as they are. What is installed below
`usr/lib/debug/` is debug information already.
"""

from __future__ import annotations

import errno
import mmap
import os
import posixpath
import re
import shlex
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from quard.errors import QuardError
from quard.execute import elf
from quard.execute.classify import classify
from quard.execute.drop import remove_unwanted
from quard.execute.elf_view import MAGIC
from quard.execute.fold import correct_links, fold
from quard.execute.stage import below, everything, is_file
from quard.plain import one_line
from quard.store.blob import walk
from quard.store.files import enough_space
from quard.store.member import normal_mode

DEPLOY = "boot"
"""Folder of the staging area that goes beside the images."""

_DEBUG = "usr/lib/debug"
_LOADER_FOLDERS = {
    f"{prefix}/lib{suffix}" for prefix in ("", "/usr") for suffix in ("", "64", "64/lp64d")
}
"""What the dynamic loader searches anyway: an rpath of these says nothing."""

_ARCHIVE = b"!<arch>\n"
_SYMTAB = 2
_CONTEXT = 100


@dataclass(frozen=True)
class Toolkit:
    """The cross tools that split needs, each as the beginning of an argument vector.

    machine -- e_machine of the target as pyelftools spells it; ELF files of other machines, such
               as firmware of a coprocessor, are left alone
    """

    objcopy: tuple[str, ...]
    strip: tuple[str, ...]
    ranlib: tuple[str, ...]
    machine: str


@dataclass(frozen=True)
class Leak:
    """A path of the build that a result would carry away: the file, and the text around it."""

    path: str
    text: str


@dataclass(frozen=True)
class Parts:
    """Paths below the staging folder, sorted, ready for `pack`.

    runtime -- for the target
    dev     -- for building dependants; holds a copy of every shared library
    deploy  -- below the staging folder's boot/ and named without it: goes beside the images
    debug   -- folder of the split debug information: usr/lib/debug/.build-id/ab/cdef.debug
    leaks   -- paths of the build found in the parts; in debug information, its own markers
    """

    runtime: tuple[str, ...]
    dev: tuple[str, ...]
    deploy: tuple[str, ...]
    debug: Path
    leaks: tuple[Leak, ...]


def split(
    stage: Path,
    *,
    debug: Path,
    tools: Toolkit,
    drop: Sequence[str] = (),
    markers: Sequence[str] = (),
    debug_markers: Sequence[str] = (),
) -> Parts:
    """Turn a staging folder into parts; see the module.

    debug         -- folder for debug information, outside of `stage`; is made
    drop          -- wildcards of paths; `*` also stands for slashes, a folder goes as a whole,
                     and paths are meant as installed or as moved below usr
    markers       -- texts such as /quard/stage that no installed file may hold
    debug_markers -- the same for debug information
    Raises QuardError `file-collision` (two files at one place after moving), `stage-link` (a link
    into the build), `drop-unused`, `rpath` (one into the build, or a relative one), `bad-elf`,
    `split-tool` (a tool is missing or fails), `disk-full`.
    """
    if (stage / DEPLOY).is_symlink():
        raise QuardError(
            f"the build made {DEPLOY}/ a link",
            detail=one_line(os.readlink(stage / DEPLOY)),
            reason="stage-link",
            hint=f"{DEPLOY}/ in the staging folder must be a folder",
        )
    with enough_space(stage):
        _set_modes(stage)
        correct_links(stage, _installed(everything(stage)), markers)
        fold(stage)
        remove_unwanted(stage, _installed(everything(stage)), drop)
        debug.mkdir(parents=True, exist_ok=True)
        _take_debug(stage, debug)
        frames = _strip_all(stage, debug, tools, markers)
        runtime, dev = classify(stage, _installed(walk(stage)), frames)
        deploy = walk(stage / DEPLOY) if (stage / DEPLOY).is_dir() else ()
        leaks = [*_leaks(stage, markers), *_leaks(debug, debug_markers)]
        return Parts(runtime, dev, deploy, debug, tuple(leaks))


def _installed(paths: Iterable[str]) -> list[str]:
    """Return the paths that are not for the machine outside."""
    return [path for path in paths if not below(path, DEPLOY)]


def _take_debug(stage: Path, debug: Path) -> None:
    """Move what was installed as debug information, as a kernel's symbols, which nothing strips."""
    given = stage / _DEBUG
    if given.is_dir() and not given.is_symlink():
        (debug / _DEBUG).parent.mkdir(parents=True, exist_ok=True)
        given.replace(debug / _DEBUG)
        for parent in given.relative_to(stage).parents[:-1]:
            if not any((stage / parent).iterdir()):
                (stage / parent).rmdir()


def _set_modes(stage: Path) -> None:
    """Give the files the modes that `pack` stores, so that every step may read and write them."""
    for folder, folders, files in os.walk(stage):
        for name in (*folders, *files):
            place = Path(folder, name)
            if not place.is_symlink():
                place.chmod(normal_mode(place.stat().st_mode, folder=place.is_dir()))


def _strip_all(
    stage: Path, debug: Path, tools: Toolkit, markers: Sequence[str]
) -> Mapping[str, elf.Elf]:
    """Strip every ELF file and archive once, however many names it has; return the ELF frames."""
    frames: dict[str, elf.Elf] = {}
    done: dict[int, elf.Elf | None] = {}
    with tempfile.TemporaryDirectory(dir=debug.parent) as scratch:
        work = _Work(tools, debug, Path(scratch) / "out", markers)
        for path in _installed(everything(stage)):
            place = stage / path
            if not is_file(place):
                continue
            inode = place.stat().st_ino
            if inode not in done:
                done[inode] = work.strip(place, path)
            frame = done[inode]
            if frame is not None:
                frames[path] = frame
    return frames


@dataclass(frozen=True)
class _Work:
    """What stripping one file needs; `out` is where the tools write."""

    tools: Toolkit
    debug: Path
    out: Path
    markers: Sequence[str]

    def strip(self, place: Path, path: str) -> elf.Elf | None:
        """Treat one file by what it is; return the frame of an ELF file."""
        with place.open("rb") as file:
            magic = file.read(len(_ARCHIVE))
        if magic == _ARCHIVE:
            self._rewrite(place, "--strip-debug")
            return None
        if not magic.startswith(MAGIC):
            return None
        frame = elf.read(place)
        if frame.machine != self.tools.machine:
            return frame
        if _superfluous_rpath(frame, path, self.markers):
            elf.remove_rpath(place)
        if frame.kind == "rel":
            self._rewrite(place, "--strip-debug")
        elif frame.kind in ("exec", "dyn"):
            kept = self._keep_debug(place, path, frame)
            self._rewrite(place, "--strip-unneeded" if frame.library else "--strip-all", link=kept)
        return elf.read(place)

    def _keep_debug(self, place: Path, path: str, frame: elf.Elf) -> Path | None:
        """Copy debug information aside; return the copy if only a debug link leads to it."""
        names = tuple(section.name for section in frame.sections)
        symbols = any(section.type == _SYMTAB for section in frame.sections)
        if not symbols and not any(name.startswith((".debug_", ".zdebug_")) for name in names):
            return None
        build_id = frame.build_id
        name = f".build-id/{build_id[:2]}/{build_id[2:]}" if build_id else path
        target = self.debug / f"{_DEBUG}/{name}.debug"
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            _run((*self.tools.objcopy, "--only-keep-debug", str(place), str(target)))
            target.chmod(0o644)
        return None if build_id else target

    def _rewrite(self, place: Path, how: str, link: Path | None = None) -> None:
        """Strip into another file and copy back: the file keeps its names, mode and inode."""
        _run(
            (
                *self.tools.strip,
                how,
                "--enable-deterministic-archives",
                "-o",
                str(self.out),
                str(place),
            )
        )
        if link is not None:
            _run((*self.tools.objcopy, f"--add-gnu-debuglink={link}", str(self.out)))
        with self.out.open("rb") as stripped:
            if stripped.read(len(_ARCHIVE)) == _ARCHIVE:
                _run((*self.tools.ranlib, "-D", str(self.out)))
        mode = stat.S_IMODE(place.stat().st_mode)
        with place.open("r+b") as file, self.out.open("rb") as stripped:
            shutil.copyfileobj(stripped, file)
            file.truncate()
        self.out.unlink()
        place.chmod(mode)  # writing has cleared setuid


def _run(argv: Sequence[str]) -> None:
    """Run one tool. It sees no environment: binutils take their target format from GNUTARGET."""
    try:
        done = subprocess.run(
            argv, env={"LC_ALL": "C"}, stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
    except FileNotFoundError as error:
        raise _tool_failed(argv, str(error)) from error
    if done.returncode:
        raise _tool_failed(argv, done.stderr.decode(errors="replace").strip())


def _tool_failed(argv: Sequence[str], output: str) -> QuardError:
    if os.strerror(errno.ENOSPC) in output:
        raise OSError(errno.ENOSPC, output)
    return QuardError(
        f"{Path(argv[0]).name} failed while splitting a package",
        detail=f"{shlex.join(argv)}\n{output}",
        reason="split-tool",
        hint="look at the file it names: the build may have left it damaged",
    )


def _superfluous_rpath(frame: elf.Elf, path: str, markers: Sequence[str]) -> bool:
    """Tell whether a file's rpath names only what is searched anyway; refuse what must not ship."""
    texts = [text for text in (frame.rpath, frame.runpath) if text is not None]
    folders = [folder for text in texts for folder in text.split(":")]
    for folder in folders:
        absolute = folder.startswith(("/", "$ORIGIN", "${ORIGIN}"))
        if not absolute or any(marker in folder for marker in markers):
            raise QuardError(
                f"{path} would look for libraries in {folder!r}",
                detail=f"its rpath is {':'.join(texts)}",
                reason="rpath",
                hint="install relinked files (make install), or build without -rpath",
            )
    return bool(texts) and {posixpath.normpath(folder) for folder in folders} <= _LOADER_FOLDERS


def _leaks(root: Path, markers: Sequence[str]) -> Iterator[Leak]:
    """Yield the first place of each file that holds one of the markers."""
    if not markers:
        return
    pattern = re.compile(b"|".join(re.escape(os.fsencode(marker)) for marker in markers))
    for path in everything(root):
        place = root / path
        if not is_file(place) or not place.stat().st_size:
            continue
        with (
            place.open("rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
        ):
            found = pattern.search(data)
            if found:
                start, end = max(found.start() - _CONTEXT, 0), found.end() + _CONTEXT
                yield Leak(path, _text_around(data[start:end], found.start() - start))


def _text_around(data: bytes, position: int) -> str:
    """Return the printable text of which `position` is a part."""
    for text in re.finditer(rb"[\t -~]+", data):
        if text.start() <= position < text.end():
            return text.group().decode("ascii").strip()
    return ""
