"""Writing image files atomically, and running the tools that make them."""

from __future__ import annotations

import os
import shlex
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import field
from pathlib import Path
from typing import IO

from quard.base.errors import QuardError
from quard.base.record import Record, record
from quard.base.space import disk_full, enough_space, says_full
from quard.image import tools
from quard.process import leash
from quard.process.stop import Stop


@record
class Use(Record):
    """Which tools make image files: by default the machine's own.

    start -- returns the words that start a tool; none if it is missing
    stop  -- ends a tool when the run is cancelled
    """

    start: Callable[[str], tuple[str, ...]] = tools.start
    stop: Stop = field(default_factory=Stop)


USE = Use()
_PARTS = 1024
"""Parts that one system call takes: IOV_MAX of <limits.h>."""


@contextmanager
def scratch(out: Path) -> Iterator[Path]:
    """Provide an empty folder beside `out`, on its file system, and remove it at the end.

    Its name is fixed, so that the next run clears what a killed run left; the build's lock keeps
    two runs from using one folder.
    Raises QuardError disk-full if the disk is full inside the block.
    """
    folder = out.parent / f".{out.name}.new"
    with enough_space(out.parent, f"making {out.name}"):
        out.parent.mkdir(parents=True, exist_ok=True)
        if folder.exists():
            shutil.rmtree(folder)
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder)


@contextmanager
def whole_file(out: Path) -> Iterator[IO[bytes]]:
    """Open a file that replaces `out` if the block ends without an error.

    Raises QuardError disk-full.
    """
    with scratch(out) as folder:
        path = folder / out.name
        with path.open("wb") as file:
            yield file
        path.replace(out)


def write_at(file: int, place: int, parts: Sequence[bytes | bytearray | memoryview]) -> None:
    """Write parts one behind the other, all of their bytes, from a place in an open file on."""
    for start in range(0, len(parts), _PARTS):
        some = parts[start : start + _PARTS]
        written = os.pwritev(file, some, place)
        rest = memoryview(b"")
        if written < sum(map(len, some)):
            rest = memoryview(b"".join(some))[written:]
        place += written
        while rest:
            written = os.pwrite(file, rest, place)
            place, rest = place + written, rest[written:]


def run(
    argv: Sequence[str],
    out: Path,
    *,
    env: Mapping[str, str] | None = None,
    stdin: Path = leash.NOTHING,
    stdout: Path = leash.NOTHING,
    each: Sequence[Path] = (),
    use: Use = USE,
) -> str:
    """Run a tool in an empty environment plus `env` and return its standard error.

    out  -- the file that it makes, for messages
    each -- files, for each of which it is started, with the file as its last argument
    use  -- which tools are used, and what cancels the run
    Raises QuardError: tool-missing, disk-full, image-tool (it failed), interrupted.
    """
    program = use.start(argv[0])
    if not program:
        package = tools.PACKAGES[argv[0]]
        raise QuardError(
            f"the program {argv[0]}, which makes {out.name}, is missing",
            detail=f"looked in {tools.SEARCH}",
            reason="tool-missing",
            hint=f"apt-get install {package}",
        )
    words = _for_each((*program, *argv[1:]), each) if each else (*program, *argv[1:])
    given = {"PATH": tools.SEARCH, "LC_ALL": "C", "TZ": "UTC", **(env or {})}
    with stdout.open("wb") as output, tempfile.TemporaryFile() as errors:
        status = use.stop.run(
            lambda: leash.start(words, env=given, out=output, errors=errors, stdin=stdin)
        )
        errors.seek(0)
        text = errors.read().decode(errors="replace").strip()
    if says_full(text):
        raise disk_full(f"making {out.name}", out.parent, text)
    if status != 0:
        raise tool_failed(argv[0], out, text or f"exit status {status}")
    return text


def _for_each(words: Sequence[str], files: Sequence[Path]) -> tuple[str, ...]:
    """Return a command that starts another one for each file, until one fails."""
    loop = f'for file; do {shlex.join(words)} "$file" || exit; done'
    return ("/bin/sh", "-c", loop, "sh", *map(str, files))


def tool_failed(tool: str, out: Path, text: str) -> QuardError:
    """Return the error for a tool that failed."""
    return QuardError(
        f"{tool} could not make {out.name}",
        detail="\n".join(text.splitlines()[-10:]),
        reason="image-tool",
        hint="the detail is the tool's own message",
    )
