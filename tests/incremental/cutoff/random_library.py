"""Random libraries: a bit of everything that a linker treats differently."""

from __future__ import annotations

import random
from dataclasses import replace

from incremental.cutoff.model import IMPORTS, SIZES, Data, Function, Header, Library

COUNTS = (1, 1, 2, 3, 5, 17)
LINKS: tuple[tuple[str, ...], ...] = (
    (),
    (),
    (),
    ("-Wl,-z,now",),
    ("-Wl,-z,norelro",),
    ("-Wl,-Bsymbolic",),
)
_SEEDS = 1 << 16


def random_function(rolls: random.Random, name: str) -> Function:
    """Return a function with the given name."""
    return Function(
        name,
        body=rolls.randrange(_SEEDS),
        literals=rolls.randrange(_SEEDS),
        form=rolls.choice(("plain",) * 7 + ("ifunc", "constructor")),
        weak=rolls.random() < 0.15,
        visibility=rolls.choice(("default",) * 6 + ("protected", "hidden")),
        imports=tuple(sorted(rolls.sample(range(len(IMPORTS)), rolls.choice((0, 0, 1, 2))))),
    )


def random_data(rolls: random.Random, name: str) -> Data:
    """Return data with the given name."""
    local = rolls.random() < 0.15
    pointer = not local and rolls.random() < 0.15
    plain = local or pointer or rolls.random() < 0.85
    aliases = (f"{name}_a", f"{name}_b")[: rolls.choice((0, 0, 0, 1, 1, 2))]
    return Data(
        name,
        type="long" if pointer else rolls.choice(tuple(SIZES)),
        count=rolls.choice(COUNTS),
        value=0 if rolls.random() < 0.5 else rolls.randrange(1, 99),
        const=not local and rolls.random() < 0.3,
        pointer=pointer,
        local=local,
        align=rolls.choice((0, 0, 0, 16, 64)),
        weak=rolls.random() < 0.15,
        visibility=rolls.choice(("default",) * 8 + ("protected", "hidden")),
        form="plain" if plain else rolls.choice(("unique", "label")),
        aliases=tuple((alias, rolls.random() < 0.7) for alias in aliases)
        if plain and not local
        else (),
    )


def _twin(data: Data) -> Data:
    """Return other data of the same form."""
    return replace(data, name=f"{data.name}_twin", aliases=())


def random_header(rolls: random.Random) -> Header:
    """Return what stands in a header."""
    fields = rolls.randrange(1, 5)
    return Header(
        macros=tuple(rolls.randrange(99) for _ in range(2)),
        enums=tuple(rolls.randrange(99) for _ in range(3)),
        fields=tuple((rolls.choice(tuple(SIZES)), rolls.choice(COUNTS)) for _ in range(fields)),
        inline=rolls.randrange(_SEEDS),
    )


def random_library(rolls: random.Random, name: str, *, depends: bool = False) -> Library:
    """Return a library with the given name; `depends` tells whether it uses another one.

    Its first function and its first data are plain, so that there is always something to change.
    """
    functions = [random_function(rolls, f"{name}_f{n}") for n in range(rolls.randrange(2, 6))]
    functions[0] = Function(f"{name}_f0", body=rolls.randrange(_SEEDS), imports=(0,))
    data = [random_data(rolls, f"{name}_d{n}") for n in range(rolls.randrange(2, 7))]
    data[0] = Data(f"{name}_d0", value=rolls.randrange(2))
    if rolls.random() < 0.3:
        data.append(_twin(rolls.choice(data)))
    static = rolls.random() < 0.3
    library = Library(
        name=name,
        functions=tuple(functions),
        data=tuple(data),
        header=random_header(rolls),
        private=tuple(rolls.randrange(1, 40) for _ in range(4)),
        alignment=rolls.choice((8, 8, 16, 64)),
        hidden=rolls.randrange(1, 3),
        order=rolls.randrange(_SEEDS),
        absolute=((f"{name}_abs", rolls.randrange(1, 1 << 12)),) if rolls.random() < 0.3 else (),
        soname=rolls.choice((f"lib{name}.so.1",) * 5 + ("",)),
        file=f"lib{name}.so.1.0",
        compile=(rolls.choice(("-O0", "-O1", "-O2", "-Os")),),
        link=rolls.choice(LINKS),
        shared=depends or not static or rolls.random() < 0.8,
        static=static,
        archive=rolls.randrange(9),
        depends=depends,
    )
    library = versioned(rolls, library, rolls.choice((0, 0, 0, 1, 2)))
    return replace(library, prototypes=library.declared())


def versioned(rolls: random.Random, library: Library, count: int) -> Library:
    """Return the library with a version script of so many nodes, or with none."""
    nodes = tuple(f"{library.name.upper()}_{number}" for number in range(1, count + 1))
    choices = range(max(count, 1))
    return replace(
        library,
        nodes=nodes,
        functions=tuple(
            replace(one, node=rolls.choice(choices), former=rolls.random() < 0.5)
            for one in library.functions
        ),
        data=tuple(replace(one, node=rolls.choice(choices)) for one in library.data),
    )
