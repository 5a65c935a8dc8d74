"""Packages that no shipped board has, on a board of the tests: their files, and that they work."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

import installed
from boot import small
from boot.guest import Guest
from boot.test_hardening import lacking
from quard.store import blob

pytestmark = [pytest.mark.boot, pytest.mark.share("python")]
BOARD = "further"
PACKAGES = "bzip2 expat file libffi python3 xz".split()
PROGRAMS = Path(__file__).with_name("programs")
"""What runs in the guest."""
MODULE = """\
#include <Python.h>
static PyObject *answer(PyObject *self, PyObject *ignored)
{
    return PyLong_FromLong(42);
}
static PyMethodDef methods[] = {{"answer", answer, METH_NOARGS, ""}, {0}};
static PyModuleDef own = {PyModuleDef_HEAD_INIT, "own", "", 0, methods};
PyMODINIT_FUNC PyInit_own(void)
{
    return PyModule_Create(&own);
}
"""


@pytest.fixture(scope="module")
def project(small_images: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small board with file and python3, in a checkout of its own; the store is the user's."""
    del small_images  # its build has made everything else
    folder = tmp_path_factory.mktemp("further")
    small.with_packages(folder, BOARD, ("file", "python3"))
    small.build(folder, BOARD)
    return folder


@pytest.fixture(scope="module")
def script(project: Path) -> Path:
    return project / "out" / BOARD / "images/run.sh"


@pytest.mark.parametrize("name", PACKAGES)
def test_the_package_installs_what_is_on_file(name: str, project: Path, update: bool) -> None:
    if changes := installed.changes(project, BOARD, name, __file__, update=update):
        pytest.fail(changes, pytrace=False)


def test_every_package_has_the_stack_protector_and_fortify(project: Path, tmp_path: Path) -> None:
    assert lacking(project / "out" / BOARD / "images", tmp_path) == {}


def test_file_tells_programs_from_text_by_its_compiled_rules(guest: Guest) -> None:
    guest.check("cp /bin/busybox /tmp/a && echo '#!/bin/sh' >/tmp/b && gzip -c /tmp/b >/tmp/z")
    assert guest.check("file --version").endswith("magic file from /usr/share/misc/magic")
    assert guest.check("echo /usr/share/misc/*") == "/usr/share/misc/magic.mgc"
    said = guest.check("file -b /tmp/a")
    assert "ELF 64-bit LSB" in said and "UCB RISC-V" in said
    assert guest.check("file -b /tmp/b") == "POSIX shell script, ASCII text executable"
    assert guest.check("file -b --mime-type /etc/passwd") == "text/plain"
    assert guest.check("file -bz /tmp/z").startswith(
        "POSIX shell script, ASCII text executable (gzip"
    )


@pytest.mark.parametrize("program", sorted(PROGRAMS.glob("*.py")), ids=lambda path: path.stem)
def test_python_runs(guest: Guest, program: Path) -> None:
    (guest.share / program.name).write_bytes(program.read_bytes())
    assert guest.check(f"python3 /mnt/{program.name}").splitlines()[-1:] == ["done"]


def test_python_starts_from_compiled_modules(guest: Guest) -> None:
    said = guest.check("python3 -v -c 'import asyncio, json, email.message, xml.dom' 2>&1", 120)
    assert re.search(r"code object from '\S+/json/__pycache__/decoder\.cpython-313\.pyc'", said)
    assert re.findall(r"# wrote .*|code object from '\S+\.py'|.* is stale.*", said) == []


def test_python_starts_in_seconds(guest: Guest) -> None:
    """With what nearly every program imports, on a machine that is busy with other things."""
    guest.check("timeout 15 python3 -c 'import argparse, json, logging, pathlib, subprocess'")


def test_a_module_in_c_is_built_with_what_dependants_see(
    guest: Guest, project: Path, tmp_path: Path
) -> None:
    units = project / "out" / BOARD / "units"
    part = installed.part(units, "python3", "dev", installed.stores(project))
    assert part
    blob.extract(part, tmp_path / "sysroot", part.name)
    (tmp_path / "own.c").write_text(MODULE)
    flags = subprocess.run(
        ("pkg-config", "--cflags", "python-3.13"),
        env={
            "PATH": os.environ["PATH"],
            "PKG_CONFIG_LIBDIR": f"{tmp_path}/sysroot/usr/lib/pkgconfig",
            "PKG_CONFIG_SYSROOT_DIR": f"{tmp_path}/sysroot",
        },
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    command = ("riscv64-linux-gnu-gcc", "-shared", "-fPIC", *flags, "own.c", "-o", "own.so")
    subprocess.run(command, cwd=tmp_path, check=True)
    (guest.share / "own.so").write_bytes((tmp_path / "own.so").read_bytes())
    assert guest.check("cd /mnt && python3 -c 'import own; print(own.answer())'") == "42"
