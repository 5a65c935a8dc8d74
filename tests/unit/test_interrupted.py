"""Ctrl-C while tests are collected or run: pytest says so, and ends with its status."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest

from site_tools.quardroot import start

CONFTEST = Path(__file__).parents[1] / "conftest.py"


@pytest.fixture
def plugin(pytestconfig: pytest.Config) -> Any:
    """Return the module of tests/conftest.py as pytest has loaded it."""
    found = pytestconfig.pluginmanager.get_plugin(str(CONFTEST))
    assert found is not None
    return found


def test_a_signal_between_two_lines_can_be_shown(plugin: Any) -> None:
    frame, interrupt = sys._getframe(), KeyboardInterrupt()
    lost = TracebackType(None, frame, sys.maxsize >> 33, -1)
    interrupt.__traceback__ = TracebackType(lost, frame, frame.f_lasti, frame.f_lineno)
    assert lost.tb_lineno is None
    excinfo = pytest.ExceptionInfo.from_exception(interrupt)
    plugin.pytest_keyboard_interrupt(excinfo)
    shown = excinfo.getrepr()
    assert shown.reprcrash is not None
    assert shown.reprcrash.path == __file__


@pytest.mark.parametrize(
    "module",
    [
        "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n",
        "import os, signal\ndef main(_):\n    os.kill(os.getpid(), signal.SIGINT)\n",
    ],
    ids=["loaded", "begins"],
)
def test_before_pytest_answers_it_the_process_ends_without_a_word(
    tmp_path: Path, module: str
) -> None:
    (tmp_path / "pytest.py").write_text(module)
    ran = subprocess.run(
        [sys.executable, "-P", "-c", start.CHECKS],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (-signal.SIGINT, "", "")
