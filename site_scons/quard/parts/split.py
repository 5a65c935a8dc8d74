"""Splitting a staging folder into parts: libs, programs, dev and deploy files, and debug symbols.

The folder is changed in place: top-level bin, sbin, lib and lib64 move below usr (and usr/lib64
into usr/lib); documentation and what the recipe drops are removed; build paths in text files are
corrected; the debug information of ELF files moves to a second folder; ELF files are stripped;
static libraries become deterministic. Files below `boot/` (kernels, firmware) go beside the images
and are left as they are. Files installed below `usr/lib/debug/` are debug information already.
"""

from __future__ import annotations

import mmap
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from quard.base.attributes import ACCESS_LIST, attributes
from quard.base.errors import QuardError
from quard.base.plain import one_line
from quard.base.record import Record, record
from quard.base.space import enough_space
from quard.parts.bytecode import settle
from quard.parts.classify import classify
from quard.parts.divide import divide
from quard.parts.drop import remove_unwanted
from quard.parts.fold import correct_links, fold
from quard.parts.relocate import BuildOrigin, put_right
from quard.parts.stage import below, everything, is_file
from quard.parts.strip import DEBUG, Toolkit, strip_all
from quard.store.blob import walk
from quard.store.member import normal_mode

DEPLOY = "boot"
"""Folder of the staging folder whose files go beside the images."""

_CONTEXT = 100


@record
class Leak(Record):
    """A build path in a result: the file, and the text around the path."""

    path: str
    text: str


@record
class Parts(Record):
    """Paths below the staging folder, sorted, ready for `pack`.

    of_target -- for the target, by part: libs, programs, those that the recipe names
    dev      -- for building dependants; holds a copy of every shared library
    deploy   -- below the staging folder's boot/ and named without it: goes beside the images
    debug    -- folder of the split debug information: usr/lib/debug/.build-id/ab/cdef.debug
    leaks    -- build paths found in the parts; in debug information, its own markers
    wrong    -- all other errors; the parts are unusable if there are any
    notes    -- lines on what was changed or left out, for the log
    """

    of_target: Mapping[str, tuple[str, ...]]
    dev: tuple[str, ...]
    deploy: tuple[str, ...]
    debug: Path
    leaks: tuple[Leak, ...]
    wrong: tuple[QuardError, ...]
    notes: tuple[str, ...]

    @property
    def target(self) -> tuple[str, ...]:
        """All paths for the target, sorted."""
        return tuple(sorted({p for part in self.of_target.values() for p in part}, key=os.fsencode))


def split(
    stage: Path,
    *,
    debug: Path,
    tools: Toolkit,
    drop: Sequence[str] = (),
    named: Mapping[str, Sequence[str]] = MappingProxyType({}),
    markers: Sequence[str] = (),
    debug_markers: Sequence[str] = (),
    origin: BuildOrigin | None = None,
) -> Parts:
    """Turn a staging folder into parts; see the module.

    debug         -- folder for debug information, outside `stage`; is created
    drop          -- path wildcards; `*` also matches slashes, a folder is dropped as a whole,
                     and paths match as installed or as moved below usr
    named         -- part -> wildcards like those of `drop`, for files whose folder is no guide
    markers       -- texts such as /quard/stage that no installed file may contain
    debug_markers -- the same for debug information
    origin        -- where it was built: text files that name it are corrected first

    All errors of the package are reported together, in the parts: `file-collision` (two files
    with the same path after moving), `stage-link` (a link into the build), `drop-unused`,
    `part-unused`, `rpath` (one into the build, or a relative one), `wrong-architecture` (the target
    cannot run or link it), `bad-elf`, `split-tool` (a tool refuses a file), `file-attributes`.
    Raises QuardError `split-tool` if a tool is missing, `disk-full`.
    """
    _refuse_linked_deploy(stage)
    with enough_space(stage):
        wrong = _tidy(stage, drop, markers, f"{origin.inside}/stage" if origin else "")
        notes = _settle(stage, origin)
        _take_debug(stage, debug)
        stripped = strip_all(stage, _installed(everything(stage)), debug, tools, markers)
        wrong += stripped.wrong
        target, dev = classify(stage, _installed(walk(stage)), stripped.frames)
        of_target, unused = divide(stage, target, named)
        wrong += unused
        deploy = walk(stage / DEPLOY) if (stage / DEPLOY).is_dir() else ()
        leaks = (*_leaks(stage, markers), *_leaks(debug, debug_markers))
        return Parts(of_target, dev, deploy, debug, leaks, tuple(wrong), notes)


