"""A small C library as data: what its source, its linking and its package look like."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

SIZES = {"char": 1, "short": 2, "int": 4, "long": 8}
"""Element types of data, with their size in bytes."""

IMPORTS = ("getpid", "getuid", "rand", "hook", "sched_yield", "getppid")
"""Functions that a library may call; `hook` is a weak reference that a program may define."""


@dataclass(frozen=True)
class Function:
    """A function `int NAME(int)`.

    body     -- seed of its statements, which nobody outside can see
    literals -- seed of further statements, with texts, tables and static variables
    form     -- plain, ifunc (chosen by a resolver) or constructor (also run at start)
    node     -- index of its version among the library's nodes
    former   -- whether it is also exported under the first node, where that is not its own
    imports  -- indexes into IMPORTS of what it calls
    """

    name: str
    body: int
    literals: int = 0
    form: str = "plain"
    weak: bool = False
    visibility: str = "default"
    node: int = 0
    former: bool = False
    imports: tuple[int, ...] = ()


@dataclass(frozen=True)
class Data:
    """An array of data.

    value   -- of its first element; 0 leaves it to be zero-initialised
    pointer -- whether it holds addresses, which the loader relocates
    local   -- whether it is thread-local
    form    -- plain, unique (STB_GNU_UNIQUE) or label (neither type nor size)
    aliases -- further names, with whether they are weak
    """

    name: str
    type: str = "int"
    count: int = 1
    value: int = 0
    const: bool = False
    pointer: bool = False
    local: bool = False
    align: int = 0
    weak: bool = False
    visibility: str = "default"
    node: int = 0
    form: str = "plain"
    aliases: tuple[tuple[str, bool], ...] = ()


@dataclass(frozen=True)
class Header:
    """What a header holds besides prototypes.

    fields -- of a structure: type and count
    inline -- seed of the body of an inline function
    """

    macros: tuple[int, ...]
    enums: tuple[int, ...]
    fields: tuple[tuple[str, int], ...]
    inline: int
    comment: str = "what it is for"


@dataclass(frozen=True)
class Library:
    """A library and the package that it comes in.

    prototypes -- names that its header declares, with their kind: func, data, tls or any
    private    -- sizes of private data: initialised, zero, constant, thread-local
    alignment  -- of the private zero data
    hidden     -- number of functions of hidden visibility
    order      -- seed of the order of definitions in the source
    nodes      -- of its version script, empty without one
    warnings   -- symbols with a text that the linker prints where they are used
    soname     -- empty for none
    file       -- name of the shared library itself
    compile, link -- further options of the shared library
    shared, static -- which of the two is installed
    archive    -- seed of what only the static library holds
    cflags, libs -- further flags in its pkg-config file
    script     -- what NAME-config prints
    depends    -- whether it uses the library that it may depend on
    further    -- names of further headers
    """

    name: str
    functions: tuple[Function, ...]
    data: tuple[Data, ...]
    header: Header
    private: tuple[int, ...]
    soname: str
    file: str
    prototypes: tuple[tuple[str, str], ...] = ()
    alignment: int = 8
    hidden: int = 1
    order: int = 0
    nodes: tuple[str, ...] = ()
    absolute: tuple[tuple[str, int], ...] = ()
    warnings: tuple[tuple[str, str], ...] = ()
    compile: tuple[str, ...] = ("-O1",)
    link: tuple[str, ...] = ()
    shared: bool = True
    static: bool = False
    archive: int = 0
    cflags: tuple[str, ...] = ()
    libs: tuple[str, ...] = ()
    script: str = "1.0"
    depends: bool = False
    further: tuple[str, ...] = ()

    def declared(self) -> tuple[tuple[str, str], ...]:
        """Return what a header that names everything would declare."""
        return tuple(self._declared())

    def _declared(self) -> Iterator[tuple[str, str]]:
        for function in self.functions:
            if function.visibility != "hidden":
                yield function.name, "func"
        for data in self.data:
            if data.visibility != "hidden":
                kind = "tls" if data.local else "data"
                yield data.name, kind
                yield from ((name, kind) for name, _weak in data.aliases)
        for name, _value in self.absolute:
            yield name, "any"
