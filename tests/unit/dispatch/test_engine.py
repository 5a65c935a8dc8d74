"""The modules that an action gets: all that its program loads, and little else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from dispatch_parts import materialise

from quard.dispatch.engine import PROGRAM, TOP, engine, modules

SHOW = """\
import sys, {}
print(*(each.__file__ for name, each in sys.modules.items() if name.startswith("quard")))
"""


def test_the_program_loads_with_these_modules_alone(tmp_path: Path) -> None:
    materialise(engine(), tmp_path)
    done = subprocess.run(
        [sys.executable, "-P", "-S", "-s", "-B", "-c", SHOW.format(PROGRAM)],
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    loaded = done.stdout.split()
    assert loaded and all(path.startswith(str(tmp_path)) for path in loaded)


def test_modules_for_people_and_for_servers_are_left_out() -> None:
    names = {str(path.relative_to(TOP / "quard")) for path in modules(PROGRAM)}
    assert {"execute/builder.py", "parts/split.py", "__init__.py"} <= names
    rooms = {name.partition("/")[0] for name in names}
    assert not rooms & {"face", "image", "interactive", "machine", "project", "remote"}


def test_files_that_modules_read_are_there() -> None:
    assert "quard/execute/start/riscv64.c" in dict(engine().files())
