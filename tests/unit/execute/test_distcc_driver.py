"""Which compilations the driver offers to distcc: those that hosts do alike."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from quard.execute.distcc import Distcc
from quard.plan.plan import Plan
from quard.process.sandbox import Work

PLAN = Plan(name="thing", version="1", triple="riscv64-linux-gnu")


def offered(root: Path, words: str) -> bool:
    """Run the driver with programs that say which of them was started."""
    work = Work(root / "work")
    work.make()
    (work.tools / "lib").mkdir()
    distcc = Distcc(words=("echo", "offered"), shown=(), hosts=(), jobs=1, identity="tools")
    (root / "a-gcc").write_text("#!/bin/sh\necho here\n")
    (root / "a-gcc").chmod(0o755)
    text = distcc.script(work, PLAN, (str(root / "a-gcc"), "-fixed"))
    assert text is not None
    shell = ("sh", "-c", text, "driver", *words.split())
    done = subprocess.run(
        shell, env={"PATH": f"{work.tools}:/usr/bin:/bin"}, capture_output=True, check=True
    )
    assert (done.stdout.startswith(b"offered"), done.stdout == b"here\n") in (
        (True, False),
        (False, True),
    )
    return done.stdout != b"here\n"


def test_plain_c_is_offered(tmp_path: Path) -> None:
    assert offered(tmp_path, "-O2 -Wall -std=gnu11 -c value.c -o value.o")


@pytest.mark.parametrize(
    "words",
    ["-g", "-ggdb", "--debug", "@options", "-fsanitize=undefined", "-E", "-x assembler", "start.S"],
)
def test_what_a_host_would_do_otherwise_stays_here(tmp_path: Path, words: str) -> None:
    """distcc reads options from a file, which may have -g."""
    assert not offered(tmp_path, f"-O2 {words} -c value")
