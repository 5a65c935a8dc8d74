"""One recipe's text -> a frozen recipe. A recipe is parsed, never run.

A recipe file may import `quard.model` and assign RECIPE, nothing else. It is Python for the sake
of its syntax, editors and error lines; what it may say is data.
"""

from __future__ import annotations

import ast
import dataclasses
import re
from collections.abc import Callable
from functools import cache
from typing import Any

from quard import model
from quard.base.errors import QuardError
from quard.base.names import meant
from quard.model import Recipe

_WORDS = {
    name: value
    for name, value in vars(model).items()
    if isinstance(value, type) and value.__module__ == model.__name__
}
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
_UNUSABLE = re.compile("[\0\ud800-\udfff]")
"""NUL ends a text for the system; halves of surrogate pairs have no UTF-8 form."""


def recipe(content: bytes, where: str) -> Recipe:
    """Return the recipe in the content of one file.

    where -- the file's name in messages, below packages/
    Raises QuardError: recipe-syntax (not Python, or more than data), unknown-field,
    missing-field, malformed-field.
    """
    try:
        tree = ast.parse(content.decode(), filename=where)
        value = _assignment(tree, where)
        found = _evaluate(value, where)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None) or 1
        raise _bad(where, line, str(error), "recipe-syntax") from error
    except (RecursionError, MemoryError) as error:  # MemoryError: how the parser says it
        raise _bad(where, 1, "an expression is nested too deeply", "recipe-syntax") from error
    if not isinstance(found, Recipe) or type(found) is Recipe:
        styles = ", ".join(sorted(n for n, c in _WORDS.items() if issubclass(c, Recipe)))
        raise _bad(where, value.lineno, f"RECIPE is none of: {styles}", "recipe-syntax")
    _check_types(found, where, value.lineno)
    return found


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
            if isinstance(value, str) and _UNUSABLE.search(value):
                text = f"{value!r} holds a character that no file or command can"
                raise _bad(where, node.lineno, text, "malformed-field")
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
            raise _bad(
                where,
                node.lineno,
                f"unknown word {word!r}",
                "unknown-field",
                meant(word, _WORDS, ""),
            )
    raise _bad(where, node.lineno, "this is not data", "recipe-syntax")


def _construct(
    kind: type[Any], node: ast.Call, args: list[ast.expr], keywords: list[ast.keyword], where: str
) -> Any:
    named = {}
    known = [f.name for f in dataclasses.fields(kind)] if dataclasses.is_dataclass(kind) else []
    for keyword in keywords:
        if keyword.arg not in known:
            raise _bad(
                where,
                keyword.value.lineno,
                f"{kind.__name__} has no field {keyword.arg!r}",
                "unknown-field",
                meant(str(keyword.arg), known, "known: " + ", ".join(sorted(known))),
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
    kind: Any = type(value)
    for name, default, annotation, fits in _fields(kind):
        content = getattr(value, name)
        if content is default:
            continue
        if not fits(content):
            raise _bad(
                where,
                line,
                f"{kind.__name__}.{name} must be {annotation}, not {content!r}",
                "malformed-field",
                "a tuple of one needs its comma: (x,)"
                if isinstance(content, str) and annotation.startswith("tuple")
                else "",
            )
        for part in content if isinstance(content, tuple) else (content,):
            if dataclasses.is_dataclass(part):
                _check_types(part, where, line)


_Test = Callable[[Any], bool]


@cache
def _fields(kind: Any) -> tuple[tuple[str, Any, str, _Test], ...]:
    """Return name, default, annotation and test of each field of a recipe class."""
    return tuple(
        (item.name, item.default, str(item.type), _test(str(item.type)))
        for item in dataclasses.fields(kind)
    )


@cache
def _test(annotation: str) -> _Test:
    """Return the function that tells whether a value is of the annotated type."""
    if annotation.startswith("Literal["):
        return lambda content: isinstance(content, str) and repr(content) in annotation
    if " | None" in annotation:
        other = _test(annotation.replace(" | None", ""))
        return lambda content: content is None or other(content)
    match = re.fullmatch(r"tuple\[(.*), \.\.\.\]", annotation)
    if match:
        each = _test(match.group(1))
        return lambda content: (
            isinstance(content, tuple)
            and not isinstance(content, model.Run)
            and all(map(each, content))
        )
    if annotation == "tuple[str, str]":
        return lambda content: (
            isinstance(content, tuple)
            and len(content) == 2
            and all(isinstance(part, str) for part in content)
        )
    if annotation == "Step":
        return lambda content: (
            isinstance(content, model.Step)
            and all(isinstance(w, str) for w in (content if isinstance(content, tuple) else ()))
        )
    if annotation == "int":
        return lambda content: type(content) is int
    kinds: dict[str, type[Any]] = {"str": str, "bool": bool, **_WORDS}
    kind = kinds[annotation]
    return lambda content: isinstance(content, kind)


def _bad(where: str, line: int, what: str, reason: str, hint: str = "") -> QuardError:
    return QuardError(
        f"packages/{where} cannot be used",
        detail=f"line {line}: {what}",
        reason=reason,
        hint=hint or "docs/adding-a-package.md lists every field",
    )
