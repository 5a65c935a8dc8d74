"""Start scripts of pinned programs: written, run, replaced and removed."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from stamps import written

from quard.machine.launcher import Program, gdb, qemu, update


def run(script: Path, *arguments: str, path: str = os.defpath) -> str:
    argv = (str(script), *arguments)
    done = subprocess.run(argv, env={"PATH": path}, capture_output=True, text=True, check=True)
    return done.stdout


def test_script_starts_the_program_with_its_options_first(tmp_path: Path) -> None:
    folder = tmp_path / "a folder"
    shows = tmp_path / "shows"
    shows.write_text('#!/bin/sh\nprintf "%s\\n" "$X" "$@"\n')
    shows.chmod(0o755)
    words = ("/bin/sh", str(shows))
    update(folder, "echo", Program(words=words, options=("-L", "b c"), env={"X": "it's"}))
    assert run(folder / "echo", "it's", "") == "it's\n-L\nb c\nit's\n\n"


def test_script_stays_untouched_if_nothing_changed(tmp_path: Path) -> None:
    update(tmp_path, "echo", Program(words=("/bin/echo",)))
    before = written(tmp_path / "echo")
    update(tmp_path, "echo", Program(words=("/bin/echo",)))
    assert written(tmp_path / "echo") == before
    update(tmp_path, "echo", Program(words=("/bin/echo",), options=("new",)))
    assert run(tmp_path / "echo") == "new\n"


def test_machines_own_program_is_started_if_the_cache_was_emptied(tmp_path: Path) -> None:
    own = tmp_path / "bin" / "emulator"
    own.parent.mkdir()
    own.write_text('#!/bin/sh\necho own "$@"\n')
    own.chmod(0o755)
    update(tmp_path, "emulator", Program(words=(str(tmp_path / "gone"), "x"), options=("-L", "y")))
    assert run(tmp_path / "emulator", "z", path=f"{own.parent}:{os.defpath}") == "own z\n"


def test_program_that_is_nowhere_is_one_error(tmp_path: Path) -> None:
    """The loader may be there although somebody has removed the program."""
    for words in (("/bin/sh", str(tmp_path / "gone")), (str(tmp_path / "gone"), "/bin/sh")):
        update(tmp_path, "emulator", Program(words=words))
        done = subprocess.run(
            (str(tmp_path / "emulator"),),
            env={"PATH": os.defpath},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == (
            "error: emulator is missing\n"
            "  it is neither in the cache of the pinned tools nor on PATH\n"
            "reason: tool-missing\n"
            "hint: ./scons run fetches it again\n"
        )


def test_script_goes_when_the_program_is_not_pinned_any_more(tmp_path: Path) -> None:
    update(tmp_path, "echo", Program(words=("/bin/echo",)))
    update(tmp_path, "echo", Program(words=()))
    assert not (tmp_path / "echo").exists()
    update(tmp_path, "echo", Program(words=()))


def test_qemu_has_its_firmware_and_modules_from_its_own_root() -> None:
    found = qemu(("/root/usr/lib64/ld.so", "/root/usr/bin/qemu-system-riscv64"))
    assert found.options == (
        *("-L", "/root/usr/share/qemu"),
        *("-L", "/root/usr/share/seabios"),
        *("-L", "/root/usr/lib/ipxe/qemu"),
    )
    assert found.env == {"QEMU_MODULE_DIR": "/root/usr/lib/qemu"}
    assert qemu(()) == Program(words=())


def test_gdb_has_its_data_and_python_from_its_own_root() -> None:
    found = gdb(("/root/usr/lib64/ld.so", "/root/usr/bin/gdb-multiarch"))
    assert found.options == ("--data-directory=/root/usr/share/gdb",)
    assert found.env == {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONHOME": "/root/usr"}
    assert gdb(()) == Program(words=())
