"""Staging folders as the cross compiler fills them, and the parts they are split into."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

from quard.base.errors import QuardError, together
from quard.boards.targets import target
from quard.parts.relocate import BuildOrigin
from quard.parts.split import Parts, split
from quard.parts.strip import Toolkit

CROSS = "riscv64-linux-gnu-"
TOOLS = Toolkit(
    objcopy=(f"{CROSS}objcopy",),
    strip=(f"{CROSS}strip",),
    ranlib=(f"{CROSS}ranlib",),
    abi=target("riscv64-linux-gnu").elf,
)
SOURCE = "static int own = 3; int f(int x) { return own++ * x; }"
MARKERS = tuple(f"/quard/{name}" for name in ("files", "home", "src", "stage", "sysroot"))


def write(path: Path, text: str = "x", mode: int = 0o644) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def link(path: Path, target: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)


def compiled(path: Path, *options: str, source: str = SOURCE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    argv = [
        f"{CROSS}gcc",
        "-O1",
        "-g",
        f"-ffile-prefix-map={path.parent}=/src",
        *options,
        "-xc",
        "-",
    ]
    subprocess.run([*argv, "-o", path], input=source.encode(), cwd=path.parent, check=True)
    return path


def library(path: Path, soname: str, *options: str) -> Path:
    return compiled(path, "-shared", "-fPIC", f"-Wl,-soname,{soname}", *options)


def program(path: Path, *options: str) -> Path:
    return compiled(path, *options, source="int main(void) { return 0; }")


def archive(path: Path, *options: str) -> Path:
    member = compiled(path.parent / "member.o", "-c", *options)
    subprocess.run([f"{CROSS}ar", "rcSU", path, member], check=True)
    member.unlink()
    return path


def parts_of(
    stage: Path,
    *,
    drop: tuple[str, ...] = (),
    named: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
) -> Parts:
    """Split a folder; raise what is wrong with it."""
    parts = split(
        stage,
        debug=stage.parent / "debug",
        tools=TOOLS,
        drop=drop,
        named=named,
        markers=MARKERS,
        debug_markers=("/quard/src",),
        origin=BuildOrigin("/quard", "thing-1.0"),
    )
    if parts.wrong:
        raise together("the package", parts.wrong)
    return parts


def refused(call: Callable[[], object]) -> QuardError:
    with pytest.raises(QuardError) as caught:
        call()
    return caught.value
