"""The rules of who may import whom, and of what a module may touch; read from the syntax trees."""

from __future__ import annotations

import ast
import dataclasses
import importlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from quard.base.record import Record

TOP = Path(__file__).resolve().parents[2]
ENGINE = TOP / "site_scons"
LAYERS: tuple[tuple[str, ...], ...] = (
    ("site_tools",),
    ("quard.interactive",),
    ("quard.project",),
    ("quard.face",),
    ("quard.machine",),
    ("quard.image",),
    ("quard.dispatch",),
    ("quard.execute",),
    ("quard.tools",),
    ("quard.ledger",),
    ("quard.parts",),
    ("quard.remote",),
    ("quard.sources", "quard.store"),
    ("quard.process",),
    ("quard.plan",),
    ("quard.recipes",),
    ("quard.boards",),
    ("quard.hardening", "quard.model", "quard.sites", "quard.target"),
    ("quard.by_target", "quard.feature", "quard.installed", "quard.source", "quard.steps"),
    ("quard.base",),
)
"""From top to bottom. A module imports from layers below its own; the modules of one room (plan,
execute, store, image, site_tools) import each other without a circle."""

VOCABULARY = (
    "quard.by_target",
    "quard.feature",
    "quard.installed",
    "quard.model",
    "quard.source",
    "quard.steps",
)
"""What recipes are written with."""
WORDS_OF_MODEL = {"__future__", "dataclasses", "quard", "typing"}
WORDS_OF_PLAN = {"__future__", "collections", "dataclasses", "functools", "re", "typing"}
"""Modules of the standard library that a pure part may use: none of them reads or writes."""
IMPURE_CALLS = {"open", "print", "input", "exec", "eval", "compile", "__import__", "breakpoint"}
ENVIRONMENT = {"environ", "environb", "getenv", "getenvb", "putenv", "unsetenv", "expandvars"}
STARTS = {f"subprocess.{name}" for name in ("Popen", "call", "check_call", "check_output", "run")}
STARTS |= {f"os.{name}" for name in ("fork", "forkpty", "popen", "posix_spawn", "system")}
LONGEST = 300
LONGER: dict[str, str] = {}
"""Files with more lines, each with its reason."""
LONGEST_FUNCTION = 40
"""Lines, with its docstring."""
SCONSTRUCT = 40


@dataclass(frozen=True)
class Import:
    """One import: `module` in full, and the names that are taken from it."""

    module: str
    names: tuple[str, ...]
    line: int


def python_files() -> list[Path]:
    return sorted(ENGINE.rglob("*.py"))


def module_name(path: Path) -> str:
    parts = path.relative_to(ENGINE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def imports(path: Path) -> Iterator[Import]:
    """Yield every import of a file, also those inside functions; relative ones in full."""
    name = module_name(path) if path.is_relative_to(ENGINE) else path.stem
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, (), node.lineno)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")
            base = ".".join(parents[: len(parents) - node.level + 1]) if node.level else ""
            module = ".".join(part for part in (base, node.module or "") if part)
            yield Import(module, tuple(alias.name for alias in node.names), node.lineno)


MODULES = {module_name(path): path for path in python_files()}


def engine_modules(found: Import) -> Iterator[str]:
    """Yield the modules of the engine that an import means."""
    if found.module in MODULES and not found.names:
        yield found.module
    for name in found.names:
        inner = f"{found.module}.{name}"
        if inner in MODULES:
            yield inner
        elif found.module in MODULES:
            yield found.module


def layer(module: str) -> int:
    """Return a module's place from the top. Raises KeyError for one that has none."""
    for number, names in enumerate(LAYERS):
        if any(module == name or module.startswith(name + ".") for name in names):
            return number
    raise KeyError(module)


def group(module: str) -> str:
    """Return the package that a module is a part of: its name in LAYERS."""
    return next(
        name for name in LAYERS[layer(module)] if module == name or module.startswith(name + ".")
    )


PARTS = sorted(name for name in MODULES if name != "quard")


def test_every_module_has_its_layer() -> None:
    without = []
    for module in PARTS:
        try:
            layer(module)
        except KeyError:
            without.append(module)
    assert without == [], "give them a place in LAYERS"


