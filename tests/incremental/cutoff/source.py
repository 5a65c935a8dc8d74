"""A library as its files: C source, headers, version script, pkg-config file.

The header declares all data as arrays of unknown length, so that nothing but the library itself
tells a dependant their size, type or constness.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

from incremental.cutoff.model import IMPORTS, Data, Function, Header, Library

PROTOTYPES = {
    "func": "int {}(int);",
    "data": "extern int {}[];",
    "tls": "extern __thread int {}[];",
    "any": "extern char {}[];",
}

_PROLOGUE = """\
#include "{name}_types.h"
int getpid(void), getuid(void), rand(void), sched_yield(void), getppid(void);
__attribute__((weak)) int hook(void);
static volatile int ready = 3, seen;
static volatile int p_data[{0}] = {{ 1, }};
static volatile int p_zero[{1}] __attribute__((aligned({alignment})));
static const volatile int p_const[{2}] = {{ 2, }};
static __thread volatile int p_local[{3}];
static int (*volatile p_call)(void) = getpid;
static const char *volatile p_text = "text of {name}";
__attribute__((noinline)) static int helper(int x) {{
    p_local[0] += p_const[0] + ready + seen + *p_text + p_call() + getpid();
    return x + p_data[0] + p_zero[0]++;
}}
"""
"""Uses every kind of section, the procedure linkage table and relocations, as real libraries do."""

_CODE = (
    "x = x * {a} + {b};",
    "for (int i = 0; i < (x & {a}); i++) x += p_data[0] * i;",
    "if (x > {a}) {{ x ^= {b}; }} else if (x == {b}) {{ x = -x; }}",
    "x ^= helper(x + {a});",
    "x += getpid() / {a};",
    "p_local[0] = x - {b};",
    "x += (int)sizeof(struct {name}_s) * {a};",
)
_DATA = (
    "switch (x & 7) {{ case 0: x += {a}; break; case 1: x ^= {b}; break; case 2: x = helper({a});"
    " break; case 3: x -= {b}; break; case 4: x *= {a}; break; case 5: x = {b}; break; }}",
    'if (x == {a}) p_text = "a text {b}";',
    "{{ static int times = {a}; x += times++; }}",
    "{{ static int times; x ^= times += {b}; }}",
)
"""These also put something into data sections, and so may move what is exported from there."""


def files(library: Library) -> dict[str, str]:
    """Return the files of the library's source folder."""
    name = library.name
    found = {
        f"{name}.c": _source(library),
        f"{name}_extra.c": f"int {name}_extra(int x) {{ return x * {library.archive + 2}; }}\n",
        f"{name}_types.h": _types(name, library.header),
        f"{name}.h": _header(library),
        f"{name}.pc": _pkg_config(library),
        f"{name}-config": f"#!/bin/sh\necho {library.script}\n",
    }
    found |= dict.fromkeys(library.further, "#define FURTHER 1\n")
    if library.nodes:
        found[f"{name}.map"] = _script(library)
    return found


def statements(name: str, body: int, literals: int) -> str:
    """Return the statements of a function body.

    body     -- seed of those that are nothing but code
    literals -- seed of those that also bring data
    """
    found = []
    for seed, choices, most in ((body, _CODE, 4), (literals, _DATA, 2)):
        rolls = random.Random(seed)
        for text in rolls.choices(choices, k=rolls.randrange(most) + (choices is _CODE)):
            a, b = rolls.randrange(1, 60), rolls.randrange(1, 9999)
            found.append(text.format(a=a, b=b, name=name))
    return " ".join(found)


def _types(name: str, header: Header) -> str:
    upper = name.upper()
    lines = [f"#ifndef {upper}_TYPES", f"#define {upper}_TYPES", f"/* {header.comment} */"]
    lines += [f"#define {upper}_M{n} {value}" for n, value in enumerate(header.macros)]
    enums = ", ".join(f"{upper}_E{n} = {value}" for n, value in enumerate(header.enums))
    fields = " ".join(f"{kind} m{n}[{count}];" for n, (kind, count) in enumerate(header.fields))
    lines += [f"enum {{ {enums} }};", f"struct {name}_s {{ {fields} }};", "#endif"]
    return "\n".join(lines) + "\n"


def _header(library: Library) -> str:
    name = library.name
    inline = f"x = x * {library.header.inline % 97} + {library.header.inline % 13};"
    lines = [f'#include "{name}_types.h"']
    lines += [PROTOTYPES[kind].format(symbol) for symbol, kind in library.prototypes]
    lines.append(f"static inline int {name}_inline(int x) {{ {inline} return x; }}")
    return "\n".join(lines) + "\n"


def _pkg_config(library: Library) -> str:
    cflags = " ".join(("-I${prefix}/include", *library.cflags))
    libs = " ".join(("-L${prefix}/lib", f"-l{library.name}", *library.libs))
    return (
        f"prefix=/usr\nName: {library.name}\nDescription: a library\nVersion: 1\n"
        f"Cflags: {cflags}\nLibs: {libs}\n"
    )


