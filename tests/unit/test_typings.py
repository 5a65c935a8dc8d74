"""typings/: what the stubs declare is what the installed libraries have.

mypy believes a stub: one that declares what the library has not would let wrong code pass.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

STUBS = Path(__file__).resolve().parents[2] / "typings"


def module_name(path: Path) -> str:
    parts = path.relative_to(STUBS).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


IN_GDB = STUBS / "gdb.pyi"
"""Of a module that gdb has inside it."""
MODULES = {module_name(path): path for path in sorted(STUBS.rglob("*.pyi")) if path != IN_GDB}


def problems(body: list[ast.stmt], real: object, name: str) -> Iterator[str]:
    """Yield what the declarations in `body` have that the module or class `real` has not."""
    for node in body:
        match node:
            case ast.AnnAssign(target=ast.Name(id=attribute)):
                if not has_attribute(real, attribute):
                    yield f"{name}.{attribute}: there is none"
            case ast.FunctionDef(name=function) | ast.ClassDef(name=function):
                found = inspect.getattr_static(real, function, None)
                if found is None:
                    yield f"{name}.{function}: there is none"
                elif isinstance(node, ast.ClassDef):
                    yield from problems(node.body, found, f"{name}.{function}")
                elif inspect.isfunction(found):
                    yield from wrong_parameters(node, found, f"{name}.{function}")


def has_attribute(real: object, name: str) -> bool:
    """Tell whether a module or class has it, or its methods set it on instances."""
    if hasattr(real, name):
        return True
    classes = real.__mro__[:-1] if isinstance(real, type) else ()
    return any(re.search(rf"\bself\.{name}\b.*=", inspect.getsource(one)) for one in classes)


def wrong_parameters(stub: ast.FunctionDef, real: object, name: str) -> Iterator[str]:
    """Yield the parameters that the stub has and the function has not, and those it lacks."""
    assert callable(real)
    wanted = inspect.signature(real).parameters
    variable = {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}
    takes_any = any(one.kind in variable for one in wanted.values())
    declared = [one.arg for one in (*stub.args.args, *stub.args.kwonlyargs)]
    if not takes_any:
        yield from (f"{name}: no parameter {one}" for one in declared if one not in wanted)
    for one in wanted.values():
        if one.default is one.empty and one.kind not in variable and one.name not in declared:
            yield f"{name}: the parameter {one.name} is not declared"


@pytest.mark.parametrize("module", MODULES)
def test_a_stub_declares_nothing_that_the_library_has_not(module: str) -> None:
    body = ast.parse(MODULES[module].read_text(encoding="utf-8")).body
    assert list(problems(body, importlib.import_module(module), module)) == []


def test_gdb_has_what_is_declared_of_it() -> None:
    names = ["nothing"]
    for node in ast.parse(IN_GDB.read_text(encoding="utf-8")).body:
        match node:
            case ast.AnnAssign(target=ast.Name(id=name)):
                names.append(name)
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
                names.append(name)
    code = f"python print([n for n in {names} if not hasattr(gdb, n)])"
    command = ("gdb-multiarch", "-nx", "-batch", "-ex", code)
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "['nothing']\n", done


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("nothing: int", "SCons.Node.nothing: there is none"),
        ("def nothing() -> int: ...", "SCons.Node.nothing: there is none"),
        ("class Nothing: ...", "SCons.Node.Nothing: there is none"),
        ("class Node:\n    nothing: int", "SCons.Node.Node.nothing: there is none"),
        (
            "class Node:\n    def nothing(self) -> int: ...",
            "SCons.Node.Node.nothing: there is none",
        ),
        (
            "class Node:\n    def get_state(self, more: int) -> int: ...",
            "SCons.Node.Node.get_state: no parameter more",
        ),
        (
            "class Node:\n    def set_state(self) -> None: ...",
            "SCons.Node.Node.set_state: the parameter state is not declared",
        ),
    ],
)
def test_the_check_sees_what_a_library_has_lost(text: str, problem: str) -> None:
    real = importlib.import_module("SCons.Node")
    assert list(problems(ast.parse(text).body, real, "SCons.Node")) == [problem]
