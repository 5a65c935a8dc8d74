"""What the tool uses of SCons beyond its manual: every such point is listed here.

The manual's own words are reached through SCons.Script and an environment. Everything else is
private to SCons, and any release may change it. typings/ declares each private point, and mypy
refuses the use of one that is not declared there; this file says where each is used and what
breaks without it. test_scons_behaviour.py holds what each does.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
STUBS = TOP / "typings" / "SCons"
TOOL = TOP / "site_scons/site_tools/quardroot"
MANUAL = ("Script", "Environment.Base")
"""Where the words of SCons' manual are declared; but Script.Main is private."""


@dataclass(frozen=True)
class Point:
    """A private part of SCons.

    used   -- modules of the tool, and of the tests, that name it
    breaks -- what goes wrong where it is missing or means something else
    """

    used: tuple[str, ...]
    breaks: str


_TYPE = "mypy alone: the type of what SCons hands over"
_STATE = "what a run made is told from what was up to date: guard, summary and signatures are wrong"
_SIGNS = "a null build writes its signature file once more, and a full disk ends a build"
_KEYED = "SCons signs the engine's bytecode: a refactoring rebuilds everything, a key nothing"
_READS = "every image is read once more after it was made, while no other job can begin"
_INLINE = "packages are restored in threads, which takes a third more processor time"
_ERRORS = "a mistake in a project's own SConscript is reported as a bug of Quardroot"

POINTS = {
    "Action.ActionBase": Point(("action",), _TYPE),
    "Action.FunctionAction": Point(("action",), _KEYED),
    "Action.FunctionAction.execfunction": Point(("action",), "no action does anything"),
    "Action.FunctionAction.get_presig": Point(("action",), _KEYED),
    "Action._ActionAction": Point(("action",), _KEYED),
    "Action._ActionAction.__init__": Point(("action",), _KEYED),
    "Errors.BuildError": Point(("builders",), _ERRORS),
    "Errors.StopError": Point(("builders",), _ERRORS),
    "Errors.UserError": Point(("builders",), _ERRORS),
    "Executor.Executor": Point(("action",), _TYPE),
    "Node.Node": Point(("acting", "ahead", "builders", "inline", "session"), _TYPE),
    "Node.Node.attributes": Point(("acting", "builders", "signed"), _READS),
    "Node.Node.get_abspath": Point(("guard",), "the journal names wrong files after a kill"),
    "Node.Node.get_state": Point(("ahead", "guard", "inline", "signatures", "session"), _STATE),
    "Node.executed": Point(("guard", "session"), _STATE),
    "Node.up_to_date": Point(("signatures", "session"), _STATE),
    "Node.executing": Point(("inline",), _INLINE),
    "Node.failed": Point(
        ("ahead",), "after a failure, units that were not begun are reported as failed or made"
    ),
    "Node.FS.Base": Point((), _TYPE),
    "Node.FS.Base.name": Point(("signed",), "two files of a unit have one signature"),
    "Node.FS.Dir": Point(("session",), _TYPE),
    "Node.FS.File": Point(("acting", "signed"), "the journal misses the files that a target makes"),
    "Node.FS.File.get_csig": Point(("signed",), _READS),
    "Node.FS.File.get_ninfo": Point(("signed",), _READS),
    "Node.Python.Value": Point(("late",), "no target depends on its key"),
    "Node.Python.Value.__init__": Point(("late",), "no target depends on its key"),
    "Node.Python.Value.get_text_contents": Point(
        ("late",), "the root file system is not made again when a package has changed"
    ),
    "SConsign.DB": Point(("signatures",), _TYPE),
    "SConsign.DB.to_be_merged": Point(("signatures",), _SIGNS),
    "SConsign.DB_sync_list": Point(("signatures",), "on a full disk Python ends with a traceback"),
    "SConsign.sig_files": Point(("signatures",), _SIGNS),
    "SConsign.write": Point(("signatures",), _SIGNS),
    "Script.Main.OptionsParser": Point(
        ("ahead", "builders"),
        "an unknown option is reported after minutes, when everything is read; with -j, sources are"
        " not fetched ahead",
    ),
    "Script.Main.BuildTask": Point(("inline",), _INLINE),
    "Script.Main.BuildTask.needs_execute": Point(("inline",), _INLINE),
    "Script.Main.BuildTask.prepare": Point(("inline",), _INLINE),
    "Script.Main.BuildTask.targets": Point(("inline",), _INLINE),
    "Taskmaster.Job.InterruptState": Point(("signals",), "Ctrl-C waits for running commands"),
    "Taskmaster.Job.InterruptState.set": Point(("signals",), "Ctrl-C waits for running commands"),
    "Util.Unbuffered": Point(("streams",), "a closed terminal hangs the build"),
    "Util.Unbuffered.__init__": Point(("streams",), "a closed terminal hangs the build"),
    "Util.Unbuffered.file": Point(("streams",), "a closed terminal hangs the build"),
    "dblite._Dblite": Point(("signatures",), _TYPE),
    "dblite._Dblite._needs_sync": Point(
        ("signatures",), "on a full disk Python ends with a traceback"
    ),
}