def _tidy(stage: Path, drop: Sequence[str], markers: Sequence[str], own: str) -> list[QuardError]:
    """Set modes, move what belongs below usr, and remove what is not wanted; return the errors."""
    _set_modes(stage)
    wrong = correct_links(stage, _installed(everything(stage)), markers, own)
    wrong += fold(stage)
    return wrong + remove_unwanted(stage, _installed(everything(stage)), drop) + _attributes(stage)


def _refuse_linked_deploy(stage: Path) -> None:
    if (stage / DEPLOY).is_symlink():
        raise QuardError(
            f"the build made {DEPLOY}/ a link",
            detail=one_line(os.readlink(stage / DEPLOY)),
            reason="stage-link",
            hint=f"{DEPLOY}/ in the staging folder must be a folder",
        )


def _settle(stage: Path, origin: BuildOrigin | None) -> tuple[str, ...]:
    """Correct texts and compiled modules for other machines; return a line for each change."""
    corrected = put_right(stage, _installed(everything(stage)), origin) if origin else []
    marker = f"{origin.inside}/" if origin and not origin.native else ""
    gone = settle(stage, _installed(everything(stage)), corrected, marker)
    return (
        *(f"{path}: paths of the build corrected" for path in corrected),
        *(f"{path}: left out: {why}" for path, why in sorted(gone.items())),
    )


def _installed(paths: Iterable[str]) -> list[str]:
    """Return the paths that do not go beside the images."""
    return [path for path in paths if not below(path, DEPLOY)]


def _take_debug(stage: Path, debug: Path) -> None:
    """Move installed debug information, such as a kernel's symbols, which is not stripped."""
    debug.mkdir(parents=True, exist_ok=True)
    given = stage / DEBUG
    if given.is_dir() and not given.is_symlink():
        (debug / DEBUG).parent.mkdir(parents=True, exist_ok=True)
        given.replace(debug / DEBUG)
        for parent in given.relative_to(stage).parents[:-1]:
            if not any((stage / parent).iterdir()):
                (stage / parent).rmdir()


def _set_modes(stage: Path) -> None:
    """Set the file modes that `pack` stores, so that every step can read and write the files."""
    for folder, folders, files in os.walk(stage):
        for name in (*folders, *files):
            place = Path(folder, name)
            if not place.is_symlink():
                place.chmod(normal_mode(place.stat().st_mode, folder=place.is_dir()))


def _attributes(stage: Path) -> list[QuardError]:
    """Return an error for each file with extended attributes, which blobs cannot hold."""
    return [
        QuardError(
            f"installed with attributes that would be lost: {path}",
            detail=", ".join(names),
            reason="file-attributes",
            hint="remove them in the recipe's `finish` (setcap -r, setfattr -x), and give them in"
            " `permissions`: Permission(path, mode=, capabilities=, xattrs=)",
        )
        for path in _installed(everything(stage))
        if not (stage / path).is_symlink()
        and (names := [name for name in attributes(str(stage / path)) if name != ACCESS_LIST])
    ]


def _leaks(root: Path, markers: Sequence[str]) -> Iterator[Leak]:
    """Yield the first occurrence of a marker in each file."""
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
    """Return the printable text around `position`."""
    for text in re.finditer(rb"[\t -~]+", data):
        if text.start() <= position < text.end():
            return text.group().decode("ascii").strip()
    return ""
