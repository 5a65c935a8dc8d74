"""From a staging folder to parts: what runs on the target, what others build with, debug symbols.

The folder is changed in place: top-level bin, sbin, lib and lib64 move below usr (and usr/lib64
into usr/lib), documentation and what the recipe drops go, ELF files lose their debug information to
a second folder and are stripped, archives become deterministic. Files below `boot/` (kernels,
firmware) are for the machine outside and are left as they are.
"""

from __future__ import annotations

import errno
import fnmatch
import mmap
import os
import posixpath
import re
import shlex
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from quard.errors import QuardError
from quard.execute import elf
from quard.store.blob import FOLDER_MODE, enough_space, normal_mode, walk

_FOLDS = (
    ("bin", "usr/bin"),
    ("sbin", "usr/sbin"),
    ("lib", "usr/lib"),
    ("lib64", "usr/lib"),
    ("usr/lib64", "usr/lib"),
)
_DOCUMENTATION = tuple(f"usr/share/{name}" for name in ("doc", "gtk-doc", "help", "info", "man"))
_UNWANTED = (*_DOCUMENTATION, "*.la", "*.pyc")
_DEV_FOLDERS = (
    "usr/include",
    "usr/lib/cmake",
    "usr/lib/pkgconfig",
    "usr/share/aclocal",
    "usr/share/cmake",
    "usr/share/pkgconfig",
)
_LOADER_FOLDERS = {
    f"{prefix}/lib{suffix}" for prefix in ("", "/usr") for suffix in ("", "64", "64/lp64d")
}
"""What the dynamic loader searches anyway: an rpath of these says nothing."""

DEPLOY = "boot"
"""Folder of the staging area that goes beside the images."""

_ARCHIVE = b"!<arch>\n"
_SHARED = re.compile(r"\.so(\.|$)")
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
    with enough_space(stage):
        _set_modes(stage)
        _correct_links(stage, markers)
        _fold(stage)
        _drop(stage, drop)
        debug.mkdir(parents=True, exist_ok=True)
        frames = _strip_all(stage, debug, tools, markers)
        runtime, dev = _classify(stage, frames)
        deploy = walk(stage / DEPLOY) if (stage / DEPLOY).is_dir() else ()
        leaks = [*_leaks(stage, markers), *_leaks(debug, debug_markers)]
        return Parts(runtime, dev, deploy, debug, tuple(leaks))


def _set_modes(stage: Path) -> None:
    """Give the files the modes that `pack` stores, so that every step may read and write them."""
    for folder, folders, files in os.walk(stage):
        for name in (*folders, *files):
            place = Path(folder, name)
            if not place.is_symlink():
                place.chmod(normal_mode(place.stat().st_mode, folder=place.is_dir()))


def _everything(root: Path, below: str = "") -> list[str]:
    """Return all paths below a folder, folders before what is in them, sorted."""
    found = []
    with os.scandir(root / below) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            path = posixpath.join(below, entry.name)
            found.append(path)
            if entry.is_dir(follow_symlinks=False):
                found += _everything(root, path)
    return found


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _is_file(path: Path) -> bool:
    return stat.S_ISREG(path.lstat().st_mode)


def _below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")


def _folded(path: str) -> str:
    """Return where a path lies after the top-level folders have moved."""
    for old, new in _FOLDS:
        if _below(path, old):
            return new + path[len(old) :]
    return path


def _landing(path: str, target: str) -> str:
    """Return the path that a link's text leads to; `..` stops at the root, as in the kernel."""
    return posixpath.normpath(posixpath.join("/", posixpath.dirname(path), target))[1:]


def _correct_links(stage: Path, markers: Sequence[str]) -> None:
    """Give links the text that is right after moving; remove those that would lead to themselves.

    An absolute link to something in the same stage becomes relative, so that it also holds below
    a sysroot.
    """
    paths = [path for path in _everything(stage) if not _below(path, DEPLOY)]
    after = {_folded(path) for path in paths}
    for path in paths:
        place = stage / path
        if not place.is_symlink():
            continue
        target = str(place.readlink())
        _refuse_stage_link(path, target, (*markers, str(stage)))
        landing = posixpath.normpath(posixpath.join("/", posixpath.dirname(path), target))[1:]
        new_path, new_landing = _folded(path), _folded(landing)
        if new_path == new_landing:
            place.unlink()
            continue
        absolute = target.startswith("/")
        escapes = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))[:2] == ".."
        moved = (new_path, new_landing) != (path, landing)
        if (absolute and new_landing in after) or (not absolute and (escapes or moved)):
            place.unlink()
            place.symlink_to(
                posixpath.relpath(f"/{new_landing}", f"/{posixpath.dirname(new_path)}")
            )


def _refuse_stage_link(path: str, target: str, markers: Sequence[str]) -> None:
    if any(marker in target for marker in markers):
        raise QuardError(
            f"a link into the build: {path}",
            detail=f"{path} -> {target}",
            reason="stage-link",
            hint="make the install step link to the path on the target, or relatively",
        )


def _fold(stage: Path) -> None:
    for old, new in _FOLDS:
        if os.path.lexists(stage / old):
            _move(stage, old, new)


