"""Parsing a recipe's text into a frozen recipe. A recipe is never run.

A recipe may write lists: they become tuples, so that the recipe is frozen.

A recipe file may import `quard.model` and assign RECIPE, nothing else. It uses Python for its
syntax, its editor support and its error lines, but it may contain only data.
"""

from __future__ import annotations

import ast
import dataclasses
import re
from collections.abc import Iterator
from typing import Any

from quard import by_target as choice
from quard import feature, installed, model, source, steps
from quard.base.names import meant
from quard.base.typetest import field_tests
from quard.model import Recipe
from quard.recipes import by_target
from quard.recipes.unusable import unusable
from quard.recipes.variant import Variant

_MODULES = {module.__name__ for module in (choice, feature, installed, model, source, steps)}
"""Modules of the vocabulary; quard.model has the names of all of them."""
_WORDS = {
    name: value
    for name, value in vars(model).items()
    if isinstance(value, type) and value.__module__ in _MODULES
}
_PLAIN = (
    ast.Constant,
    ast.Tuple,
    ast.List,
    ast.Dict,
    ast.keyword,
    ast.Name,
    ast.Load,
    ast.Call,
    ast.BinOp,
    ast.Add,
)
"""Syntax that a recipe may use; strings and lists may be added, for long ones."""
_LEAVES = (ast.Constant, ast.Load, ast.Add)
"""Those of them that contain no other."""
_ANY_NUMBER = re.compile(r"tuple\[((?:[^][]|\[[^][]*\])*), \.\.\.\]")
_UNUSABLE = re.compile("[\0\ud800-\udfff]")
"""NUL ends a text in system calls; halves of surrogate pairs have no UTF-8 form."""


def recipe(content: bytes, where: str, variant: Variant | None = None) -> Recipe:
    """Return the recipe in a file's content.

    where   -- the file's name in messages
    variant -- what the recipe is for, if it differs between targets
    All values of each ByTarget are checked, of whatever target.
    Raises QuardError: recipe-syntax (not Python, or more than data), unknown-field,
    missing-field, malformed-field, unknown-target, not-for-target.
    """
    try:
        tree = ast.parse(content.decode(), filename=where)
        value = _assignment(tree, where)
        if variant is not None:
            for each in by_target.every(value, where):
                _checked(each, where)
            value = by_target.value(value, variant, where)
        return _checked(value, where)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None) or 1
        raise unusable(where, line, str(error), "recipe-syntax") from error
    except (RecursionError, MemoryError) as error:  # the parser raises MemoryError for it
        raise unusable(where, 1, "an expression is nested too deeply", "recipe-syntax") from error


def _checked(value: ast.expr, where: str) -> Recipe:
    found = _evaluate(value, where)
    if not isinstance(found, Recipe) or type(found) is Recipe:
        styles = ", ".join(sorted(n for n, c in _WORDS.items() if issubclass(c, Recipe)))
        raise unusable(where, value.lineno, f"RECIPE is none of: {styles}", "recipe-syntax")
    _check_types(found, where, value.lineno)
    return found


def _assignment(tree: ast.Module, where: str) -> ast.expr:
    """Return the expression assigned to RECIPE, the only statement besides the import."""
    found: ast.expr | None = None
    for node in tree.body:
        match node:
            case ast.Expr(value=ast.Constant(value=str())):
                continue
            case ast.ImportFrom(module="quard.model", level=0, names=names):
                _check_imported(names, where)
            case ast.Assign(targets=[ast.Name(id="RECIPE")], value=value) if found is None:
                found = value
            case _:
                raise unusable(
                    where,
                    node.lineno,
                    "only `from quard.model import ...` and one `RECIPE = ...` are allowed here",
                    "recipe-syntax",
                )
    if found is None:
        raise unusable(where, 1, "RECIPE = ... is missing", "recipe-syntax")
    return found


def _check_imported(names: list[ast.alias], where: str) -> None:
    for alias in names:
        if alias.asname:
            text = f"{alias.name} is imported under another name"
            raise unusable(where, alias.lineno, text, "recipe-syntax")
        if alias.name not in _WORDS and alias.name != "*":
            text = f"quard.model has no {alias.name!r}"
            hint = meant(alias.name, _WORDS, "known: " + ", ".join(sorted(_WORDS)))
            raise unusable(where, alias.lineno, text, "unknown-field", hint)


def _evaluate(node: ast.expr, where: str) -> Any:
    children: list[ast.AST] = [node]
    for child in children:  # as ast.walk does, but most nodes are constants
        if not isinstance(child, _PLAIN):
            kind = type(child).__name__
            line = getattr(child, "lineno", node.lineno)
            raise unusable(where, line, f"{kind} is not allowed: a recipe is data", "recipe-syntax")
        if not isinstance(child, _LEAVES):
            children.extend(ast.iter_child_nodes(child))
    return _value(node, where)


