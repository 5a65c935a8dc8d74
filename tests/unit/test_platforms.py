"""tests/platforms/run: what it refuses before it installs anything, and its newcomer."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from platforms import newcomer
from quard.ledger.summary import Built, Summary

TOP = Path(__file__).resolve().parents[2]
RUN = TOP / "tests/platforms/run"
TOOLS = ("cat", "chmod", "dirname", "git", "head", "ls", "mkdir", "mktemp", "rm", "sed", "sh", "tr")
STUBS = {
    "id": "echo 0",
    "debootstrap": 'echo "it cannot: $*"; exit 1',
    "apt-get": "echo 'Debian http://mirror.example/debian/'",
    # What is started in mounts of its own: debootstrap, and then the shell that enters the system.
    "unshare": 'while [ "$1" != debootstrap ]; do shift || exit 99; done; exec "$@"',
    **dict.fromkeys(("mount", "pivot_root", "python3", "umount"), "exit 99"),
}


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A PATH of its own: real tools, and stand-ins for what would change the machine."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in (*TOOLS, "date", "tail"):
        (folder / name).symlink_to(shutil.which(name) or pytest.fail(name))
    for name, text in STUBS.items():
        stub(folder, name, text)
    return folder


def stub(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


def refused(tools: Path, *words: str) -> str:
    """Run it; return the block that it must end with."""
    env = {"PATH": str(tools), "TMPDIR": str(tools.parent), "HOME": str(tools.parent)}
    done = subprocess.run(
        (RUN, *words), env=env, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2, done.stdout + done.stderr
    _, found, block = done.stderr.rpartition("error: ")
    assert found and "\nreason: " in block and "\nhint: " in block, done.stderr
    return block


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "a release is missing"),
        (("--fast", "trixie"), "there is no option --fast"),
        (("trixie", "folder", "more"), "there is an argument too many: more"),
        (("../etc",), "not a release: ../etc"),
        (("--limit=soon", "trixie"), "--limit takes a number of seconds, not soon"),
        (("--tools=mine", "trixie"), "--tools takes auto, pinned or machine, not mine"),
        (("--store=nowhere", "trixie"), "the store is not a folder"),
    ],
)
def test_what_is_typed_wrong_is_said(tools: Path, words: tuple[str, ...], told: str) -> None:
    assert refused(tools, *words).startswith(f"{told}\n")


def test_only_root_can(tools: Path) -> None:
    stub(tools, "id", "echo 1000")
    assert "as root" in refused(tools, "trixie")


@pytest.mark.parametrize("name", ["debootstrap", "unshare", "git"])
def test_a_missing_tool_is_named(tools: Path, name: str) -> None:
    (tools / name).unlink()
    assert refused(tools, "trixie").startswith(f"the command {name} is missing\n")


def test_a_folder_with_something_in_it_is_left_alone(tools: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/file").touch()
    assert refused(tools, "trixie", str(tmp_path / "mine")).startswith("the folder is not empty\n")
    assert (tmp_path / "mine/file").exists()


def test_a_mirror_that_nobody_knows_is_asked_for(tools: Path) -> None:
    stub(tools, "apt-get", "exit 100")
    assert "--mirror=URL" in refused(tools, "trixie")


def test_a_failed_installation_is_shown_and_leaves_nothing(tools: Path, tmp_path: Path) -> None:
    before = set(tmp_path.iterdir())
    block = refused(tools, "trixie")
    assert block.startswith("debootstrap failed\n")
    assert "http://mirror.example/debian" in block and "git,python3" in block
    assert {path for path in tmp_path.iterdir() if path.is_dir()} == before


def test_an_ended_installation_is_not_waited_for_and_leaves_nothing(
    tools: Path, tmp_path: Path
) -> None:
    stub(tools, "debootstrap", f"echo begun >{tmp_path}/begun; exec {shutil.which('sleep')} 300")
    before = set(tmp_path.iterdir())
    env = {"PATH": str(tools), "TMPDIR": str(tmp_path), "HOME": str(tmp_path)}
    with subprocess.Popen((RUN, "trixie"), env=env, stderr=subprocess.DEVNULL) as running:
        while not (tmp_path / "begun").exists():
            assert running.poll() is None
            time.sleep(0.01)
        running.terminate()
        assert running.wait(60) == 143
    assert set(tmp_path.iterdir()) - before == {tmp_path / "begun"}


@pytest.mark.parametrize("given", [True, False])
def test_an_ordinary_user_of_the_system_can_reach_its_programs(
    tools: Path, tmp_path: Path, *, given: bool
) -> None:
    stub(tools, "debootstrap", 'ls -ld "$4"; exit 1')
    before = os.umask(0o077)
    try:
        block = refused(tools, "trixie", *[str(tmp_path / "new")] * given)
    finally:
        os.umask(before)
    assert "\n  drwxr-xr-x " in block


def test_a_system_that_is_not_debian_needs_venv_installed_and_no_sudo(tools: Path) -> None:
    assert "git,python3,python3-venv trixie" in refused(tools, "--foreign", "trixie")
    assert "git,python3,sudo trixie" in refused(tools, "--sudo", "trixie")


def terminal(script: str) -> newcomer.Terminal:
    """Start a shell script as the newcomer starts ./scons run."""
    return newcomer.start(["sh", "-c", script], Path("/"), time.monotonic() + 60)


def test_the_newcomer_types_and_reads_until_the_end() -> None:
    here = terminal("stty size; printf 'login: '; read -r name; echo \"hello $name\"; exit 3")
    assert "24 80" in here.wait_for("login: ")
    here.type("root")
    here.wait_for("^hello root")
    assert here.wait_for_end() == 3


def test_what_was_waited_for_is_not_found_twice() -> None:
    here = terminal("echo once")
    here.wait_for("once")
    with pytest.raises(newcomer.Failed, match="ended with status 0 before 'once' came"):
        here.wait_for("once")


def test_a_program_that_hangs_is_given_up() -> None:
    here = terminal("echo begun; exec sleep 60")
    here.wait_for("begun")
    here.deadline = time.monotonic()
    with pytest.raises(newcomer.Failed, match="time is up"):
        here.wait_for_end()
    os.kill(here.pid, signal.SIGKILL)
    os.waitpid(here.pid, 0)


ADOPTS = """\
import ctypes, sys, time
from pathlib import Path
from platforms import newcomer
assert ctypes.CDLL(None).prctl(36, 1, 0, 0, 0) == 0  # PR_SET_CHILD_SUBREAPER
here = newcomer.start(["sh", "-c", sys.argv[1]], Path("/"), time.monotonic() + 60)
here.wait_for("^done")
while here.cpu_seconds() < 0.1:
    time.sleep(0.05)