def test_every_layer_has_modules() -> None:
    for names in LAYERS:
        for name in names:
            assert any(module == name or module.startswith(name + ".") for module in MODULES), name


@pytest.mark.parametrize("module", PARTS)
def test_imports_point_down_only(module: str) -> None:
    for found in imports(MODULES[module]):
        for other in engine_modules(found):
            if other in ("quard", module) or group(other) == group(module):
                continue
            assert layer(other) > layer(module), f"{module}:{found.line} imports {other}"


def test_no_module_imports_itself_in_a_circle() -> None:
    edges = {
        module: {o for found in imports(path) for o in engine_modules(found)} - {module, "quard"}
        for module, path in MODULES.items()
    }
    while edges:
        leaves = {module for module, others in edges.items() if not others & edges.keys()}
        assert leaves, f"a circle among {sorted(edges)}"
        edges = {module: others for module, others in edges.items() if module not in leaves}


def of(package: str) -> list[str]:
    return [module for module in PARTS if module == package or module.startswith(package + ".")]


@pytest.mark.parametrize("module", [*VOCABULARY, *of("quard.plan")])
def test_the_pure_parts_import_nothing_that_reads_or_writes(module: str) -> None:
    pure = module in VOCABULARY
    allowed = WORDS_OF_MODEL if pure else WORDS_OF_PLAN | {"quard"}
    for found in imports(MODULES[module]):
        top = found.module.partition(".")[0]
        assert top in allowed, f"{module}:{found.line} imports {found.module}"


@pytest.mark.parametrize("module", [*VOCABULARY, *of("quard.plan")])
def test_the_pure_parts_call_nothing_that_reads_or_writes(module: str) -> None:
    for node in ast.walk(tree(MODULES[module])):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in IMPURE_CALLS, f"{module}:{node.lineno} {node.func.id}"


@pytest.mark.parametrize("module", of("quard.execute"))
def test_the_executor_knows_plans_and_no_recipes(module: str) -> None:
    for found in imports(MODULES[module]):
        for other in engine_modules(found):
            assert other not in (
                *VOCABULARY,
                "quard.recipes.catalog",
                "quard.recipes.graph",
                "quard.recipes.lint",
            ), f"{module}:{found.line} imports {other}"


@pytest.mark.parametrize("module", [name for name in PARTS if not name.startswith("site_tools")])
def test_only_the_tool_imports_scons(module: str) -> None:
    for found in imports(MODULES[module]):
        assert found.module.partition(".")[0] != "SCons", f"{module}:{found.line}"


@pytest.mark.parametrize("module", [name for name in PARTS if not name.startswith("site_tools")])
def test_only_the_tool_reads_the_environment(module: str) -> None:
    path = MODULES[module]
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Attribute):
            assert node.attr not in ENVIRONMENT, f"{module}:{node.lineno} {node.attr}"
    for found in imports(path):
        if found.module in ("os", "os.path", "posix"):
            assert not ENVIRONMENT & set(found.names), f"{module}:{found.line}"


@pytest.mark.parametrize("module", [name for name in PARTS if not name.startswith("quard.process")])
def test_only_the_room_for_it_starts_programs(module: str) -> None:
    """Elsewhere Ctrl-Z could hang the terminal, see quard.process.starting."""
    for node in ast.walk(tree(MODULES[module])):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            called = ast.unparse(node.func)
            assert called not in STARTS, f"{module}:{node.lineno} {called}"


@pytest.mark.parametrize(
    "path", sorted(TOP.glob("packages/*/*.py")), ids=lambda path: path.parent.name
)
def test_a_recipe_imports_the_recipe_classes_and_nothing_else(path: Path) -> None:
    assert path.name == "recipe.py"
    assert {found.module for found in imports(path)} == {"quard.model"}
    assert not any("*" in found.names for found in imports(path))


def lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize("path", python_files(), ids=module_name)
def test_a_file_is_read_in_one_sitting(path: Path) -> None:
    name = str(path.relative_to(TOP))
    if name in LONGER:
        assert lines(path) > LONGEST, f"take {name} out of LONGER"
    else:
        assert lines(path) <= LONGEST