def _value(node: ast.expr, where: str) -> Any:
    match node:
        case ast.Constant(value=value):
            if isinstance(value, str) and _UNUSABLE.search(value):
                text = f"{value!r} contains a character that files and commands cannot contain"
                raise unusable(where, node.lineno, text, "malformed-field")
            return value
        case ast.Tuple(elts=items) | ast.List(elts=items):
            return tuple(_value(item, where) for item in items)
        case ast.Dict(keys=keys, values=values):
            return _dictionary(keys, values, where, node.lineno)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            try:
                return _value(left, where) + _value(right, where)
            except TypeError as error:
                raise unusable(where, node.lineno, str(error), "malformed-field") from error
        case ast.Call(func=ast.Name(id=word), args=args, keywords=keywords) if word in _WORDS:
            return _construct(_WORDS[word], node, args, keywords, where)
        case ast.Name(id=word) if word in _WORDS:
            raise unusable(where, node.lineno, f"write {word}(...)", "recipe-syntax")
        case ast.Call(func=ast.Name(id=word)) | ast.Name(id=word):
            raise unusable(
                where,
                node.lineno,
                f"unknown word {word!r}",
                "unknown-field",
                meant(word, _WORDS, ""),
            )
    raise unusable(where, node.lineno, "this is not data", "recipe-syntax")


def _dictionary(
    keys: list[ast.expr | None], values: list[ast.expr], where: str, line: int
) -> dict[Any, Any]:
    made: dict[Any, Any] = {}
    for key, value in zip(keys, values, strict=True):
        if not isinstance(key, ast.Constant):
            raise unusable(where, line, "a key of a dictionary must be a string", "malformed-field")
        name = _value(key, where)
        if name in made:
            raise unusable(where, key.lineno, f"the key {name!r} is given twice", "malformed-field")
        made[name] = _value(value, where)
    return made


def _construct(
    kind: type[Any], node: ast.Call, args: list[ast.expr], keywords: list[ast.keyword], where: str
) -> Any:
    named: dict[str, Any] = {}
    known = [f.name for f in dataclasses.fields(kind)] if dataclasses.is_dataclass(kind) else []
    for keyword in keywords:
        # Most fields of Adds and ForBuild are those of the recipe's style: lint checks them.
        anything = kind in (model.Adds, model.ForBuild) and keyword.arg is not None
        if keyword.arg not in known and not anything:
            raise unusable(
                where,
                keyword.value.lineno,
                f"{kind.__name__} has no field {keyword.arg!r}",
                "unknown-field",
                meant(str(keyword.arg), known, "known: " + ", ".join(sorted(known))),
            )
        if keyword.arg in named:
            raise unusable(
                where,
                keyword.value.lineno,
                f"{kind.__name__}.{keyword.arg} is given twice",
                "malformed-field",
            )
        named[str(keyword.arg)] = _value(keyword.value, where)
    if kind is model.Adds:
        _check_added(named, where, node.lineno)
    try:
        return kind(*(_value(arg, where) for arg in args), **named)
    except TypeError as error:
        text = str(error).split(" ", 1)[-1]
        raise unusable(where, node.lineno, f"{kind.__name__}: {text}", "missing-field") from error


def _check_added(named: dict[str, Any], where: str, line: int) -> None:
    """Check the lists among what a feature adds that every recipe has, whatever its style."""
    tests = field_tests(model.Recipe)
    for item in dataclasses.fields(model.Recipe):
        content, wanted = named.get(item.name, ()), _written(str(item.type))
        if wanted.startswith("list") and not tests[item.name](content):
            text = f"Adds.{item.name} {mismatch(str(item.type), content)}"
            raise unusable(where, line, text, "malformed-field")


def _check_types(value: Any, where: str, line: int) -> None:
    """Check every field against its annotation, including nested recipe classes."""
    kind: Any = type(value)
    tests = field_tests(kind)
    for item in dataclasses.fields(value):
        content = getattr(value, item.name)
        if content is item.default:
            continue
        if not tests[item.name](content):
            wanted = _written(str(item.type))
            raise unusable(
                where,
                line,
                f"{kind.__name__}.{item.name} {mismatch(str(item.type), content)}",
                "malformed-field",
                "write a list: [x]"
                if wanted.startswith("list") and not isinstance(content, tuple)
                else "",
            )
        for part in _parts(content):
            _check_types(part, where, line)


def mismatch(annotation: str, content: object) -> str:
    """Return what is wrong with a value that is not of the type of its field."""
    wanted = _written(annotation)
    # A recipe writes lists; where a tuple is meant, the whole field is one.
    if wanted.startswith("list") and isinstance(content, tuple):
        content = [*content]
    return f"must be {wanted}, not {content!r}"


def _written(annotation: str) -> str:
    """Return a type as a recipe writes it: what is a frozen tuple of any length is a list there."""
    while (shorter := _ANY_NUMBER.sub(r"list[\1]", annotation)) != annotation:
        annotation = shorter
    return annotation


def _parts(content: Any) -> Iterator[Any]:
    """Yield the instances of recipe classes in a field, at any depth in tuples and dictionaries."""
    if dataclasses.is_dataclass(content):
        yield content
    elif isinstance(content, tuple):
        for item in content:
            yield from _parts(item)
    elif isinstance(content, dict):
        yield from _parts((*content, *content.values()))
