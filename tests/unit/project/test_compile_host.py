"""The compiler of a compile host: it is asked over the network, with any options."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from quard.project.compile_host import served


def ask(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Have the script compile a file."""
    script, compiler = folder / "served", shutil.which("gcc")
    assert compiler
    script.write_text(served(Path(compiler)))
    script.chmod(0o755)
    (folder / "value.i").write_text("int value;\n")
    command = (str(script), *words, "-c", "value.i", "-o", "value.o")
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_it_compiles(tmp_path: Path) -> None:
    done = ask(tmp_path, "-O2", "-fplt", "--param", "max-inline-insns-auto=3")
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "value.o").exists()


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("-wrapper", "/bin/sh,-c,touch started"), id="another program"),
        pytest.param(("@options",), id="options in a file"),
        pytest.param(("-B", "."), id="folder of programs"),
        pytest.param(("-B./",), id="folder of programs in one word"),
        pytest.param(("--prefix=./",), id="long option"),
        pytest.param(("-specs=own.specs",), id="specs"),
        pytest.param(("-specs", "own.specs"), id="specs in two words"),
        pytest.param(("--specs=own.specs",), id="specs as a long option"),
        pytest.param(("-fplugin=./own.so",), id="plugin"),
    ],
)
def test_no_option_starts_another_program(tmp_path: Path, words: tuple[str, ...]) -> None:
    """Each of these does with gcc itself, and the plugin fails for want of one."""
    (tmp_path / "as").write_text("#!/bin/sh\ntouch started\n")
    (tmp_path / "as").chmod(0o755)
    (tmp_path / "options").write_text("-wrapper /bin/sh,-c,touch\\ started")
    (tmp_path / "own.specs").write_text("*invoke_as:\n%{!S:-o %|.s |\n touch started }\n\n")
    done = ask(tmp_path, *words)
    assert done.returncode == 1
    assert "is refused" in done.stderr
    assert not (tmp_path / "started").exists()
