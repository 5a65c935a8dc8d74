"""Recipes on disk: `packages/NAME/recipe.py` -> frozen recipe and the files beside it.

A recipe file may import `quard.model` and assign RECIPE, nothing else. It is Python for the sake
of its syntax, editors and error lines; what it may say is data.
"""

from __future__ import annotations

import ast
import dataclasses
import difflib
import hashlib
import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from quard import model
from quard.errors import QuardError
from quard.model import Recipe
from quard.plan.plan import FileRef

NAME = re.compile(r"[a-z0-9][a-z0-9+.-]*\Z")
_WORDS = {
    name: value
    for name, value in vars(model).items()
    if isinstance(value, type) and value.__module__ == model.__name__
}
_LEFTOVERS = (".*", "*~", "#*#", "*.orig", "*.rej")
"""What editors and patch(1) leave beside what they work on: never part of a recipe."""
_PLAIN = (
    ast.Constant,
    ast.Tuple,
    ast.keyword,
    ast.Name,
    ast.Load,
    ast.Call,
    ast.BinOp,
    ast.Add,
)
"""Syntax a recipe may use; adding strings or tuples is allowed for long lists."""


@dataclass(frozen=True)
class Package:
    """A recipe and its folder."""

    name: str
    recipe: Recipe
    folder: Path

    def patches(self) -> tuple[FileRef, ...]:
        """Return the folder's patches in the order in which they are applied."""
        return tuple(_reference(path) for path in sorted(self.folder.glob("*.patch")))

    def files(self) -> tuple[FileRef, ...]:
        """Return the other files that the build can see."""
        names = (
            path
            for path in sorted(self.folder.iterdir())
            if path.is_file()
            and path.name != "recipe.py"
            and path.suffix != ".patch"
            and not any(fnmatchcase(path.name, pattern) for pattern in _LEFTOVERS)
        )
        return tuple(_reference(path) for path in names)


class Catalog:
    """The packages below one folder; each is read when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._packages: dict[str, Package] = {}
        self._names: tuple[str, ...] | None = None

    def names(self) -> tuple[str, ...]:
        """Return every package's name, sorted; the folder is looked through once."""
        if self._names is None:
            self._names = self._look()
        return self._names

    def _look(self) -> tuple[str, ...]:
        return tuple(sorted(path.parent.name for path in self._folder.glob("*/recipe.py")))

    def __getitem__(self, name: str) -> Package:
        """Return one package. Raises QuardError if it does not exist or cannot be read."""
        package = self._packages.get(name)
        if package is None:
            path = self._folder / name / "recipe.py"
            if not NAME.match(name) or not path.is_file():
                if name in self.names():
                    raise QuardError(
                        f"packages/{name} is no name for a package",
                        reason="bad-package-name",
                        hint="begin with a-z or 0-9, go on with these and + . -",
                    )
                raise unknown("package", name, self.names(), "add packages/NAME/recipe.py")
            package = Package(name, load(path), path.parent)
            self._packages[name] = package
        return package


