"""Makes the wheel of a Python project.

    build.py [--project FOLDER] [--sysroot FOLDER] [--setting=NAME=VALUE...] OUT

The project's build backend (PEP 517) runs in this interpreter, with the packages that it has:
nothing is downloaded. OUT is a new folder for the wheel and all else that is made. If the sysroot
has Python for another machine, extension modules are compiled for that: the backend finds that
machine's sysconfig.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import os
import re
import shutil
import sys
import sysconfig
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

LEGACY = "setuptools.build_meta:__legacy__"
"""The backend of a project that names none (PEP 517, "Source trees")."""
INCLUDED = {"wheel": "setuptools"}
"""Projects that are part of another one today: setuptools has had bdist_wheel since 70.1."""
SYSCONFIG = "wheel_tools_sysconfigdata"


class Unusable(Exception):
    """The project cannot be used; the text says why."""


def plain(name: str) -> str:
    """Return the name of a project as it is compared (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def there(name: str) -> bool:
    """Return whether this interpreter has a project."""
    try:
        importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def missing(requires: Sequence[str]) -> list[str]:
    """Return the requirements that this interpreter lacks.

    Versions are left to the backend, and so are those with a condition, such as older Pythons.
    """
    found = []
    for text in requires:
        name = re.match(r"\s*([A-Za-z0-9._-]+)", text)
        if ";" in text or name is None or there(name[1]):
            continue
        if not there(INCLUDED.get(plain(name[1]), name[1])):
            found.append(text)
    return sorted(found)


def build_system(project: Path) -> tuple[str, list[str], list[str]]:
    """Return a project's backend, the folders that it is in, and what it requires."""
    path = project / "pyproject.toml"
    table = tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    system = table.get("build-system", {})
    backend = system.get("build-backend", LEGACY)
    default = ["setuptools"] if backend == LEGACY else []
    return backend, system.get("backend-path", []), system.get("requires", default)


def cross(sysroot: Path, work: Path) -> None:
    """Let this process, and those that it starts, compile modules for the sysroot's Python.

    work -- folder for a module with that Python's build-time variables
    Without a Python in the sysroot nothing changes: it is a project without compiled modules.
    """
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    found = sorted((sysroot / "usr/lib" / version).glob("_sysconfigdata_*.py"))
    if not found:
        return
    values: dict[str, Any] = {}
    exec(compile(found[0].read_bytes(), str(found[0]), "exec"), values)
    variables = values["build_time_vars"]
    for name in ("CONFINCLUDEDIR", "CONFINCLUDEPY", "INCLUDEDIR", "INCLUDEPY", "LIBDIR", "LIBPL"):
        variables[name] = f"{sysroot}{variables[name]}"
    work.mkdir(parents=True)
    text = f"build_time_vars = {variables!r}\n"
    (work / f"{SYSCONFIG}.py").write_text(text, encoding="utf-8")
    os.environ["_PYTHON_SYSCONFIGDATA_NAME"] = SYSCONFIG
    os.environ["_PYTHON_HOST_PLATFORM"] = f"linux-{variables['MULTIARCH'].partition('-')[0]}"
    os.environ["PYTHONPATH"] = str(work)
    sys.path.insert(0, str(work))


def keep_flags() -> None:
    """Add the flags of the environment to Python's own: setuptools takes them in place of those.

    Python's own include -fno-strict-overflow, which its headers rely on, and -DNDEBUG.
    """
    own = sysconfig.get_config_var("CFLAGS") or ""
    for name in ("CFLAGS", "CXXFLAGS"):
        os.environ[name] = f"{own} {os.environ.get(name, '')}".strip()


def start_afresh(work: Path) -> None:
    """Let setuptools make its files in a new folder.

    In the folders of its own choice it takes over modules of the last build, such as those that
    are no longer in the project.
    """
    for name in ("egg", "lib"):
        (work / name).mkdir(parents=True)
    config = work / "setuptools.cfg"
    text = f"[build]\nbuild_base = {work}/lib\n[egg_info]\negg_base = {work}/egg\n"
    config.write_text(text, encoding="utf-8")
    os.environ["DIST_EXTRA_CONFIG"] = str(config)


def settings(words: Sequence[str]) -> dict[str, Any]:
    """Return the settings for a backend: a list if a name occurs more than once."""
    found: dict[str, Any] = {}
    for word in words:
        name, _, value = word.partition("=")
        if name not in found:
            found[name] = value
        elif isinstance(found[name], list):
            found[name].append(value)
        else:
            found[name] = [found[name], value]
    return found


def build(project: Path, out: Path, sysroot: Path | None, words: Sequence[str]) -> None:
    """Make the wheel of a project. Raises Unusable."""
    backend, folders, requires = build_system(project)
    if absent := missing(requires):
        raise Unusable(
            f"the project is built with {', '.join(absent)} (pyproject.toml): add the package that"
            " has it to `natives`"
        )
    shutil.rmtree(out, ignore_errors=True)
    if sysroot:
        cross(sysroot.resolve(), out.resolve() / "cross")
    keep_flags()
    start_afresh(out.resolve() / "setuptools")
    wheels = out.resolve() / "wheel"
    wheels.mkdir(parents=True)
    os.chdir(project)
    sys.path[:0] = [str(Path(folder).resolve()) for folder in folders]
    name, _, attributes = backend.partition(":")
    found: Any = importlib.import_module(name)
    for attribute in filter(None, attributes.split(".")):
        found = getattr(found, attribute)
    found.build_wheel(str(wheels), settings(words))


def arguments(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="build.py", allow_abbrev=False)
    parser.add_argument("--project", type=Path, default=Path())
    parser.add_argument("--sysroot", type=Path)
    parser.add_argument("--setting", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("out", type=Path)
    return parser.parse_args(words)


def main(words: Sequence[str]) -> int:
    """Return the exit status."""
    given = arguments(words)
    # Backends look at the command line, which is not theirs.
    sys.argv[1:] = []
    try:
        build(given.project, given.out, given.sysroot, given.setting)
    except Unusable as error:
        sys.stderr.write(f"build.py: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