def _script(library: Library) -> str:
    exported: list[list[str]] = [[] for _ in library.nodes]
    for function in library.functions:
        exported[function.node].append(function.name)
    for data in library.data:
        exported[data.node] += [data.name, *(alias for alias, _weak in data.aliases)]
    exported[0] += [name for name, _value in library.absolute]
    text, before = "", ""
    for node, names in zip(library.nodes, exported, strict=True):
        shown = "".join(f" {name};" for name in names)
        inside = (f" global:{shown}" if shown else "") + ("" if before else " local: *;")
        text += f"{node} {{{inside} }}{before};\n"
        before = f" {node}"
    return text


def _source(library: Library) -> str:
    name = library.name
    parts = [*_definitions(library)]
    random.Random(library.order).shuffle(parts)
    lines = [_PROLOGUE.format(*library.private, name=name, alignment=library.alignment)]
    if library.depends:
        lines.append("int y_f0(int); extern int y_d0[];")
        parts.append(f"int {name}_uses(int x) {{ return y_f0(x) + y_d0[0]; }}")
    for number in range(library.hidden):
        parts.append(
            f'__attribute__((visibility("hidden"))) int {name}_hidden{number}(int x)'
            f" {{ return helper(x) + {number}; }}"
        )
    for symbol, value in library.absolute:
        parts.append(_asm(f".globl {symbol}", f".set {symbol}, {value}"))
    for number, (symbol, text) in enumerate(library.warnings):
        parts.append(
            f"static const char warning{number}[]"
            f' __attribute__((used, section(".gnu.warning.{symbol}"))) = "{text}";'
        )
    return "\n".join([*lines, *parts]) + "\n"


def _definitions(library: Library) -> Iterator[str]:
    for function in library.functions:
        yield _function(library, function)
        if function.former and function.node and library.nodes and function.form == "plain":
            former = f"{function.name}_former"
            yield (
                f"#ifdef SHARED\nint {former}(int x) {{ return helper(x) - 1; }}\n"
                f"{_asm(f'.symver {former}, {function.name}@{library.nodes[0]}')}\n#endif"
            )
    for data in library.data:
        yield _assembled(data) if data.form != "plain" else _data(data)


def _function(library: Library, function: Function) -> str:
    name = function.name
    calls = " ".join(
        "if (hook) x += hook();" if IMPORTS[index] == "hook" else f"x += {IMPORTS[index]}();"
        for index in function.imports
    )
    body = f"{{ {statements(library.name, function.body, function.literals)} {calls} return x; }}"
    if function.form == "ifunc":
        chosen = _asm(
            *_symbol(function),
            f".type {name}, @gnu_indirect_function",
            f".set {name}, {name}_pick",
        )
        return (
            f"static int {name}_1(int x) {body}\n"
            f"__attribute__((used)) static int (*{name}_pick(void))(int) {{ return {name}_1; }}\n"
            f"{chosen}"
        )
    further = ("constructor",) if function.form == "constructor" else ()
    return f"{_attributes(function, *further)}int {name}(int x) {body}"


def _data(data: Data) -> str:
    further = (f"aligned({data.align})",) if data.align else ()
    words = _attributes(data, *further) + ("__thread " if data.local else "")
    kind, value = f"{data.type} ", ""
    if data.const:
        kind = f"const {kind}"
    if data.pointer:
        kind = f"const volatile void *{'const ' if data.const else ''}"
        value = " = { p_data, }"
    elif data.value:
        value = f" = {{ {data.value}, }}"
    lines = [f"{words}{kind}{data.name}[{data.count}]{value};"]
    for alias, weak in data.aliases:
        marks = _attributes(replace(data, weak=weak), f'alias("{data.name}")')
        lines.append(f"extern {kind}{alias}[{data.count}] {marks};")
    return "\n".join(lines)


def _attributes(one: Function | Data, *further: str) -> str:
    words = [f'visibility("{one.visibility}")', *(["weak"] if one.weak else []), *further]
    return f"__attribute__(({', '.join(words)})) "


def _assembled(data: Data) -> str:
    """Return data of a form that C has no words for."""
    size = 4 * data.count
    lines = [f".pushsection {'.data' if data.value else '.bss'}", f".balign {data.align or 8}"]
    if data.form == "unique":
        lines += [f".type {data.name}, @gnu_unique_object", f".size {data.name}, {size}"]
    else:
        lines += _symbol(data)
    lines.append(f"{data.name}:")
    lines += [f".word {data.value}", f".zero {size - 4}"] if data.value else [f".zero {size}"]
    return _asm(*lines, ".popsection")


def _symbol(one: Function | Data) -> list[str]:
    """Return the assembler's words for binding and visibility."""
    lines = [f".{'weak' if one.weak else 'globl'} {one.name}"]
    return lines if one.visibility == "default" else [*lines, f".{one.visibility} {one.name}"]


def _asm(*lines: str) -> str:
    text = "\\n".join(lines)
    return f'__asm__("{text}");'
