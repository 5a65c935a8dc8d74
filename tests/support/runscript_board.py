"""run.sh as a user meets it: beside images, with a QEMU that writes down its arguments."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from quard.machine.machine import load
from quard.machine.runscript import script, template

TOP = Path(__file__).resolve().parents[2]
MACHINE = load(TOP / "qemu" / "virt.toml")
TEMPLATE = template(TOP / "qemu" / "run")
FORMATS = ("ext4", "squashfs", "cpio.gz")
TEXT = script(MACHINE, TEMPLATE, board="quard-star", data="data.ext4", formats=FORMATS)
BINARY = "qemu-system-riscv64"
FAKE_QEMU = """#!/bin/sh
printf '%s\\0' "$@" >"$QEMU_ARGUMENTS"
"""
NOBODY = 65534 if os.geteuid() == 0 else None
"""A user who may not write everywhere: root runs the script as this one, others as themselves."""


@dataclass
class Board:
    """An out/BOARD folder with images that only have to exist."""

    folder: Path
    tools: Path

    @property
    def images(self) -> Path:
        return self.folder / "images"

    @property
    def home(self) -> Path:
        """What the script takes for the user's folder of state."""
        return self.folder.parent / "state"

    @property
    def data(self) -> Path:
        """The guest's data disk; there is one."""
        [disk] = self.home.glob("quardroot/*/data.ext4")
        return disk

    @property
    def disk(self) -> Path:
        return self.folder / "run" / "rootfs.ext4"

    def start(
        self,
        *arguments: str,
        shell: str = "sh",
        user: int | None = None,
        environment: dict[str, str] | None = None,
    ) -> Outcome:
        record = self.folder / "arguments"
        record.unlink(missing_ok=True)
        done = subprocess.run(
            [*shell.split(), str(self.images / "run.sh"), *arguments],
            env={
                "PATH": f"{self.tools}:{os.environ['PATH']}",
                "QEMU_ARGUMENTS": str(record),
                "XDG_STATE_HOME": str(self.home),
                **(environment or {}),
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
            user=user,
            group=user,
            extra_groups=None if user is None else [],
        )
        argv = record.read_text(encoding="utf-8").split("\0")[:-1] if record.exists() else []
        return Outcome(done.returncode, done.stdout, done.stderr, argv)


@dataclass(frozen=True)
class Outcome:
    status: int
    output: str
    errors: str
    argv: list[str]

    def values(self, option: str) -> list[str]:
        return [
            value for name, value in zip(self.argv, self.argv[1:], strict=False) if name == option
        ]

    def value(self, option: str) -> str:
        assert self.status == 0, self.errors
        [value] = self.values(option)
        return value

    def rejected(self, reason: str) -> str:
        """The block, which is all that there is: QEMU did not start."""
        assert (self.status, self.output, self.argv) == (2, "", [])
        assert re.fullmatch(rf"error: .+\n(  .+\n)+reason: {reason}\nhint: .+\n", self.errors)
        return self.errors


@contextmanager
def new_board() -> Iterator[Board]:
    """In a place that other users reach, and whose name a shell or QEMU could stumble over."""
    with tempfile.TemporaryDirectory(prefix="a 'board', ") as name:
        top = Path(name)
        top.chmod(0o755)
        tools = top / "tools"
        tools.mkdir()
        (tools / BINARY).write_text(FAKE_QEMU, encoding="utf-8")
        (tools / BINARY).chmod(0o755)
        images = top / "out" / "images"
        images.mkdir(parents=True)
        for file in ("Image", "fw_dynamic.bin", "rootfs.squashfs", "rootfs.cpio.gz"):
            (images / file).write_bytes(b"\0" * 4096)
        (images / "rootfs.ext4").write_bytes(b"first" + bytes(1 << 20))
        (images / "data.ext4").write_bytes(b"empty" + bytes(1 << 20))
        (images / "run.sh").write_text(TEXT, encoding="utf-8")
        (images / "run.sh").chmod(0o755)
        yield Board(top / "out", tools)
