"""Sources of dependants: code that uses, defines or repeats the symbols of a library."""

from __future__ import annotations

import random
from collections.abc import Sequence

from incremental.cutoff.model import SIZES, Library

Symbols = Sequence[tuple[str, str]]

_LOCAL_IFUNC = """\
static int picked{0}(int x) {{ return x + {0}; }}
__attribute__((used)) static int (*pick{0}(void))(int) {{ return picked{0}; }}
__asm__(".type chosen{0}, @gnu_indirect_function\\n.set chosen{0}, pick{0}");
int chosen{0}(int);
"""


def use(
    library: Library, rolls: random.Random, function: str, *, former: bool = False, many: int = 0
) -> str:
    """Return a source whose function `int FUNCTION(int)` uses the library as its header has it.

    former -- whether it also refers to former versions of symbols
    many   -- number of indirect functions of its own
    At times it uses the mathematical library as well, which only the library may need.
    """
    name, upper = library.name, library.name.upper()
    lines = [f"#include <{name}.h>", "#ifndef FEATURE", "#define FEATURE 0", "#endif"]
    lines.append(f"int {function}(int);")
    body, table, constant = [], ["(void *)0"], ["(void *)0"]
    for symbol, kind in library.declared():
        if rolls.random() < 0.2:
            continue
        if kind != "tls" and rolls.random() < 0.1:
            lines.append(f"#pragma weak {symbol}")
        if kind == "any" or rolls.random() < 0.3:
            body.append(_read(symbol, "tls" if kind == "tls" else "address"))
            if kind != "tls":
                rolls.choice((table, constant)).append(f"(void *){symbol}")
        if kind != "any":
            body.append(_read(symbol, kind))
    if former:
        body += _former(library, lines)
    if rolls.random() < 0.05:
        lines.append("double lgamma(double);")
        body.append("x += (int)lgamma(x);")
    for number in range(many):
        lines.append(_LOCAL_IFUNC.format(rolls.randrange(1000) * 10 + number))
        body.append(f"x += {lines[-1].rstrip().splitlines()[-1].split()[1].split('(')[0]}(x);")
    body += [
        f"x += FEATURE + {upper}_M0 + {upper}_E2 + (int)sizeof(struct {name}_s);",
        f"x = {name}_inline(x);",
    ]
    rolls.shuffle(body)
    lines += [
        f"void *{function}_table[] = {{ {', '.join(table)} }};",
        f"void *const {function}_constant[] = {{ {', '.join(constant)} }};",
        f"int {function}(int x) {{ {' '.join(body)} return x; }}",
    ]
    return "\n".join(lines) + "\n"


def main(*functions: str) -> str:
    """Return a program that calls functions."""
    calls = " ".join(f"x += {function}(x);" for function in functions)
    names = ", ".join(f"{function}(int)" for function in functions)
    return f"int {names};\nint main(int x) {{ {calls} return x; }}\n"


def definitions(rolls: random.Random, symbols: Symbols, *, functions: bool = True) -> str:
    """Return a source that defines some of the symbols itself, larger, smaller or otherwise."""
    lines = ["int hook(void) { return 1; }"] if rolls.random() < 0.5 else ["extern int hook(void);"]
    lines += ["int rand(void) { return 4; }"] if rolls.random() < 0.3 else []
    for symbol, kind in symbols:
        if rolls.random() < 0.4:
            continue
        if kind == "func" and functions:
            lines.append(f"{_mark(rolls)}int {symbol}(int x) {{ return x + {len(lines)}; }}")
        elif kind in ("data", "tls"):
            thread = "__thread " if kind == "tls" else ""
            value = rolls.choice(("", " = { 9, }"))
            lines.append(f"{_mark(rolls)}{thread}{_array(rolls, symbol)}{value};")
    return "\n".join(lines) + "\n"


def tentative(rolls: random.Random, symbols: Symbols) -> str:
    """Return a source of tentative definitions: common symbols, if it is compiled so."""
    lines = ["char before[3]; char after[5];"]
    for symbol, kind in symbols:
        if kind == "data" or (kind == "func" and rolls.random() < 0.1):
            align = rolls.choice(("", "", "", "__attribute__((aligned(32))) "))
            lines.append(f"{align}{_array(rolls, symbol)};")
    return "\n".join(lines) + "\n"


def references(rolls: random.Random, symbols: Symbols) -> str:
    """Return a source that refers to some symbols without knowing what they are."""
    names = [symbol for symbol, kind in symbols if kind != "tls" and rolls.random() < 0.5]
    lines = [f"extern char {name}[];" for name in names]
    table = ", ".join((*names, "(void *)0"))
    return "\n".join([*lines, f"void *pair_table[] = {{ {table} }};"]) + "\n"


def _former(library: Library, lines: list[str]) -> list[str]:
    """Refer to the former versions; the declarations go to `lines`."""
    body = []
    for one in library.functions:
        if one.former and one.node and library.nodes and one.form == "plain":
            if one.visibility != "default":
                continue
            lines.append(f"int old_{one.name}(int);")
            lines.append(f'__asm__(".symver old_{one.name}, {one.name}@{library.nodes[0]}");')
            body.append(f"x += old_{one.name}(x);")
    return body


def _read(symbol: str, kind: str) -> str:
    match kind:
        case "func":
            return f"x += {symbol}(x);"
        case "data":
            return f"x += {symbol}[0]; {symbol}[0] = x;"
        case "tls":
            return f"x += {symbol}[0]; x ^= (int)(long){symbol};"
        case _:
            return f"x ^= (int)(long){symbol};"


def _mark(rolls: random.Random) -> str:
    marks = ("", "", "", 'visibility("hidden")', 'visibility("protected")', "weak")
    mark = rolls.choice(marks)
    return f"__attribute__(({mark})) " if mark else ""


def _array(rolls: random.Random, symbol: str) -> str:
    return f"{rolls.choice(tuple(SIZES))} {symbol}[{rolls.choice((1, 1, 2, 5, 40))}]"
