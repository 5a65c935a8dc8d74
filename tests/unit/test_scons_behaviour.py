"""The private points of SCons that test_scons_points.py lists do what the tool relies on.

The facts come from real runs of SCons, and from SCons' own objects.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

import checkout
from site_tools.quardroot.action import KeyedAction
from site_tools.quardroot.late import Late
from site_tools.quardroot.signed import SignedFile, sign


def real(module: str) -> Any:
    """Return a module of SCons with all that it has: typings/ declares what the tool uses."""
    return importlib.import_module(f"SCons.{module}")


SCONSTRUCT = """
import json, optparse, os, signal, sys
import SCons.Node.FS, SCons.SConsign, SCons.Script.Main, SCons.Taskmaster.Job, SCons.Util

parser = SCons.Script.Main.OptionsParser
told = {
    "parser": isinstance(parser, optparse.OptionParser),
    "left over": list(parser.largs),
    "known": [parser.has_option("--silent"), parser.has_option("--bilent")],
    "--silent is long": "--silent" in parser._long_opt,
    "proxies": [isinstance(s, SCons.Util.Unbuffered) for s in (sys.stdout, sys.stderr)],
    "behind them": type(sys.stdout.file).__name__,
    "interrupts": 0,
}
plain_set = SCons.Taskmaster.Job.InterruptState.set

def interrupt(state):
    plain_set(state)
    told["interrupts"] += 1

SCons.Taskmaster.Job.InterruptState.set = interrupt
plain_write = SCons.SConsign.write

def write():
    told["states"] = {
        name: node.get_state()
        for file in SCons.SConsign.sig_files
        for name, node in file.to_be_merged.items()
    }
    plain_write()
    told["left to merge"] = sum(len(f.to_be_merged) for f in SCons.SConsign.sig_files)
    told["databases"] = [[type(d).__name__, d._needs_sync] for d in SCons.SConsign.DB_sync_list]

SCons.SConsign.write = write

def make(target, source, env):
    told.setdefault("targets", []).append(target[0].get_abspath())
    told["files"] = all(isinstance(node, SCons.Node.FS.File) for node in target)
    with open(target[0].get_abspath(), "w") as file:
        file.write("made")

def stop(target, source, env):
    make(target, source, env)
    os.kill(os.getpid(), signal.SIGINT)

def tell():
    with open(Dir("#").File("told.json").get_abspath(), "w") as file:
        json.dump(told, file)

import atexit
atexit.register(tell)
env = Environment(tools=[])
env.SConsignFile(env.Dir("#").abspath + "/signatures")
env.Command("one", [], make)
env.Command("two", "one", stop if ARGUMENTS.get("STOP") else make)
env.Command("three", "two", make)
Default("three")
"""


def run(folder: Path, *arguments: str) -> dict[str, Any]:
    (folder / "SConstruct").write_text(SCONSTRUCT)
    command = checkout.plain_scons(*arguments)
    subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    told: dict[str, Any] = json.loads((folder / "told.json").read_text())
    return told


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("points")


@pytest.fixture(scope="module")
def interrupted(folder: Path) -> dict[str, Any]:
    """A run that SIGINT ends after the second of three targets."""
    return run(folder, "STOP=1", "-j1")


@pytest.fixture(scope="module")
def later(interrupted: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The run after it, to the end."""
    assert interrupted
    return run(folder)


def test_the_parser_of_options_has_what_was_left_over(folder: Path) -> None:
    told = run(folder, "--no-such-option", "x")
    assert told["parser"]
    assert "--no-such-option" in told["left over"]
    assert told["known"] == [True, False]
    assert told["--silent is long"]


def test_a_stream_that_is_no_terminal_has_a_proxy(interrupted: dict[str, Any]) -> None:
    assert interrupted["proxies"] == [True, True]
    assert interrupted["behind them"] == "TextIOWrapper"


def test_a_signal_sets_the_state_of_interruption(interrupted: dict[str, Any]) -> None:
    assert interrupted["interrupts"] >= 1
    assert [Path(path).name for path in interrupted["targets"]] == ["one", "two"]


def test_a_target_is_a_file_with_its_whole_path(interrupted: dict[str, Any], folder: Path) -> None:
    assert interrupted["files"]
    assert interrupted["targets"] == [str(folder / "one"), str(folder / "two")]


def test_the_write_that_the_tool_replaces_is_the_one_that_is_called(
    interrupted: dict[str, Any],
) -> None:
    """Before it the nodes of this run are there with their states; after it they are merged."""
    assert interrupted["states"]["one"] == real("Node").executed
    assert interrupted["left to merge"] == 0
    assert interrupted["databases"] == [["_Dblite", False]]


