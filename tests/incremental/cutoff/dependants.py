"""What is built with a library: programs and libraries, linked in every way that differs.

A link's words are the compiler's; OBJECTS stands for the dependant's own object files, LIBRARY for
the library, NEEDS for what a static library leaves to another one.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from incremental.cutoff import uses
from incremental.cutoff.model import Library

_OPTIONS = (
    *("-rdynamic", "-s", "-Wl,--as-needed", "-Wl,--no-as-needed", "-Wl,-O2", "-Wl,--gc-sections"),
    *("-Wl,--hash-style=both", "-Wl,--hash-style=sysv", "-Wl,--build-id", "-Wl,--sort-common"),
    *("-Wl,-z,now", "-Wl,-z,norelro", "-Wl,-z,nocopyreloc", "-Wl,-z,separate-code"),
    *("-Wl,--emit-relocs", "-Wl,--dynamic-list-data", "-Wl,--no-relax", "-Wl,-Bsymbolic"),
    *(
        "-Wl,--copy-dt-needed-entries",
        "-Wl,--copy-dt-needed-entries",
        "-Wl,--default-imported-symver",
    ),
    *("-Wl,--warn-common", "-Wl,--unresolved-symbols=ignore-all", "-Wl,--discard-all"),
)
_ORDER: tuple[tuple[str, ...], ...] = (
    ("OBJECTS", "LIBRARY"),
    ("-Wl,--no-as-needed", "LIBRARY", "OBJECTS"),
)
_STATIC = ("OBJECTS", "-Wl,-Bstatic", "LIBRARY", "-Wl,-Bdynamic", "NEEDS")


@dataclass(frozen=True)
class Unit:
    """A source file of a dependant."""

    name: str
    text: str
    options: tuple[str, ...]


@dataclass(frozen=True)
class Dependant:
    """Something that is linked with a library.

    output     -- its file name; later dependants of the same case may be linked with it
    pkg_config -- whether the flags come from pkg-config instead
    """

    name: str
    output: str
    units: tuple[Unit, ...]
    link: tuple[str, ...]
    pkg_config: bool = False


class Drawn:
    """The dependants of one case: those that every case has, and some of the others."""

    def __init__(self, library: Library, rolls: random.Random) -> None:
        self._library = library
        self._rolls = rolls

    def all(self) -> tuple[Dependant, ...]:
        """Return them in the order in which they are to be built."""
        return tuple(self._all())

    def _all(self) -> Iterator[Dependant]:
        library, chance = self._library, self._rolls.random
        yield self._program("pie", ("-fPIE",), "-pie")
        yield self._program("copy", ("-fno-pie",), "-no-pie")
        yield self._shared()
        if library.shared:
            yield self._common()
            yield self._own()
        if library.static:
            yield self._program("static", ("-fPIE",), "-pie", order=_STATIC)
            if chance() < 0.3:
                yield self._program("partial", ("-fPIC",), "-r", "-nostdlib", order=_STATIC[:3])
            if chance() < 0.3 and not library.depends:
                yield self._program("all-static", ("-fno-pie",), "-static")
        if chance() < 0.4:
            yield self._program("pkg-config", ("-fPIE",), pkg_config=True)
        if chance() < 0.4:
            yield self._after()
        if chance() < 0.4:
            yield from self._pair()
        if chance() < 0.3:
            yield self._chain()
        if chance() < 0.1:
            options = ("-fPIE", "-flto", "-frandom-seed=1")
            yield self._program("lto", options, "-pie", "-flto", "-O2", "-s")

    def _unit(self, name: str, text: str, *options: str) -> Unit:
        return Unit(name, text, (self._rolls.choice(("-O0", "-O2")), *options))

    def _use(self, name: str, *options: str, many: int = 0) -> Unit:
        former = self._library.shared and self._rolls.random() < 0.5
        text = uses.use(self._library, self._rolls, f"use_{name}", former=former, many=many)
        return self._unit(f"use_{name}", text, *options)

    def _main(self, name: str, *functions: str) -> Unit:
        return Unit(f"main_{name}", uses.main(*functions), ("-O1", "-fPIC"))

    def _more(self) -> tuple[str, ...]:
        return tuple(self._rolls.sample(_OPTIONS, self._rolls.choice((0, 0, 1, 1, 2, 3))))

    def _program(
        self,
        name: str,
        compile_options: tuple[str, ...],
        *link: str,
        order: tuple[str, ...] = _ORDER[0],
        pkg_config: bool = False,
    ) -> Dependant:
        plain = name.replace("-", "_")
        debug = ("-g",) if self._rolls.random() < 0.1 else ()
        units = (
            self._main(plain, f"use_{plain}"),
            self._use(plain, *compile_options, *debug),
        )
        words = (*link, *(() if "-r" in link else self._more()), *order)
        return Dependant(name, plain, units, words, pkg_config)

    def _shared(self) -> Dependant:
        units = (self._use("shared", "-fPIC"),)
        defined = ("-Wl,-z,defs",) if self._rolls.random() < 0.3 else ()
        words = ("-shared", "-Wl,-soname,libuser.so.1", *defined, *self._more())
        return Dependant("shared", "libuser.so", units, (*words, *_ORDER[0]))

    def _common(self) -> Dependant:
        """A program with tentative definitions of the library's data."""
        text = uses.tentative(self._rolls, self._library.declared())
        pie = self._rolls.choice((("-fPIE", "-pie"), ("-fno-pie", "-no-pie")))
        units = (
            self._main("common", "use_common"),
            self._use("common", pie[0]),
            self._unit("tentative", text, "-fcommon", pie[0]),
        )
        words = (pie[1], *self._more(), *self._rolls.choice(_ORDER))
        return Dependant("common", "common", units, words)

    def _own(self) -> Dependant:
        """A program or library that defines some of the library's symbols itself."""
        text = uses.definitions(self._rolls, self._library.declared())
        units = (
            self._main("own", "use_own"),
            self._use("own", "-fPIC"),
            self._unit("definitions", text, "-fPIC"),
        )
        how = self._rolls.choice(("-pie", "-no-pie", "-shared"))
        return Dependant("own", "own", units, (how, *self._more(), *self._rolls.choice(_ORDER)))

    def _after(self) -> Dependant:
        """A program whose own indirect functions come behind the library."""
        units = (
            self._main("after", "use_after", "use_after2"),
            self._use("after", "-fPIE", many=3),
            self._use("after2", "-fPIE", many=4),
        )
        return Dependant("after", "after", units, (*self._more(), *_ORDER[1]))

    def _pair(self) -> Iterator[Dependant]:
        """A library with symbols of the same names, and a program that is linked with both."""
        library, rolls = self._library, self._rolls
        units = (
            self._unit("pair", uses.definitions(rolls, library.declared()), "-fPIC"),
            self._unit("refers", uses.references(rolls, library.declared()), "-fPIC"),
        )
        words = ("-shared", "-Wl,-soname,libpair.so.1", "OBJECTS")
        yield Dependant("pair's other", "libpair.so", units, words)
        pie = rolls.choice((("-fPIE", "-pie"), ("-fno-pie", "-no-pie")))
        both = rolls.choice((("-lpair", "LIBRARY"), ("LIBRARY", "-lpair")))
        units = (self._main("pair", "use_pair"), self._use("pair", pie[0]))
        yield Dependant("pair", "pair", units, (pie[1], *self._more(), "OBJECTS", "-L.", *both))

    def _chain(self) -> Dependant:
        """A program that is linked with the shared dependant, which needs the library."""
        library = ("LIBRARY",) if self._rolls.random() < 0.5 else ()
        units = (self._main("chain", "use_shared"),)
        words = (*self._more(), "OBJECTS", "-L.", "-luser", *library)
        return Dependant("chain", "chain", units, words)
