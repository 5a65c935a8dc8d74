"""The plugin that counts guest instructions, in a QEMU that executes a known number of them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from bench.instructions import compile_plugin, count

ROUNDS = 100_000
PROGRAM = f"""\
    .globl _start
_start:
    li t0, {ROUNDS}
1:  addi t0, t0, -1
    bnez t0, 1b
    li t0, 0x100000
    li t1, 0x5555
    sw t1, 0(t0)
2:  j 2b
"""
"""Two instructions a round; then the virt machine's way to end QEMU."""
AROUND = 100
"""Instructions at most before and behind the rounds; QEMU's own start is among them."""


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_plugin(tmp_path_factory.mktemp("plugin"), "qemu-system-riscv64")


def execute(folder: Path, plugin: Path, arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "program.s").write_text(PROGRAM, encoding="ascii")
    link = ("-nostdlib", "-static", "-no-pie", "-Wl,-Ttext=0x80000000", "-Wl,--build-id=none")
    made = folder / "program"
    compiler = "riscv64-linux-gnu-gcc"
    subprocess.run((compiler, *link, str(folder / "program.s"), "-o", str(made)), check=True)
    machine = ("-machine", "virt", "-display", "none", "-serial", "none", "-monitor", "none")
    return subprocess.run(
        ("qemu-system-riscv64", *machine, "-bios", str(made), "-plugin", f"{plugin}{arguments}"),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_it_counts_every_instruction(tmp_path: Path, plugin: Path) -> None:
    out = tmp_path / "count"
    done = execute(tmp_path, plugin, f",out={out}")
    assert done.returncode == 0, done.stderr
    assert 2 * ROUNDS <= count(out) <= 2 * ROUNDS + AROUND


@pytest.mark.parametrize("arguments", ["", ",to=x", ",out=/nowhere/count"])
def test_without_a_place_for_the_number_qemu_does_not_start(
    tmp_path: Path, plugin: Path, arguments: str
) -> None:
    assert execute(tmp_path, plugin, arguments).returncode != 0