def _move(stage: Path, old: str, new: str) -> None:
    """Move a path, merging folders; two equal links become one, all else that meets is refused."""
    source, place = stage / old, stage / new
    if not os.path.lexists(place):
        place.parent.mkdir(parents=True, exist_ok=True)
        source.rename(place)
    elif _is_folder(source) and _is_folder(place):
        for inside in sorted(source.iterdir()):
            _move(stage, f"{old}/{inside.name}", f"{new}/{inside.name}")
        _merge_modes(source, place, old, new)
        source.rmdir()
    elif source.is_symlink() and place.is_symlink() and source.readlink() == place.readlink():
        source.unlink()
    else:
        raise _collision(old, new, "both are installed, and bin, sbin, lib, lib64 lie in usr")


def _merge_modes(source: Path, place: Path, old: str, new: str) -> None:
    one, other = (stat.S_IMODE(path.stat().st_mode) for path in (source, place))
    if one not in (other, FOLDER_MODE):
        if other != FOLDER_MODE:
            raise _collision(old, new, f"folders of modes {one:04o} and {other:04o}")
        place.chmod(one)


def _collision(old: str, new: str, detail: str) -> QuardError:
    return QuardError(
        f"two things at one place: {old} and {new}",
        detail=detail,
        reason="file-collision",
        hint="drop one of them in the recipe",
    )


def _drop(stage: Path, patterns: Sequence[str]) -> None:
    paths = [path for path in _everything(stage) if not _below(path, DEPLOY)]
    wanted: set[str] = set()
    unused = []
    for pattern in patterns:
        found = {path for path in paths if fnmatch.fnmatchcase(path, _folded(pattern))}
        wanted |= found
        if not found:
            unused.append(pattern)
    if unused:
        raise QuardError(
            "the recipe drops what is not there",
            detail="\n".join(unused),
            reason="drop-unused",
            hint="remove the wildcard from the recipe's drop, or correct it",
        )
    for pattern in _UNWANTED:
        wanted |= {path for path in paths if fnmatch.fnmatchcase(path, pattern)}
    for path in sorted(wanted):
        _remove(stage, path)


def _remove(stage: Path, path: str) -> None:
    """Remove a path and the folders that it leaves empty."""
    place = stage / path
    if not os.path.lexists(place):
        return
    if _is_folder(place):
        shutil.rmtree(place)
    else:
        place.unlink()
    for parent in place.parents:
        if parent == stage or any(parent.iterdir()):
            return
        parent.rmdir()


def _strip_all(
    stage: Path, debug: Path, tools: Toolkit, markers: Sequence[str]
) -> Mapping[str, elf.Elf]:
    """Strip every ELF file and archive once, however many names it has; return the ELF frames."""
    frames: dict[str, elf.Elf] = {}
    done: dict[int, elf.Elf | None] = {}
    with tempfile.TemporaryDirectory(dir=debug.parent) as scratch:
        work = _Work(tools, debug, Path(scratch) / "out", markers)
        for path in _everything(stage):
            place = stage / path
            if _below(path, DEPLOY) or not _is_file(place):
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
        if not magic.startswith(elf.MAGIC):
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
        target = self.debug / f"usr/lib/debug/{name}.debug"
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
    for path in _everything(root):
        place = root / path
        if not _is_file(place) or not place.stat().st_size:
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


def _classify(
    stage: Path, frames: Mapping[str, elf.Elf]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Sort the paths of the stage into those of the target and those of dependants."""
    runtime, dev = [], []
    for path in walk(stage):
        if _below(path, DEPLOY):
            continue
        for_target, for_dependants = _uses(stage, path, frames)
        if for_target:
            runtime.append(path)
        if for_dependants:
            dev.append(path)
    return tuple(runtime), tuple(dev)


def _uses(stage: Path, path: str, frames: Mapping[str, elf.Elf]) -> tuple[bool, bool]:
    """Tell whether a path goes to the target, and whether dependants need it."""
    folder, name = posixpath.split(path)
    if any(_below(path, dev_folder) for dev_folder in _DEV_FOLDERS):
        return False, True
    real = _behind_links(stage, path)
    if _below(path, "usr/lib"):
        if name.endswith(".a") or (name.endswith(".o") and folder == "usr/lib"):
            return False, True
        if _SHARED.search(name) and (folder == "usr/lib" or name.startswith("lib")):
            return _library_uses(stage / path, name, frames.get(real))
    script = folder == "usr/bin" and name.endswith("-config") and real not in frames
    return not script, script


def _library_uses(place: Path, name: str, frame: elf.Elf | None) -> tuple[bool, bool]:
    """Decide for lib*.so*: a link without version is for the linker, unless it is the SONAME."""
    versioned = not name.endswith(".so")
    if place.is_symlink():
        return versioned or (frame is not None and frame.soname == name), True
    if frame is None:
        return versioned, True
    return True, frame.library


def _behind_links(stage: Path, path: str) -> str:
    """Return the path of the file that a path leads to, itself where nothing is found."""
    real = os.path.realpath(stage / path)
    root = os.path.realpath(stage)
    return posixpath.relpath(real, root) if real.startswith(f"{root}/") else path
