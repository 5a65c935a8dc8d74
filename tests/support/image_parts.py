"""Small blobs, tables and specs for the tests of images."""

from __future__ import annotations

import dataclasses
import io
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import plan_parts

from quard.boards.targets import target
from quard.image.layers import Layer
from quard.image.rootfs import RootfsJob
from quard.image.system import System, load
from quard.target import Target

RISCV: Target = target("riscv64-linux-gnu")
BASE = """\
[[user]]
name = "root"
uid = 0
gid = "root"
home = "/root"
shell = "/bin/sh"
[[user]]
name = "daemon"
uid = 1
gid = "daemon"
[[group]]
name = "root"
gid = 0
[[group]]
name = "daemon"
gid = 1
[[group]]
name = "audio"
gid = 29
members = ["daemon"]
[[directory]]
path = "/root"
mode = "0700"
[[directory]]
path = "/tmp"
mode = "1777"
[[device]]
path = "/dev/console"
type = "c"
major = 5
minor = 1
mode = "0600"
"""
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f me@here"
SHELL: dict[str, Any] = {"usr/bin/sh": (b"a shell\n", 0o755), "usr/bin/false": "sh"}
"""What every image needs for its accounts' shells."""


def blob(path: Path, entries: Mapping[str, Any]) -> Path:
    """Write a tar; bytes or (bytes, mode) is a file, text a link, an int a folder's mode.

    ("hard", name) is a hard link to an earlier file.
    """
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        for name, value in sorted(entries.items()):
            info = tarfile.TarInfo(name)
            info.mtime, data = 1, b""
            if isinstance(value, int):
                info.type, info.mode = tarfile.DIRTYPE, value
            elif isinstance(value, str):
                info.type, info.mode, info.linkname = tarfile.SYMTYPE, 0o777, value
            elif isinstance(value, tuple) and value[0] == "hard":
                info.type, info.linkname = tarfile.LNKTYPE, value[1]
            else:
                data, info.mode = value if isinstance(value, tuple) else (value, 0o644)
                info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def system(folder: Path, text: str = BASE) -> System:
    """Return the system of a table's text."""
    path = folder / "configs" / "system" / "test.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return load(path)


def spec(folder: Path, packages: Mapping[str, Mapping[str, Any]], **changes: Any) -> RootfsJob:
    """Return a root file system with a shell and the given packages' files."""
    layers = tuple(
        Layer(name, blob(folder / f"{name}.tar", entries))
        for name, entries in {"shell": SHELL, **packages}.items()
    )
    plan = plan_parts.rootfs(system="", release=(("ID", "quardroot"), ("NAME", "Quardroot")))
    whole = RootfsJob(plan=plan, layers=layers, overlays=(), system=system(folder), target=RISCV)
    return changed(whole, **changes)


def changed(job: RootfsJob, **changes: Any) -> RootfsJob:
    """Return a job with other fields, of its own or of its plan."""
    own = {field.name for field in dataclasses.fields(RootfsJob)}
    plan = {name: value for name, value in changes.items() if name not in own}
    mine = {name: value for name, value in changes.items() if name in own}
    return dataclasses.replace(job, plan=dataclasses.replace(job.plan, **plan), **mine)


def compile_c(folder: Path, name: str, source: str, *options: str) -> bytes:
    """Return what the cross compiler makes of a C source."""
    (folder / f"{name}.c").write_text(source, encoding="ascii")
    argv = ["riscv64-linux-gnu-gcc", "-o", str(folder / name), str(folder / f"{name}.c"), *options]
    subprocess.run(argv, check=True)
    return (folder / name).read_bytes()


DAMAGE = ("truncated", "changed", "emptied", "removed")
"""What can happen to a file that is kept for the next image."""


def damage(path: Path, how: str) -> None:
    """Damage a file in one of these ways; any other word leaves it as it is."""
    data = path.read_bytes()
    match how:
        case "truncated":
            path.write_bytes(data[:-5])
        case "changed":
            path.write_bytes(data[:60] + bytes((data[60] ^ 1,)) + data[61:])
        case "emptied":
            path.write_bytes(b"")
        case "removed":
            path.unlink()