def unknown(kind: str, name: str, known: tuple[str, ...], otherwise: str) -> QuardError:
    """Return the error for a name that does not exist, with the nearest that does."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return QuardError(
        f"unknown {kind} {name!r}",
        detail="known: " + (", ".join(known) or "none"),
        reason=f"unknown-{kind}",
        hint=f"did you mean {near[0]!r}?" if near else otherwise,
    )


def load(path: Path) -> Recipe:
    """Return the recipe in one file.

    Raises QuardError: recipe-syntax (not Python, or more than data), unknown-field,
    missing-field, malformed-field.
    """
    where = f"{path.parent.name}/{path.name}"
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"), filename=where)
    except (SyntaxError, UnicodeDecodeError, ValueError) as error:
        line = getattr(error, "lineno", None) or 1
        raise _bad(where, line, str(error), "recipe-syntax") from error
    value = _assignment(tree, where)
    recipe = _evaluate(value, where)
    if not isinstance(recipe, Recipe) or type(recipe) is Recipe:
        styles = ", ".join(sorted(n for n, c in _WORDS.items() if issubclass(c, Recipe)))
        raise _bad(where, value.lineno, f"RECIPE is none of: {styles}", "recipe-syntax")
    _check_types(recipe, where, value.lineno)
    return recipe


def _assignment(tree: ast.Module, where: str) -> ast.expr:
    """Return the expression assigned to RECIPE, the only statement besides the import."""
    found: ast.expr | None = None
    for node in tree.body:
        match node:
            case ast.Expr(value=ast.Constant(value=str())):
                continue
            case ast.ImportFrom(module="quard.model", level=0):
                continue
            case ast.Assign(targets=[ast.Name(id="RECIPE")], value=value) if found is None:
                found = value
            case _:
                raise _bad(
                    where,
                    node.lineno,
                    "only `from quard.model import ...` and one `RECIPE = ...` may stand here",
                    "recipe-syntax",
                )
    if found is None:
        raise _bad(where, 1, "there is no RECIPE = ...", "recipe-syntax")
    return found


def _evaluate(node: ast.expr, where: str) -> Any:
    for child in ast.walk(node):
        if not isinstance(child, _PLAIN):
            kind = type(child).__name__
            line = getattr(child, "lineno", node.lineno)
            raise _bad(where, line, f"{kind} is not allowed: a recipe is data", "recipe-syntax")
    return _value(node, where)


def _value(node: ast.expr, where: str) -> Any:
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Tuple(elts=items):
            return tuple(_value(item, where) for item in items)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            try:
                return _value(left, where) + _value(right, where)
            except TypeError as error:
                raise _bad(where, node.lineno, str(error), "malformed-field") from error
        case ast.Call(func=ast.Name(id=word), args=args, keywords=keywords) if word in _WORDS:
            return _construct(_WORDS[word], node, args, keywords, where)
        case ast.Name(id=word) if word in _WORDS:
            raise _bad(where, node.lineno, f"write {word}(...)", "recipe-syntax")
        case ast.Call(func=ast.Name(id=word)) | ast.Name(id=word):
            near = difflib.get_close_matches(word, _WORDS, n=1)
            raise _bad(
                where,
                node.lineno,
                f"unknown word {word!r}",
                "unknown-field",
                f"did you mean {near[0]!r}?" if near else "",
            )
    raise _bad(where, node.lineno, "this is not data", "recipe-syntax")


def _construct(
    kind: type[Any], node: ast.Call, args: list[ast.expr], keywords: list[ast.keyword], where: str
) -> Any:
    named = {}
    known = [f.name for f in dataclasses.fields(kind)] if dataclasses.is_dataclass(kind) else []
    for keyword in keywords:
        if keyword.arg not in known:
            near = difflib.get_close_matches(str(keyword.arg), known, n=1)
            raise _bad(
                where,
                keyword.value.lineno,
                f"{kind.__name__} has no field {keyword.arg!r}",
                "unknown-field",
                f"did you mean {near[0]!r}?" if near else "known: " + ", ".join(sorted(known)),
            )
        if keyword.arg in named:
            raise _bad(
                where,
                keyword.value.lineno,
                f"{kind.__name__}.{keyword.arg} stands twice",
                "malformed-field",
            )
        named[keyword.arg] = _value(keyword.value, where)
    try:
        return kind(*(_value(arg, where) for arg in args), **named)
    except TypeError as error:
        text = str(error).split(" ", 1)[-1]
        raise _bad(where, node.lineno, f"{kind.__name__}: {text}", "missing-field") from error


def _check_types(value: Any, where: str, line: int) -> None:
    """Hold every field against its annotation, nested recipe classes included."""
    for item in dataclasses.fields(value):
        content = getattr(value, item.name)
        if not _fits(content, str(item.type)):
            raise _bad(
                where,
                line,
                f"{type(value).__name__}.{item.name} must be {item.type}, not {content!r}",
                "malformed-field",
                "a tuple of one needs its comma: (x,)" if isinstance(content, str) else "",
            )
        for part in content if isinstance(content, tuple) else (content,):
            if dataclasses.is_dataclass(part):
                _check_types(part, where, line)


def _fits(content: Any, annotation: str) -> bool:
    if annotation.startswith("Literal["):
        return isinstance(content, str) and repr(content) in annotation
    if " | None" in annotation:
        return content is None or _fits(content, annotation.replace(" | None", ""))
    match = re.fullmatch(r"tuple\[(.*), \.\.\.\]", annotation)
    if match:
        inner = match.group(1)
        return (
            isinstance(content, tuple)
            and not isinstance(content, model.Run)
            and all(_fits(part, inner) for part in content)
        )
    if annotation == "tuple[str, str]":
        return (
            isinstance(content, tuple)
            and len(content) == 2
            and all(isinstance(part, str) for part in content)
        )
    if annotation == "Step":
        return isinstance(content, model.Step) and all(
            isinstance(word, str) for word in (content if isinstance(content, tuple) else ())
        )
    if annotation == "int":
        return type(content) is int
    kinds: dict[str, type[Any]] = {"str": str, "bool": bool, **_WORDS}
    return isinstance(content, kinds[annotation])


def _bad(where: str, line: int, what: str, reason: str, hint: str = "") -> QuardError:
    return QuardError(
        f"packages/{where} cannot be used",
        detail=f"line {line}: {what}",
        reason=reason,
        hint=hint or "docs/adding-a-package.md lists every field",
    )


def _reference(path: Path) -> FileRef:
    return FileRef(path.name, hashlib.sha256(path.read_bytes()).hexdigest())