here.type("end")
assert here.wait_for_end() == 0
"""


@pytest.mark.parametrize("begin", ["(busy); echo done", "(busy && echo done &)"])
def test_processor_time_of_programs_that_ended_is_counted(begin: str) -> None:
    """Also of one that has lost its parent, in a process that adopts it as a first process does."""
    busy = "busy() { i=0; while [ $i -lt 300000 ]; do i=$((i + 1)); done; }"
    command = (sys.executable, "-c", ADOPTS, f"{busy}; {begin}; read -r end")
    subprocess.run(command, env={"PYTHONPATH": str(TOP / "tests")}, check=True, timeout=90)


@pytest.mark.parametrize("idle", [None, 0.031])
def test_a_build_that_reaches_the_prompt_is_used_and_switched_off(idle: float | None) -> None:
    summary = Summary("b")
    summary.add_built(Built("linux", 299.0, ()))
    here = terminal(
        "echo 'bootstrap: ready after 9 s'; printf 'linux: build 5 s\\r\\033[K'\n"
        f"echo '{summary.line(300.1, idle=idle)}'; printf '\\r\\nThing\\n\\rb login: '\n"
        "read -r user; prompt='root@quard-star:~# '\n"
        "for answer in ok 256 '42 of riscv64'; do\n"
        '    printf "%s" "$prompt"; read -r line; echo "$answer"\n'
        "done\n"
        'printf "%s" "$prompt"; read -r line; echo "$line"'
    )
    reached = [what for what, _ in newcomer.use(here, "b")]
    assert re.fullmatch("everything is built, with [0-9]+ CPU-s", reached[1])
    assert reached[-2:] == ["the login prompt is there", "powered off"]
    assert here.text.rstrip().endswith("poweroff")