def test_what_was_made_earlier_is_up_to_date(later: dict[str, Any]) -> None:
    assert later["states"]["one"] == real("Node").up_to_date
    assert later["states"]["three"] == real("Node").executed
    assert real("Node").up_to_date != real("Node").executed


def test_the_names_of_the_signature_file_are_those_of_the_guard(
    interrupted: dict[str, Any], folder: Path
) -> None:
    assert interrupted["databases"]
    dblite = real("dblite")
    assert (folder / "signatures.dblite").exists()
    assert (dblite.DBLITE_SUFFIX, dblite.TMP_SUFFIX) == (".dblite", ".tmp")


INLINE = """
from site_tools.quardroot.inline import make_inline

told = []

def make(target):
    if target.name == "two":
        return False
    open(target.get_abspath(), "w").close()
    told.append(f"{target.name} inline")
    return True

def act(target, source, env):
    open(target[0].get_abspath(), "w").close()
    told.append(f"{target[0].name} by its action")

def tell():
    with open(Dir("#").File("told").get_abspath(), "w") as file:
        file.write(str(told))

import atexit
atexit.register(tell)
make_inline(make)
env = Environment(tools=[])
env.SConsignFile(env.Dir("#").abspath + "/signatures")
env.Command("one", [], act)
env.Command("two", "one", act)
env.Command("three", "two", act)
Default("three")
"""


@pytest.mark.parametrize("jobs", ["-j1", "-j3"])
def test_a_target_that_is_made_inline_is_made_and_its_action_not_called(
    tmp_path: Path, jobs: str
) -> None:
    """In the next run all of them are up to date."""
    (tmp_path / "SConstruct").write_text(INLINE)
    for expected in (["one inline", "two by its action", "three inline"], []):
        done = subprocess.run(
            checkout.plain_scons(jobs),
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": f"{checkout.TOP}/site_scons:{checkout.TOP}"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert (tmp_path / "told").read_text() == str(expected)


# SCons' objects


def test_a_database_that_needs_no_sync_is_not_written(tmp_path: Path) -> None:
    dblite = real("dblite")
    for name, needs, left in (("one", True, [b"x"]), ("two", False, [])):
        database = dblite._Dblite(str(tmp_path / name), "c")
        database["key"] = b"x"
        assert database._needs_sync
        database._needs_sync = needs
        database.close()
        again = dblite._Dblite(str(tmp_path / name), "r")
        assert [again[key] for key in again.keys()] == left  # noqa: SIM118 - it is no dict


def do_one(target: object, source: object, env: object) -> None:
    raise AssertionError((target, source, env))


def do_another(target: list[Any], source: object, env: object) -> None:
    del source, env
    target.append("done")


def test_an_action_is_signed_by_its_key_and_never_by_its_function() -> None:
    environment = real("Environment").Environment
    one, two = (environment(tools=[], KEY=key) for key in "ab")
    action: Any = KeyedAction(do_one)
    another: Any = KeyedAction(do_another)
    signed = action.get_contents([], [], one)
    assert signed == b"quardroota"
    assert signed == another.get_contents([], [], one)
    assert signed != action.get_contents([], [], two)


def test_an_action_calls_its_function() -> None:
    target: list[Any] = []
    action: Any = KeyedAction(do_another)
    env = real("Environment").Environment(tools=[])
    assert action.execute(target, [], env) is None
    assert target == ["done"]


def test_a_value_is_compared_by_its_text() -> None:
    value = real("Node.Python").Value
    assert value("a").get_csig() == value("a").get_csig()
    assert value("a").get_csig() != value("b").get_csig()
    one: Any = Late("name", lambda: "a")
    another: Any = Late("name", lambda: "b")
    assert one.get_csig() != another.get_csig()


def test_mistakes_of_a_project_are_errors_of_scons(tmp_path: Path) -> None:
    errors = real("Errors")
    env = real("Environment").Environment(tools=[])
    with pytest.raises(errors.UserError):
        env.Decider("no such rule")
    [node] = env.Command(str(tmp_path / "made"), str(tmp_path / "no-source"), KeyedAction(do_one))
    with pytest.raises(errors.StopError):
        node.get_executor().prepare()
    assert issubclass(errors.BuildError, Exception)


def test_a_signed_file_is_signed_by_its_key_and_else_by_its_content(tmp_path: Path) -> None:
    path, fs = tmp_path / "image", real("Node.FS").get_default_fs()
    path.write_text("content")
    plain, keys = fs.File(str(path)).get_csig(), iter(("first", "second", ""))
    found = []
    for _ in range(3):
        node = fs.File(str(path))
        node.clear()
        sign(node, lambda: next(keys))
        found.append(node.get_csig())
        assert isinstance(node, SignedFile) and fs.File(str(path)) is node
        assert node.get_ninfo().csig == found[-1]
        del node.get_ninfo().csig
    assert found[2] == plain
    assert len(set(found)) == 3
