"""ByTarget in a recipe's text: one of several values, chosen by the target."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator, Mapping

from quard.base.names import meant
from quard.recipes.unusable import unusable
from quard.recipes.variant import Variant
from quard.target import OTHERS

WORD = "ByTarget"
Options = Mapping[str, ast.expr]


def value(recipe: ast.expr, variant: Variant, where: str) -> ast.expr:
    """Return the expression with the target's value in place of each ByTarget.

    Raises QuardError: unknown-target, not-for-target, malformed-field.
    """
    words, target = variant.words(), variant.target

    def choose(options: Options, line: int) -> ast.expr:
        for word in options:
            _check(word, words, where, line)
        if target is None:
            return next(iter(options.values()))
        for word in target.chosen_by:
            if word in options:
                return options[word]
        raise unusable(
            where,
            line,
            f"{WORD} has no value for {target.triple}",
            "not-for-target",
            f"add one of {', '.join(target.chosen_by)}",
        )

    return _replaced(recipe, choose, where)


def _check(word: str, words: frozenset[str], where: str, line: int) -> None:
    if word not in words:
        hint = meant(word, sorted(words), f"known: {', '.join(sorted(words))}")
        raise unusable(where, line, f"{WORD}: {word!r} is no target", "unknown-target", hint)


def every(recipe: ast.expr, where: str) -> Iterator[ast.expr]:
    """Yield as many expressions without ByTarget as are needed to have each value in one of them.

    Raises QuardError malformed-field for a ByTarget that is not written as one.
    """
    count = number = 0
    while number <= count:
        widest = 1

        def choose(options: Options, _line: int, number: int = number) -> ast.expr:
            nonlocal widest
            widest = max(widest, len(options))
            return [*options.values()][min(number, len(options) - 1)]

        yield _replaced(recipe, choose, where)
        count, number = max(count, widest - 1), number + 1


def _replaced(recipe: ast.expr, choose: Callable[[Options, int], ast.expr], where: str) -> ast.expr:
    class Chooser(ast.NodeTransformer):
        def visit_Call(self, node: ast.Call) -> ast.AST:
            match node.func:
                case ast.Name(id=word) if word == WORD:
                    found: ast.AST = self.visit(choose(_options(node, where), node.lineno))
                    return found
            return self.generic_visit(node)

    found = Chooser().visit(copy.deepcopy(recipe))
    assert isinstance(found, ast.expr)
    return found


def _options(node: ast.Call, where: str) -> Options:
    """Return the values of one ByTarget, by the words that choose them."""
    match node:
        case ast.Call(args=[ast.Dict(keys=keys, values=values)], keywords=[]) if keys:
            words = [key.value if isinstance(key, ast.Constant) else None for key in keys]
            if all(isinstance(word, str) for word in words) and len({*words}) == len(words):
                return {str(word): value for word, value in zip(words, values, strict=True)}
    text = f'write {WORD}({{"riscv64": ..., "{OTHERS}": ...}}), with each word once'
    raise unusable(where, node.lineno, text, "malformed-field")
