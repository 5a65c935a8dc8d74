"""Installs the files of a wheel.

    install.py [--prefix PREFIX] --stage FOLDER OUT

OUT is the folder that build.py has made. The files are laid out below the stage, with the scripts
that the project asks for. Modules are compiled so that they record a hash of their source, not its
time.
"""

from __future__ import annotations

import argparse
import compileall
import configparser
import re
import sys
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from py_compile import PycInvalidationMode

VERSION = f"python{sys.version_info[0]}.{sys.version_info[1]}"
INSTALLER_FILES = {"RECORD", "RECORD.jws", "RECORD.p7s", "WHEEL", "direct_url.json"}
"""What of .dist-info describes the wheel and its installation, not the project."""
SCRIPT = """\
#!{python}
import sys

from {module} import {first}

if __name__ == "__main__":
    sys.exit({call}())
"""


class Unusable(Exception):
    """The wheel cannot be used; the text says why."""


def only_wheel(out: Path) -> Path:
    found = sorted((out / "wheel").glob("*.whl"))
    if len(found) != 1:
        raise Unusable(f"there must be one wheel, not {len(found)}")
    return found[0]


def place(name: str, purelib: str, root: str) -> tuple[str, bool] | None:
    """Return where a member of a wheel goes, and whether it is a script; None: it is left out.

    name -- of the member: its path below site-packages, or PROJECT.data/KIND/PATH
    root -- the prefix without its leading slash
    Raises Unusable for a path that leads elsewhere.
    """
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name:
        raise Unusable(f"the wheel has a member with the path {name!r}")
    top, *below = path.parts
    if top.endswith(".dist-info"):
        if below and (below[0] in INSTALLER_FILES or below[0] == "licenses"):
            return None
    elif top.endswith(".data") and len(below) > 1:
        project = top.removesuffix(".data").partition("-")[0]
        kinds = {
            "data": root,
            "headers": f"{root}/include/{VERSION}/{project}",
            "platlib": purelib,
            "purelib": purelib,
            "scripts": f"{root}/bin",
        }
        if below[0] not in kinds:
            raise Unusable(f"the wheel has files of an unknown kind: {name!r}")
        return str(PurePosixPath(kinds[below[0]], *below[1:])), below[0] == "scripts"
    return f"{purelib}/{name}", False


def with_interpreter(data: bytes, python: str) -> bytes:
    """Return a script that names the interpreter by its path, in place of `python` alone."""
    first, line_end, rest = data.partition(b"\n")
    if re.match(rb"#!\s*python", first):
        return b"#!" + python.encode() + line_end + rest
    return data


def entry_points(text: str, python: str) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of each script that entry_points.txt asks for."""
    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(text)
    for section in ("console_scripts", "gui_scripts"):
        for name, target in parser.items(section) if parser.has_section(section) else ():
            module, _, call = target.partition("[")[0].strip().partition(":")
            if "/" in name or not call:
                raise Unusable(f"the wheel asks for a script {name!r} that calls {target!r}")
            first = call.strip().partition(".")[0]
            script = SCRIPT.format(
                python=python, module=module.strip(), first=first, call=call.strip()
            )
            yield name, script.encode()


def write(path: Path, data: bytes, *, executable: bool) -> None:
    """Write a file. Raises Unusable if it exists."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("xb") as file:
            file.write(data)
    except FileExistsError:
        raise Unusable(f"two files of the wheel have one path: {path}") from None
    path.chmod(0o755 if executable else 0o644)


def install(out: Path, prefix: str, stage: Path) -> None:
    """Install the files of the wheel. Raises Unusable."""
    root = prefix.strip("/")
    purelib = f"{root}/lib/{VERSION}/site-packages"
    python = f"{prefix}/bin/python3"
    with zipfile.ZipFile(only_wheel(out)) as archive:
        for member in sorted(archive.infolist(), key=lambda each: each.filename):
            found = None if member.is_dir() else place(member.filename, purelib, root)
            if found is None:
                continue
            path, script = found
            data = archive.read(member)
            executable = script or bool(member.external_attr >> 16 & 0o111)
            data = with_interpreter(data, python) if script else data
            write(stage / path, data, executable=executable)
            if path.endswith(".dist-info/entry_points.txt"):
                for name, content in entry_points(data.decode(), python):
                    write(stage / root / "bin" / name, content, executable=True)
    compile_modules(stage / purelib, f"/{purelib}")


def compile_modules(folder: Path, shown: str) -> None:
    """Compile all modules below a folder.

    shown -- the folder's path on the target, which messages of the modules name
    The log has those that are no valid Python, such as templates; the others do not depend on them.
    """
    compileall.compile_dir(
        folder,
        ddir=shown,
        quiet=1,
        workers=1,
        invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
    )


def arguments(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="install.py", allow_abbrev=False)
    parser.add_argument("--prefix", default="/usr")
    parser.add_argument("--stage", type=Path, required=True)
    parser.add_argument("out", type=Path)
    return parser.parse_args(words)


def main(words: Sequence[str]) -> int:
    """Return the exit status."""
    given = arguments(words)
    try:
        install(given.out, given.prefix, given.stage)
    except Unusable as error:
        sys.stderr.write(f"install.py: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
