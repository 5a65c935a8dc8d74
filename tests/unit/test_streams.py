"""Standard output and error that are lost while something is printed."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
PRINTS = """
import sys
sys.path.insert(0, sys.argv[1])
from site_tools.quardroot.streams import harden
harden()
print("first", flush=True)
sys.stdin.readline()
for number in range(1000):
    print("lost", number)
    sys.stderr.write("lost as well\\n")
sys.stdout.flush()
sys.__stdout__.write("what was there before")
open(sys.argv[2], "w").write("came to its end")
"""


def printing(output: int, end: Path) -> subprocess.Popen[bytes]:
    command = (sys.executable, "-c", PRINTS, str(TOP / "site_scons"), str(end))
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=output, stderr=output)


def comes_to_its_end(process: subprocess.Popen[bytes], end: Path) -> None:
    _, errors = process.communicate(b"\n", 30)
    assert process.returncode == 0, errors
    assert end.read_text() == "came to its end"


def test_a_pipe_that_nobody_reads_any_more_ends_nothing(tmp_path: Path) -> None:
    read, write = os.pipe()
    process = printing(write, tmp_path / "end")
    os.close(write)
    assert os.read(read, 100) == b"first\n"
    os.close(read)
    comes_to_its_end(process, tmp_path / "end")


def test_scons_proxy_of_a_pipe_that_nobody_reads_is_patient_too(tmp_path: Path) -> None:
    text = PRINTS.replace(
        "harden()\n",
        "import SCons.Util\nsys.stdout = SCons.Util.Unbuffered(sys.stdout)\nharden()\n",
    )
    read, write = os.pipe()
    command = (sys.executable, "-c", text, str(TOP / "site_scons"), str(tmp_path / "end"))
    env = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=write, stderr=subprocess.PIPE, env=env
    )
    os.close(write)
    assert os.read(read, 100).startswith(b"first")  # the end of the line is written by itself
    os.close(read)
    comes_to_its_end(process, tmp_path / "end")


def test_a_terminal_that_is_gone_ends_nothing(tmp_path: Path) -> None:
    master, slave = pty.openpty()
    process = printing(slave, tmp_path / "end")
    os.close(slave)
    assert os.read(master, 100) == b"first\r\n"
    os.close(master)
    comes_to_its_end(process, tmp_path / "end")


def test_a_full_disk_under_a_log_ends_nothing(tmp_path: Path) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    process = printing(full, tmp_path / "end")
    os.close(full)
    comes_to_its_end(process, tmp_path / "end")


@pytest.mark.parametrize("size", [1, 200_000])
def test_what_is_printed_arrives_also_where_writing_does_not_block(
    tmp_path: Path, size: int
) -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]);"
        "from site_tools.quardroot.streams import harden; harden();"
        "print('x' * int(sys.argv[2])); print('err', file=sys.stderr)"
    )
    read, write = os.pipe()
    os.set_blocking(write, False)
    with (tmp_path / "errors").open("wb") as errors:
        command = (sys.executable, "-c", code, str(TOP / "site_scons"), str(size))
        process = subprocess.Popen(command, stdout=write, stderr=errors)
    os.close(write)
    with os.fdopen(read, "rb") as reader:
        assert reader.read() == b"x" * size + b"\n"
    assert process.wait(30) == 0
    assert (tmp_path / "errors").read_text() == "err\n"


def test_a_line_is_out_at_once_where_python_buffers_nothing(tmp_path: Path) -> None:
    """The process may turn into another one, which writes no buffer of this one."""
    read, write = os.pipe()
    text = PRINTS.replace('"first", flush=True', '"first"')
    process = subprocess.Popen(
        (sys.executable, "-u", "-c", text, str(TOP / "site_scons"), str(tmp_path / "end")),
        stdin=subprocess.PIPE,
        stdout=write,
        stderr=write,
    )
    os.close(write)
    assert select.select((read,), (), (), 30)[0], "nothing was written"
    assert os.read(read, 100).startswith(b"first")
    os.close(read)
    process.communicate(b"\n", 30)
    assert process.returncode == 0
