"""A small project in a temporary folder: our SConstruct and engine, packages of its own.

Sources are archives that the test makes, served from a folder; they are cross-compiled for real.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import checkout

CHECKOUT = Path(__file__).resolve().parents[2]
_LIMIT = 300

BOARD = """\
summary = "a board for tests"
target = "riscv64-linux-gnu"
machine = "virt"
packages = [{packages}]
{more}
[image]
formats = [{formats}]
"""

SYSTEM = """\
[[user]]
name = "root"
uid = 0
gid = "root"
home = "/root"
shell = "/bin/false"
gecos = ""
password = "*"
[[group]]
name = "root"
gid = 0
[[directory]]
path = "/root"
mode = "0700"
owner = "root"
group = "root"
"""

LIBRARY = """\
from quard.model import Install, Make, Source, Symlink
RECIPE = Make(
    summary="a library",
    version="{version}",
    sources=[Source("{url}", sha256="{sha256}", provenance="made by the test")],
    license="MIT",
    license_files=["COPYING"],
    variables=("CC={{cross}}gcc",),
    make=("lib{name}.so.1",),
    finish=(
        Install("lib{name}.so.1", "usr/lib/lib{name}.so.1", mode="0755"),
        Symlink("usr/lib/lib{name}.so", "lib{name}.so.1"),
        Install("{name}.h", "usr/include/{name}.h"),
    ),
    {more}
)
"""

PROGRAM = """\
from quard.model import Install, Make, Source
RECIPE = Make(
    summary="a program",
    version="{version}",
    sources=[Source("{url}", sha256="{sha256}", provenance="made by the test")],
    license="MIT",
    license_files=["COPYING"],
    variables=("CC={{cross}}gcc",),
    make=("{name}",),
    finish=(Install("{name}", "usr/bin/{name}", mode="0755"),),
    {more}
)
"""

LIBC = """\
from quard.model import ToolchainRuntime, Unhardened
RECIPE = ToolchainRuntime(
    summary="the C library",
    version="toolchain",
    license="LGPL-2.1-or-later",
    unhardened=(Unhardened("/usr/lib/*", lacks=("bind_now",), reason="as its makers link it"),),
    libraries=("libc.so.6",),
)
"""


@dataclass(frozen=True)
class Ran:
    """One run of SCons: exit status, what it printed, and its summary.json."""

    status: int
    out: str
    err: str
    summary: Mapping[str, Any]

    @property
    def built(self) -> list[str]:
        return [package["name"] for package in self.summary["built"]]

    @property
    def text(self) -> str:
        return self.out + self.err


def ok(ran: Ran) -> Ran:
    """Return a run, which has to be a success."""
    assert ran.status == 0, ran.text
    return ran


class Project:
    """A checkout of its own for one test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sources = folder.parent / "sources"
        self.cache = folder.parent / "cache"
        for name in ("packages/libc", "configs/system", "rootfs/etc", "rootfs/usr/bin", "qemu/run"):
            (folder / name).mkdir(parents=True)
        self.sources.mkdir()
        for name in ("SConstruct", "site_scons"):
            (folder / name).symlink_to(CHECKOUT / name)
        (folder / "configs/targets").symlink_to(CHECKOUT / "configs/targets")
        for path in (*(CHECKOUT / "qemu").glob("*.*"), *(CHECKOUT / "qemu/run").iterdir()):
            (folder / path.relative_to(CHECKOUT)).symlink_to(path)
        (folder / "rootfs/etc/motd").write_text("hello\n")
        (folder / "rootfs/usr/bin/false").touch(mode=0o755)
        (folder / "configs/system/base.toml").write_text(SYSTEM)
        (folder / "packages/libc/recipe.py").write_text(LIBC)
        self.board(["libc"])

    def own_engine(self) -> Path:
        """Replace the link to the checkout's engine by a copy, which may be changed."""
        engine = self.folder / "site_scons"
        real = engine.resolve()
        engine.unlink()
        shutil.copytree(real, engine, ignore=shutil.ignore_patterns("__pycache__"))
        return engine

    def board(
        self, packages: list[str], more: str = "", formats: str = "", name: str = "tiny"
    ) -> None:
        """Write configs/NAME.toml."""
        listed = ", ".join(f'"{package}"' for package in packages)
        text = BOARD.format(packages=listed, more=more, formats=formats)
        (self.folder / f"configs/{name}.toml").write_text(text)

    def archive(self, name: str, version: str, files: Mapping[str, str]) -> tuple[str, str]:
        """Make NAME-VERSION.tar.xz; return its address and its hash."""
        path = self.sources / f"{name}-{version}.tar.xz"
        with tarfile.open(path, "w:xz") as tar:
            for inner, text in sorted({"COPYING": "MIT\n", **files}.items()):
                info = tarfile.TarInfo(f"{name}-{version}/{inner}")
                info.size = len(text.encode())
                tar.addfile(info, io.BytesIO(text.encode()))
        return path.as_uri(), hashlib.sha256(path.read_bytes()).hexdigest()

    def library(
        self,
        name: str,
        code: str,
        header: str,
        *,
        version: str = "1",
        more: str = "",
        link: str = "",
        files: Mapping[str, str] | None = None,
    ) -> None:
        """Add or change a package with one shared library.

        link  -- further flags of the linker; a later one wins
        files -- further files of the source
        """
        makefile = (
            f"lib{name}.so.1: {name}.c {name}.h\n"
            f"\t$(CC) $(CFLAGS) -fPIC -shared -Wl,-soname,lib{name}.so.1 {link} -o $@ {name}.c\n"
        )
        own = {"Makefile": makefile, f"{name}.c": code, f"{name}.h": header}
        self.package(LIBRARY, name, version, {**own, **(files or {})}, more)

    def program(
        self, name: str, code: str, flags: str = "", *, version: str = "1", more: str = ""
    ) -> None:
        """Add or change a package with one program."""
        makefile = f"{name}: {name}.c\n\t$(CC) $(CFLAGS) -o $@ {name}.c {flags}\n"
        self.package(PROGRAM, name, version, {"Makefile": makefile, f"{name}.c": code}, more)

    def cached(self, file: str) -> list[Path]:
        """Return where the cache has fetched archives of a name, which may have wildcards."""
        return sorted((self.cache / "sources").glob(f"*/{file}"))

    def source(self, name: str, files: Mapping[str, str]) -> None:
        """Let a package of version 1 have other sources."""
        _, sha256 = self.archive(name, "1", files)
        old = self.recipe(name).read_text().split('sha256="')[1][:64]
        self.edit(f"packages/{name}/recipe.py", old, sha256)

    def other_machine(self) -> None:
        """Go on with the same checkout on a machine that has built nothing."""
        shutil.rmtree(self.folder / "out")
        self.cache = self.cache.with_name(self.cache.name + "-")

    def other_checkout(self) -> None:
        """Go on in a copy of the checkout, which has built nothing; the cache stays."""
        other = self.folder.with_name(f"{self.folder.name}-")
        without = shutil.ignore_patterns("out")
        self.folder = shutil.copytree(self.folder, other, symlinks=True, ignore=without)

    def why(self, name: str) -> list[str]:
        """Return why a build would make a package."""
        rows = json.loads(ok(self.run("why", "FORMAT=json")).out)["now"]["packages"]
        (found,) = [row["why"] for row in rows if row["name"] == name]
        assert isinstance(found, list)
        return found

    def recipe(self, name: str) -> Path:
        """Return the path of a package's recipe."""
        return self.folder / "packages" / name / "recipe.py"

    def in_shell(self, name: str, script: str, *arguments: str) -> str:
        """Run a script in a package's shell, which has to succeed; return what was printed."""
        done = subprocess.run(
            self.command(f"{name}-shell", *arguments),
            cwd=self.folder,
            input=script,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_LIMIT,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    def edit(self, path: str, old: str, new: str) -> None:
        """Replace a text that must be in a file of the project."""
        file = self.folder / path
        text = file.read_text()
        assert old in text, f"{old!r} is not in {path}"
        file.write_text(text.replace(old, new))

    def command(self, *arguments: str, board: str = "tiny") -> list[str]:
        """Return the command of a run with a cache of its own; an empty `board` names none."""
        boards = [f"BOARD={board}"] if board else []
        return checkout.scons(f"cache.dir={self.cache}", *boards, *arguments)

    def run(
        self, *arguments: str, env: Mapping[str, str] | None = None, board: str = "tiny"
    ) -> Ran:
        """Run SCons in the project, as `command` says."""
        done = subprocess.run(
            self.command(*arguments, board=board),
            cwd=self.folder,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_LIMIT,
            check=False,
        )
        path = self.folder / f"out/{board or 'tiny'}/summary.json"
        summary = json.loads(path.read_text()) if path.exists() else {}
        return Ran(done.returncode, done.stdout, done.stderr, summary)

    def image(self, name: str = "rootfs.tar") -> str:
        """Return the hash of one file of the images folder."""
        return hashlib.sha256((self.folder / "out/tiny/images" / name).read_bytes()).hexdigest()

    def package(
        self, template: str, name: str, version: str, files: Mapping[str, str], more: str = ""
    ) -> None:
        """Add or change a package.

        template -- its recipe, with {name}, {version}, {url}, {sha256} and {more}
        """
        url, sha256 = self.archive(name, version, files)
        folder = self.folder / "packages" / name
        folder.mkdir(parents=True, exist_ok=True)
        text = template.format(name=name, version=version, url=url, sha256=sha256, more=more)
        (folder / "recipe.py").write_text(text)