def declared(body: list[ast.stmt], name: str) -> Iterator[str]:
    """Yield what stubs declare, by its path below SCons."""
    for node in body:
        match node:
            case ast.AnnAssign(target=ast.Name(id=word)) | ast.FunctionDef(name=word):
                yield f"{name}.{word}"
            case ast.ClassDef(name=word):
                yield f"{name}.{word}"
                yield from declared(node.body, f"{name}.{word}")


def private_points() -> set[str]:
    found = set()
    for path in STUBS.rglob("*.pyi"):
        parts = path.relative_to(STUBS).with_suffix("").parts
        module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found |= set(declared(ast.parse(path.read_text(encoding="utf-8")).body, module))
    manual = {name for name in found if name.startswith(MANUAL)}
    return found - manual | {name for name in manual if name.startswith("Script.Main.")}


def words(module: str) -> set[str]:
    """Return the names and attributes that a module of the tool uses."""
    found: set[str] = set()
    for node in ast.walk(ast.parse((TOOL / f"{module}.py").read_text(encoding="utf-8"))):
        match node:
            case ast.Attribute(attr=word) | ast.Name(id=word) | ast.FunctionDef(name=word):
                found.add(word)
            case ast.alias(name=word):
                found.add(word.rpartition(".")[2])
    return found


def test_every_private_point_that_the_tool_may_use_is_listed() -> None:
    """mypy lets the tool use what typings/ declares, and nothing else."""
    assert private_points() == set(POINTS)


def test_mypy_refuses_what_is_not_declared(tmp_path: Path) -> None:
    """SCons has both, typings/ the second one only."""
    file = tmp_path / "sample.py"
    file.write_text("import SCons.Node\n\nprint(SCons.Node.Annotate, SCons.Node.executed)\n")
    cache = f"--cache-dir={tmp_path}"  # the project's own is locked while another test uses it
    command = (sys.executable, "-m", "mypy", "--no-error-summary", cache, str(file))
    done = subprocess.run(command, cwd=TOP, capture_output=True, text=True, check=False)
    [error] = done.stdout.splitlines()
    assert error.endswith('Module has no attribute "Annotate"  [attr-defined]')


@pytest.mark.parametrize("name", POINTS)
def test_a_point_is_used_where_the_list_says_it_is(name: str) -> None:
    point, word = POINTS[name], name.removesuffix(".__init__").rpartition(".")[2]
    assert point.breaks
    if point.breaks != _TYPE:
        assert [module for module in point.used if word not in words(module)] == []


@pytest.mark.parametrize("path", sorted(TOOL.glob("*.py")), ids=lambda path: path.stem)
def test_no_other_private_attribute_is_used(path: Path) -> None:
    """Also not through a value that mypy knows nothing about."""
    known = {name.rpartition(".")[2] for name in POINTS} | {"_long_opt"}  # of optparse
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and re.match("_[^_]", node.attr):
            own = isinstance(node.value, ast.Name) and node.value.id == "self"
            assert own or node.attr in known, f"{path.name}:{node.lineno} {node.attr}"