def test_no_two_files_of_tests_have_one_name() -> None:
    """pytest imports them by their names alone, and a whole run would end before its first test."""
    found = Counter(path.name for path in (TOP / "tests").rglob("test_*.py"))
    assert [name for name, count in found.items() if count > 1] == []


@pytest.mark.parametrize("path", python_files(), ids=module_name)
def test_a_function_fits_on_a_screen(path: Path) -> None:
    found = [node for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef)]
    long = {f.name: (f.end_lineno or 0) - f.lineno + 1 for f in found}
    assert {name: n for name, n in long.items() if n > LONGEST_FUNCTION} == {}


def test_the_sconstruct_is_short_and_reads_as_plain_scons() -> None:
    path = TOP / "SConstruct"
    assert lines(path) < SCONSTRUCT
    assert {found.module for found in imports(path)} <= {"gc", "sys"}


def test_the_checks_see_what_they_look_for(tmp_path: Path) -> None:
    """A rule that finds nothing anywhere might as well not look."""
    path = tmp_path / "sample.py"
    path.write_text("def f():\n    from os import environ\n    import a.b as c\n")
    assert [(found.module, found.names) for found in imports(path)] == [
        ("os", ("environ",)),
        ("a.b", ()),
    ]
    assert list(engine_modules(Import("quard", ("model", "nothing"), 1))) == [
        "quard.model",
        "quard",
    ]
    assert list(engine_modules(Import("quard.plan", ("plan",), 1))) == ["quard.plan.plan"]
    assert list(engine_modules(Import("quard.model", ("Recipe",), 1))) == ["quard.model"]
    assert layer("quard.plan.compose") == layer("quard.plan")
    assert layer("site_tools.quardroot.session") == 0
    relative = MODULES["site_tools.quardroot.session"]
    assert "site_tools.quardroot.prepared" in {found.module for found in imports(relative)}


def unmade(trees: Iterable[ast.Module]) -> set[str]:
    """Return the classes below Record that have fields of their own, but no decorator `record`."""
    classes = [
        each for found in trees for each in ast.walk(found) if isinstance(each, ast.ClassDef)
    ]
    made = {
        each.name
        for each in classes
        if any(ast.unparse(word).partition("(")[0] == "record" for word in each.decorator_list)
    }
    return {
        each.name
        for each in classes
        if each.name not in made
        and not made.union(("Record",)).isdisjoint(map(ast.unparse, each.bases))
        and any(isinstance(line, ast.AnnAssign) for line in each.body)
    }


def test_all_records_have_the_decorator() -> None:
    """Without it, fields are missing, and mypy may accept any arguments."""
    wrong = "class A(Record): a: int\n@record\nclass B(Record): b: int\nclass C(B): c: int"
    assert unmade([ast.parse(wrong)]) == {"A", "C"}
    assert unmade(tree(path) for path in python_files()) == set()


def test_frozen_dataclasses_are_records() -> None:
    """See quard.base.record: a plain one takes most of a millisecond at each start."""
    plain = {
        f"{path.relative_to(ENGINE)}: {ast.unparse(found)}"
        for path in python_files()
        for found in ast.walk(tree(path))
        if isinstance(found, ast.Call)
        and ast.unparse(found.func) == "dataclass"
        and any(word.arg == "frozen" for word in found.keywords)
    }
    assert plain == {
        "quard/dispatch/folder.py: dataclass(frozen=True, eq=False)",
        "quard/tools/origins.py: dataclass(frozen=True, order=True)",
    }, "other equality, or an order, is what records do not support"


@pytest.mark.parametrize(
    "module",
    [
        *VOCABULARY,
        *("quard.hardening", "quard.target"),
        *(
            each
            for room in ("boards", "plan", "project", "recipes")
            for each in of(f"quard.{room}")
        ),
    ],
)
def test_dataclasses_that_a_null_build_loads_share_a_representation(module: str) -> None:
    """See quard.base.record; without one, a message or a test would show an address."""
    for found in vars(importlib.import_module(module)).values():
        if isinstance(found, type) and dataclasses.is_dataclass(found):
            own = found.__module__ == module
            assert not own or found.__repr__ is Record.__repr__, found
