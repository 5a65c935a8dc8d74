"""This checkout, and copies of it that may be changed and built."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]


@cache
def start() -> str:
    """Return the code by which ./scons starts the engine."""
    text = (TOP / "scons").read_text(encoding="utf-8")
    found = re.search(r"^scons_start='(.*?)'$", text, re.MULTILINE | re.DOTALL)
    assert found
    return found[1]


def scons(*arguments: str) -> list[str]:
    """Return the command that ./scons becomes when everything is ready; it runs in a project."""
    return [sys.executable, "-P", "-c", start(), ".", "-Q", *arguments]


def plain_scons(*arguments: str) -> list[str]:
    """Return the same run as it is without ./scons: all of it is SCons'."""
    return [sys.executable, "-P", "-m", "SCons", "-Q", *arguments]


def cache_folder() -> Path:
    """Return the cache folder of this checkout's builds; in CI it is the checkout's own."""
    # tests/style.py uses this module without a path to the engine.
    from quard.project import places  # noqa: PLC0415

    return places.cache(TOP, os.environ, places.home(os.environ))


def build(folder: Path, *arguments: str, limit: float) -> None:
    """Run SCons in a project, with this checkout's cache, and require that it succeeds.

    arguments -- may name another cache
    limit     -- seconds
    """
    done = subprocess.run(
        scons(f"cache.dir={cache_folder()}", *arguments),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=limit,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def link(to: Path) -> None:
    """Make a project of links to the checkout's files, whose boards are its own."""
    (to / "configs").mkdir(parents=True)
    for name in ("SConstruct", "packages", "qemu", "rootfs", "site_scons"):
        (to / name).symlink_to(TOP / name)


def files() -> list[str]:
    """Return the paths of the checkout's files as they are now, without what git ignores."""
    command = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    try:
        listed = subprocess.run(command, cwd=TOP, check=True, capture_output=True, text=True).stdout
    except (FileNotFoundError, subprocess.CalledProcessError):
        return sorted(walk(TOP))  # unpacked from an archive, without git's folder
    names = filter(None, listed.split("\0"))
    return [name for name in names if (TOP / name).is_symlink() or (TOP / name).exists()]


def walk(top: Path) -> Iterator[str]:
    """Yield the paths of files that no line of .gitignore names."""
    lines = (top / ".gitignore").read_text(encoding="utf-8").split()
    # A line with a slash before it is a path from the top, any other one a name anywhere.
    ignored = [line.rstrip("/") for line in lines] + ["/.git"]
    for place, folders, names in os.walk(top):
        below = Path(place).relative_to(top)
        for found in (folders, names):
            for name in list(found):
                path = f"/{below / name}"
                if any(fnmatch(path if one.startswith("/") else name, one) for one in ignored):
                    found.remove(name)
        links = [name for name in folders if Path(place, name).is_symlink()]
        yield from (str(below / name) for name in (*names, *links))


def copy(to: Path) -> None:
    """Copy the checkout's files."""
    for name in files():
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        if (TOP / name).is_symlink():  # copy2 looks at what it leads to, which may be a pipe
            (to / name).symlink_to((TOP / name).readlink())
        else:
            shutil.copy2(TOP / name, to / name)
