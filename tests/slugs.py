"""Which error slugs the project has, and what is said with each, read from the sources.

A slug is a constant argument for a parameter named `reason` in Python, the third argument of
`fail` in a shell script, or that of its awk function.
"""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from quard.machine.runscript import PARTS
from quard.plan.plan import PHASES

TOP = Path(__file__).resolve().parents[1]
SLUG = re.compile(r"[a-z]+(-[a-z]+)*")
SHELL = ("scons", "qemu/gdb.sh", *(f"qemu/run/{name}" for name in PARTS))
PLAIN = ("interrupted", "offline", "rpath")
"""The slugs of one word: a parameter named `reason` may mean something else."""

FORMED = {"{phase}-failed": tuple(f"{phase}-failed" for phase in PHASES)}
"""Slugs that are put together when they are raised."""

UNKNOWN = "unknown-{kind}"
"""Put together from the first argument of the function that raises it."""

IN_TESTS = re.compile(r"""(?:\.reason == "|reason: )([a-z]+(?:-[a-z]+)+)(?=["\\\n ])""")


@dataclass(frozen=True, order=True)
class Use:
    """One place that raises a slug; `message` is "" where it is put together elsewhere."""

    slug: str
    message: str


def uses() -> tuple[Use, ...]:
    """Return every use, sorted, each once."""
    modules = sorted((TOP / "site_scons").rglob("*.py"))
    trees = [ast.parse(path.read_bytes()) for path in modules]
    places = dict(pair for tree in trees for pair in _signatures(tree))
    found = {use for tree in trees for use in _python(tree, places)}
    for name in SHELL:
        found.update(_shell((TOP / name).read_text(encoding="utf-8")))
    return tuple(sorted(found))


def expected(path: Path) -> tuple[str, ...]:
    """Return the slugs that a test waits for, as far as it spells them out."""
    return tuple(IN_TESTS.findall(path.read_text(encoding="utf-8")))


def _signatures(tree: ast.Module) -> Iterator[tuple[str, int | None]]:
    """Yield (function or class, position of `reason`); None where it is given by name only."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            fields = [
                item.target.id
                for item in node.body
                if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
            ]
            if "reason" in fields:
                yield node.name, fields.index("reason")
            for item in node.body:
                if isinstance(item, ast.FunctionDef) and item.name == "__init__":
                    for _, place in _function(item, 1):
                        yield node.name, place
        elif isinstance(node, ast.FunctionDef) and node.name != "__init__":
            yield from _function(node, 0)


def _function(node: ast.FunctionDef, skip: int) -> Iterator[tuple[str, int | None]]:
    names = [argument.arg for argument in node.args.args][skip:]
    if names[:1] == ["self"]:
        names = names[1:]
    if "reason" in names:
        yield node.name, names.index("reason")
    elif any(argument.arg == "reason" for argument in node.args.kwonlyargs):
        yield node.name, None


def _python(tree: ast.Module, places: dict[str, int | None]) -> Iterator[Use]:
    constants = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        match node.func:
            case ast.Name(name) | ast.Attribute(attr=name):
                pass
            case _:
                continue
        given = [keyword.value for keyword in node.keywords if keyword.arg == "reason"]
        place = places.get(name)
        if not given and place is not None and place < len(node.args):
            given = [node.args[place]]
        message = _text(node.args[0]) if node.args else ""
        for value in given:
            for slug in _slugs(_resolved(value, constants)):
                yield Use(slug, message if " " in message else "")
        if name.endswith("unknown") and len(node.args) > 1 and _text(node.args[0]):
            yield Use(UNKNOWN.format(kind=_text(node.args[0])), "")


def _resolved(value: ast.expr, constants: dict[str, ast.expr]) -> ast.expr:
    """Return what a name stands for in its module."""
    return constants.get(value.id, value) if isinstance(value, ast.Name) else value


def _slugs(value: ast.expr) -> tuple[str, ...]:
    match value:
        case ast.Constant(str(text)) if SLUG.fullmatch(text) and ("-" in text or text in PLAIN):
            return (text,)
        case ast.IfExp(body=one, orelse=other):
            return _slugs(one) + _slugs(other)
        case ast.JoinedStr():
            form = ast.unparse(value)[2:-1]
            return () if form == UNKNOWN else FORMED[form]
    return ()


def _text(value: ast.expr) -> str:
    """Return a message with an ellipsis for what is only known when it is raised."""
    match value:
        case ast.Constant(str(text)):
            return text
        case ast.JoinedStr(parts):
            return "".join("..." if isinstance(p, ast.FormattedValue) else _text(p) for p in parts)
    return ""


def _shell(text: str) -> Iterator[Use]:
    lines = text.replace("\\\n", " ").splitlines()
    for line in lines:
        call = re.search(r'\bfail ("[^"]*".*)$', line)
        if call:
            words = _words(call[1])
            if len(words) >= 3 and SLUG.fullmatch(words[2]):
                yield Use(words[2], re.sub(r"\$\{?[\w#%*.-]+\}?", "...", words[0]))
        blamed = re.search(r'\bblame ("[^"]*" .*)$', line)
        if blamed and len(words := _words(blamed[1])) >= 2 and SLUG.fullmatch(words[1]):
            yield Use(words[1], words[0])
        printed = re.search(r"\bprintf 'error: [^']*' (\".*)$", line)
        if printed and len(words := _words(printed[1])) >= 2 and SLUG.fullmatch(words[1]):
            yield Use(words[1], words[0])
        for call in re.finditer(r'\bfail\("([^"]*)".*?"([a-z]+(?:-[a-z]+)+)"', line):
            yield Use(call[2], re.sub(r'" \w+ "', "...", call[1]).strip())


def _words(text: str) -> list[str]:
    """Split what follows `fail`; a line may end inside a quoted text or go on after it."""
    lexer = shlex.shlex(text, posix=True, punctuation_chars=False)
    lexer.whitespace_split = True
    lexer.commenters = ""
    words: list[str] = []
    try:
        words.extend(lexer)
    except ValueError:
        return words
    return words
