"""Changes of a library's code and of how it is linked.

Each takes a library and returns it changed, or as it is where it finds nothing to change.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from incremental.cutoff.model import IMPORTS, SIZES, Data, Function, Library
from incremental.cutoff.random_library import COUNTS, random_data, random_function, versioned

_T = TypeVar("_T")

_SEEDS = 1 << 16
_COMPILE = (
    *("-O0", "-O1", "-O2", "-Os", "-g", "-fcommon", "-fno-plt", "-fdata-sections"),
    *("-ffunction-sections", "-fmerge-all-constants", "-march=rv64gc_zba"),
)
_LINK = (
    "-Wl,-O1",
    "-Wl,--gc-sections",
    "-Wl,--hash-style=sysv",
    "-Wl,--hash-style=both",
    "-Wl,--build-id",
    "-Wl,-z,noseparate-code",
    "-Wl,-Bsymbolic",
    "-Wl,-Bsymbolic-functions",
    "-Wl,-z,norelro",
    "-Wl,-z,now",
    "-Wl,-z,nodelete",
    "-Wl,-s",
    "-Wl,--sort-common",
    "-Wl,-rpath,/opt/lib",
    "-Wl,-rpath,/opt/lib,--disable-new-dtags",
    "-Wl,-z,max-page-size=65536",
)


def function_body(library: Library, rolls: random.Random) -> Library:
    return _function(library, rolls, lambda _: {"body": rolls.randrange(_SEEDS)})


def literals(library: Library, rolls: random.Random) -> Library:
    return _function(library, rolls, lambda _: {"literals": rolls.randrange(_SEEDS)})


def private_function(library: Library, _rolls: random.Random) -> Library:
    return replace(library, hidden=library.hidden + 1)


def private_data(library: Library, rolls: random.Random) -> Library:
    sizes = list(library.private)
    sizes[rolls.randrange(len(sizes))] = rolls.randrange(1, 90)
    return replace(library, private=tuple(sizes))


def private_alignment(library: Library, rolls: random.Random) -> Library:
    return replace(library, alignment=other(rolls, (8, 16, 64, 128), library.alignment))


def initial_value(library: Library, rolls: random.Random) -> Library:
    return _data(library, rolls, lambda one: {"value": one.value and 100 + rolls.randrange(9)})


def order(library: Library, rolls: random.Random) -> Library:
    return replace(library, order=rolls.randrange(_SEEDS))


def compiler_flag(library: Library, rolls: random.Random) -> Library:
    return replace(library, compile=(*library.compile, rolls.choice(_COMPILE)))


def linker_flag(library: Library, rolls: random.Random) -> Library:
    return replace(library, link=(*library.link, rolls.choice(_LINK)))


def zero_or_not(library: Library, rolls: random.Random) -> Library:
    return _data(library, rolls, lambda one: {"value": 0 if one.value else rolls.randrange(1, 99)})


def imports(library: Library, rolls: random.Random) -> Library:
    some = tuple(sorted(rolls.sample(range(len(IMPORTS)), rolls.randrange(3))))
    return _function(library, rolls, lambda _: {"imports": some})


def new_symbol(library: Library, rolls: random.Random) -> Library:
    name = f"{library.name}_new{rolls.randrange(9)}"
    if rolls.random() < 0.5:
        return replace(library, functions=(*library.functions, random_function(rolls, name)))
    return replace(library, data=(*library.data, random_data(rolls, name)))


def removed_symbol(library: Library, rolls: random.Random) -> Library:
    if rolls.random() < 0.5:
        return replace(library, functions=_without(library.functions, rolls))
    return replace(library, data=_without(library.data, rolls))


def renamed_symbol(library: Library, rolls: random.Random) -> Library:
    return _function(library, rolls, lambda one: {"name": f"{one.name}r"}, keep_first=True)


def weak(library: Library, rolls: random.Random) -> Library:
    if rolls.random() < 0.5:
        return _function(library, rolls, lambda one: {"weak": not one.weak})
    return _data(library, rolls, lambda one: {"weak": not one.weak})


def visibility(library: Library, rolls: random.Random) -> Library:
    def facts(one: Function | Data) -> Mapping[str, Any]:
        return {"visibility": other(rolls, ("default", "protected", "hidden"), one.visibility)}

    if rolls.random() < 0.5:
        return _function(library, rolls, facts, keep_first=True)
    return _data(library, rolls, facts)


def function_form(library: Library, rolls: random.Random) -> Library:
    forms = ("plain", "ifunc", "constructor")
    return _function(library, rolls, lambda one: {"form": other(rolls, forms, one.form)})


def data_size(library: Library, rolls: random.Random) -> Library:
    return _data(library, rolls, lambda one: {"count": other(rolls, COUNTS, one.count)})


def data_type(library: Library, rolls: random.Random) -> Library:
    return _data(library, rolls, lambda one: {"type": other(rolls, tuple(SIZES), one.type)})


def data_alignment(library: Library, rolls: random.Random) -> Library:
    return _data(library, rolls, lambda one: {"align": other(rolls, (0, 16, 32, 64), one.align)})


def const(library: Library, rolls: random.Random) -> Library:
    return _data(library, rolls, lambda one: {"const": not one.const and not one.local})


def relocated(library: Library, rolls: random.Random) -> Library:
    return _data(library, rolls, lambda one: {"pointer": not one.pointer and not one.local})


def thread_local(library: Library, rolls: random.Random) -> Library:
    def facts(one: Data) -> Mapping[str, Any]:
        gone = {"const": False, "pointer": False, "aliases": (), "form": "plain"}
        return {"local": not one.local, **gone}

    return _data(library, rolls, facts)


def data_form(library: Library, rolls: random.Random) -> Library:
    def facts(one: Data) -> Mapping[str, Any]:
        form = other(rolls, ("plain", "unique", "label"), one.form)
        return {"form": form, "local": False, "pointer": False, "aliases": ()}

    return _data(library, rolls, facts)


def alias(library: Library, rolls: random.Random) -> Library:
    """Add one, take one away, make one weak or strong, or let it name other data."""

    def facts(one: Data) -> Mapping[str, Any]:
        names = list(one.aliases)
        if names and rolls.random() < 0.6:
            name, is_weak = names.pop(rolls.randrange(len(names)))
            if rolls.random() < 0.6:
                names.append((name, not is_weak))
        else:
            names.append((f"{one.name}_c{rolls.randrange(9)}", rolls.random() < 0.6))
        return {"aliases": tuple(dict(names).items())}

    return _data(library, rolls, facts, lambda one: one.form == "plain" and not one.local)


def alias_target(library: Library, rolls: random.Random) -> Library:
    """Let a name that was an alias of some data be one of other data, of the same form if any."""
    places = [n for n, one in enumerate(library.data) if one.form == "plain" and not one.local]
    givers = [n for n in places if library.data[n].aliases]
    if not givers or len(places) < 2:
        return library
    giver = rolls.choice(givers)
    data = list(library.data)
    twins = [n for n in places if n != giver and _form(data[n]) == _form(data[giver])]
    taker = rolls.choice(twins or [n for n in places if n != giver])
    moved = data[giver].aliases[:1]
    data[giver] = replace(data[giver], aliases=data[giver].aliases[1:])
    data[taker] = replace(data[taker], aliases=data[taker].aliases + moved)
    return replace(library, data=tuple(data))


def _form(data: Data) -> Data:
    return replace(data, name="", aliases=())


def version_script(library: Library, rolls: random.Random) -> Library:
    return versioned(rolls, library, other(rolls, (0, 1, 2), len(library.nodes)))


def symbol_version(library: Library, rolls: random.Random) -> Library:
    if len(library.nodes) < 2:
        return replace(library, nodes=(*library.nodes, f"{library.name.upper()}_NEW"))
    change = rolls.choice(("node", "former", "name"))
    if change == "node":
        return _function(library, rolls, lambda one: {"node": 1 - one.node})
    if change == "former":
        return _function(library, rolls, lambda one: {"former": not one.former, "node": 1})
    return replace(library, nodes=(library.nodes[0], f"{library.nodes[1]}B"))


def absolute(library: Library, rolls: random.Random) -> Library:
    return replace(library, absolute=((f"{library.name}_abs", rolls.randrange(1, 1 << 12)),))


def warning(library: Library, rolls: random.Random) -> Library:
    if library.warnings:
        return replace(library, warnings=())
    symbols = [one.name for one in library.functions] + [one.name for one in library.data]
    return replace(library, warnings=((rolls.choice(symbols), "mind the gap"),))


def _function(
    library: Library,
    rolls: random.Random,
    facts: Callable[[Function], Mapping[str, Any]],
    *,
    keep_first: bool = False,
) -> Library:
    """Return the library with other facts of one function."""
    functions = list(library.functions)
    place = rolls.randrange(keep_first, len(functions))
    functions[place] = replace(functions[place], **facts(functions[place]))
    return replace(library, functions=tuple(functions))


def _data(
    library: Library,
    rolls: random.Random,
    facts: Callable[[Data], Mapping[str, Any]],
    which: Callable[[Data], bool] = lambda _: True,
) -> Library:
    """Return the library with other facts of some of its data."""
    data = list(library.data)
    place = rolls.choice([n for n, one in enumerate(data) if which(one)])
    data[place] = replace(data[place], **facts(data[place]))
    return replace(library, data=tuple(data))


def _without(symbols: tuple[_T, ...], rolls: random.Random) -> tuple[_T, ...]:
    """Return the symbols without one, never without the first."""
    gone = rolls.randrange(1, len(symbols))
    return symbols[:gone] + symbols[gone + 1 :]


def other(rolls: random.Random, choices: tuple[_T, ...], old: object) -> _T:
    return rolls.choice([one for one in choices if one != old])
