"""Processor time is counted for all that a command starts, also where it loses its parent."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench import accounting, running

WORK = "import time\nwhile time.process_time() < 0.6: pass"
ORPHAN = f"""\
import os, sys, time
read, write = os.pipe()
if not os.fork():
    if not os.fork():
        os.setsid()
        os.close(read)
        exec({WORK!r})
        os._exit(0)
    os._exit(0)  # without waiting: the worker has lost its parent
os.wait()
os.close(write)
os.read(read, 1)  # until the worker has ended
"""
"""A command whose work is done by a process that nobody in it waits for."""


def groups() -> set[str]:
    # Others make and remove groups meanwhile, which os.walk passes over.
    found = (name for _, folders, _ in os.walk("/sys/fs/cgroup") for name in folders)
    return {name for name in found if name.startswith("quardroot-bench-")}


@pytest.mark.parametrize("group", [True, False])
def test_a_process_that_lost_its_parent_is_counted(group: bool) -> None:
    with accounting.opened(group=group) as account:
        words = account.command([sys.executable, "-I", "-c", ORPHAN])
        process = subprocess.Popen(words)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        waited = used.ru_utime + used.ru_stime
        cpu = account.close(waited)
        assert process.returncode == 0
        assert account.how in (("cgroup", "wait4") if group else ("wait4",))
    assert waited < 0.5 < cpu < 1.5
    assert f"quardroot-bench-{os.getpid()}" not in groups()


def adopts() -> bool:
    """Return whether this process adopts what loses its parent (PR_GET_CHILD_SUBREAPER)."""
    found = ctypes.c_int(-1)
    assert ctypes.CDLL(None).prctl(37, ctypes.byref(found), 0, 0, 0) == 0
    return bool(found.value)


def test_nothing_is_adopted_after_the_count() -> None:
    """Other tests would see as zombies what init waits for."""
    with accounting.opened(group=False):
        assert adopts()
    assert not adopts()


def test_children_from_before_are_left_alone() -> None:
    with subprocess.Popen(("sleep", "60")) as other:
        with accounting.opened(group=False) as account:
            account.close(0.0)
        assert other.poll() is None
        other.kill()


def test_a_run_counts_it_and_ends_with_the_status_of_a_failure(tmp_path: Path) -> None:
    cost = running.run((sys.executable, "-I", "-c", ORPHAN), tmp_path)
    assert 0.5 < cost.cpu < 1.5
    with pytest.raises(SystemExit, match="status 3"):
        running.run(("sh", "-c", "exit 3"), tmp_path)
    assert f"quardroot-bench-{os.getpid()}" not in groups()


def test_what_outlives_its_command_is_ended(tmp_path: Path) -> None:
    with accounting.opened() as account:
        if account.how != "cgroup":
            pytest.skip("no control group can be made here")
        kept = tmp_path / "pid"
        words = account.command(["sh", "-c", f"sleep 60 & echo $! >{kept}"])
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
        pid = int(kept.read_text())
        assert Path(f"/proc/{pid}").exists()
    state = Path(f"/proc/{pid}/stat")
    assert not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z"
