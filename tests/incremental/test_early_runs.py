"""Runs that end before SCons is loaded differ in nothing from those of SCons."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

import checkout
from incremental.project import PROGRAM, Project, Ran

FILES = {
    "main.c": "int main(void) { return 0; }\n",
    "Makefile": "hello: main.c\n\t$(CC) -o $@ $^\n",
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = Project(tmp_path_factory.mktemp("early"))
    project.package(PROGRAM, "hello", "1", FILES, "")
    project.board(["hello", "libc"])
    assert project.run().status == 0
    return project


def plainly(project: Project, *words: str) -> Ran:
    """Run all of it in SCons."""
    command = project.command(*words)
    after = command[command.index("-Q") + 1 :]
    done = subprocess.run(
        checkout.plain_scons(*after),
        cwd=project.folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    path = project.folder / "out/tiny/summary.json"
    return Ran(done.returncode, done.stdout, done.stderr, json.loads(path.read_text()))


def facts(ran: Ran) -> tuple[Any, ...]:
    """Return what a run has said and recorded, except for how long it took."""
    summary = {name: value for name, value in ran.summary.items() if name != "seconds"}
    return ran.status, ran.out, ran.err, summary


@pytest.mark.parametrize(
    "words",
    [
        (), ("hello",), ("images", "-j1"), ("-s",), ("list",), ("info", "hello"), ("why",),
        ("list", "FORMAT=json"), ("boards",), ("nonsense",), ("run", "list"), ("NONSENSE=1",),
        ("sources.nonsense=1",), ("info", "nonsense"), ("FORMAT=xml",), ("hello-menuconfig",),
    ],
    ids=" ".join,
)  # fmt: skip
def test_a_run_says_and_records_what_it_would_in_scons(
    built: Project, words: tuple[str, ...]
) -> None:
    before = {path: path.stat().st_mtime_ns for path in (built.folder / "out").rglob("*.json")}
    early = built.run(*words)
    assert facts(early) == facts(plainly(built, *words))
    after = {path: path.stat().st_mtime_ns for path in (built.folder / "out").rglob("*.json")}
    assert {path.name for path in before if before[path] != after[path]} <= {"summary.json"}


def test_a_changed_sconstruct_runs_also_with_nothing_to_do(built: Project) -> None:
    path = built.folder / "SConstruct"
    text = path.read_text()
    path.unlink()
    path.write_text(text + "print('of the user')\n")
    ran = built.run()
    path.write_text(text)
    assert ran.status == 0 and "of the user\n" in ran.out
    assert "of the user" not in built.run().out


def test_an_image_that_is_gone_is_made_again(built: Project) -> None:
    image = built.folder / "out/tiny/images/rootfs.tar"
    content = image.read_bytes()
    image.unlink()
    ran = built.run()
    assert ran.summary["images"] == ["rootfs.tar"] and image.read_bytes() == content


def test_ctrl_c_while_scons_is_loaded_leaves_no_lock(built: Project, tmp_path: Path) -> None:
    """The run has been begun, and has the lock of the tree by then."""
    (tmp_path / "SCons").mkdir()
    (tmp_path / "SCons/__init__.py").write_text(
        "import os, signal, threading\n"
        "held = os.path.getsize('out/lock')\n"
        "print('lock', held > 0, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGINT)\n"
        "threading.Event().wait(60)\n"
    )
    (built.folder / "out/tiny/images/rootfs.tar").unlink()
    done = subprocess.run(
        built.command(),
        cwd=built.folder,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "lock True\n", "")
    assert (built.folder / "out/lock").read_bytes() == b""
    assert built.run().summary["images"] == ["rootfs.tar"]
