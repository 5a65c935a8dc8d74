"""Relocation: correcting build paths in installed text files for the target and for dependants.

A package's pkg-config files, `*-config` scripts, CMake files, makefiles and Python's
`_sysconfigdata` say how it was built, so they contain paths that exist only during the build. The
right replacement depends on the reader:

- pkg-config puts its sysroot before -I and -L by itself (PKG_CONFIG_SYSROOT_DIR), so its files, and
  all files that the target reads, get the path on the target;
- CMake files get a path relative to their own location;
- elsewhere the compiler's notation for its sysroot is used, as in -L=/usr/lib (gcc(1), -I; ld(1),
  -L), and `*-config` scripts get a prefix relative to their own location;
- commands of the build get their bare name where dependants read it, and usr/bin elsewhere;
- packages for the build machine name the folder where builds see them;
- compiler options that point into the source are left out; other mentions of the source folder get
  the name that it has in debug information.

Any build path that remains is an error in `split`. Files that contain a NUL are not text.
"""

from __future__ import annotations

import mmap
import posixpath
import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path

from quard.base.placeholders import NATIVE
from quard.base.record import Record, record
from quard.parts.stage import is_file, separate

_DEVELOPMENT = (
    "*.cmake",
    "*.h",
    "*.m4",
    "*.mk",
    "*.pc",
    "*.pri",
    "*.prl",
    "*/Makefile",
    "*/Makefile.*",
    "*/_sysconfigdata*.py",
    "*/config-*/*",
    "*-config",
    "*Config.sh",
)
"""Paths of files that builds of other packages read."""
_SHELL = re.compile(rb"#![ \t]*(?:/usr)?/bin/(?:env[ \t]+)?(?:ba|da)?sh\b")
_PREFIX = re.compile(
    rb"^([ \t]*(?:exec_prefix|includedir|libdir|prefix)=)([\"']?)/usr((?:/[\w./+-]*)?)\2[ \t]*$",
    re.MULTILINE,
)
_HERE = rb'\1"$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)\3"'
_FOLDER = re.compile(rb"(?<![\w-])(-[IL])/usr/(?=\w)(?![\w/]+[|)])")
"""An option in a script; not a `case` pattern, which filters options out."""
_WORD = rb"[^\s'\",;:)]*"


@record
class BuildOrigin(Record):
    """Where a package was built.

    inside -- the root of the fixed paths as commands saw it
    source -- NAME-VERSION
    native -- for the build machine: it is used at NATIVE
    """

    inside: str
    source: str
    native: bool = False

    def __post_init__(self) -> None:
        if not self.inside.startswith("/"):
            raise ValueError(f"no absolute path: {self.inside!r}")


def put_right(stage: Path, paths: Iterable[str], origin: BuildOrigin) -> list[str]:
    """Correct the text files among `paths`; return a line for each one that was changed."""
    changed = []
    paths = [path for path in paths if is_file(stage / path)]
    separate(stage, paths, lambda path: _for_readers(stage / path, path, origin))
    for path in paths:
        place = stage / path
        new = _for_readers(place, path, origin)
        if new is not None and new != place.read_bytes():
            mode = place.stat().st_mode
            place.write_bytes(new)
            place.chmod(mode & 0o7777)  # writing clears setuid
            changed.append(path)
    return changed


def _for_readers(place: Path, path: str, origin: BuildOrigin) -> bytes | None:
    """Return what a text file is to contain; None if nothing can be wrong with it."""
    marker = origin.inside.encode() + b"/"
    script = fnmatchcase(path, "usr/bin/*-config")
    if not place.stat().st_size or not (script or _holds(place, marker)):
        return None
    old = place.read_bytes()
    if b"\0" in old:
        return None
    new = _corrected(old, path, origin) if marker in old else old
    if script and _SHELL.match(new):
        new = _FOLDER.sub(rb"\1=/usr/", _PREFIX.sub(_HERE, new))
    return new


def _holds(place: Path, marker: bytes) -> bool:
    with place.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return data.find(marker) >= 0


def _corrected(text: bytes, path: str, origin: BuildOrigin) -> bytes:
    inside = re.escape(origin.inside.encode())
    development = any(fnmatchcase(path, pattern) for pattern in _DEVELOPMENT)
    commands = rb"/tools/" if origin.native else _COMMANDS
    text = re.sub(rb"\A(#![ \t]*)" + inside + commands, rb"\1/usr/bin/", text)
    if development:
        text = _without_options(text, inside)
        text = re.sub(inside + rb"/src" + _END, f"/usr/src/{origin.source}".encode(), text)
        text = re.sub(inside + commands + rb"+(?=[\w.+-])", b"", text)
    text = re.sub(inside + rb"/tools" + _END, b"/usr/bin", text)
    if origin.native:
        text = re.sub(inside + rb"/stage" + _END, b"", text)
        return re.sub(inside + rb"/(?:sysroot|native)" + _END, NATIVE.encode(), text)
    root = inside + rb"/(?:stage|sysroot)" + _END
    if path.endswith(".cmake"):
        up = posixpath.relpath("/", f"/{posixpath.dirname(path)}")
        return re.sub(root, b"${CMAKE_CURRENT_LIST_DIR}/" + up.encode(), text)
    if development and not path.endswith(".pc"):
        text = re.sub(rb"(?<=-[IL])" + root + rb"/+", b"=/", text)
    text = re.sub(root + rb"/+", b"/", text)
    return re.sub(root, b"/", text)


_COMMANDS = rb"/(?:tools|native/usr/s?bin)/"
"""Folders of commands that a build calls."""
_END = rb"(?![\w.+-])"
"""The end of a folder's name: not followed by another character of a name."""


def _without_options(text: bytes, inside: bytes) -> bytes:
    """Leave out compiler options that are of no use outside this build."""
    source = inside + rb"/(?:src|home|files)" + _END + _WORD
    anywhere = inside + _END + _WORD
    options = (
        rb"-(?:I|L|B|isystem[ \t]+|idirafter[ \t]+|iquote[ \t]+)" + source,
        rb"-Wl,-rpath(?:-link)?[,=]" + anywhere,
        rb"--sysroot[= ]" + anywhere,
        rb"-f(?:file|debug|macro)-prefix-map=" + anywhere,
    )
    return re.sub(rb"(?<![^\s'\"=])(?:" + b"|".join(options) + rb")[ \t]?", b"", text)
