"""Changes of what lies around a library's code: names, headers, the files of its package.

Each takes a library and returns it changed.
"""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

from incremental.cutoff.changes import other
from incremental.cutoff.model import SIZES, Library

_SEEDS = 1 << 16


def soname(library: Library, rolls: random.Random) -> Library:
    names = (f"lib{library.name}.so.1", f"lib{library.name}.so.2", "")
    return replace(library, soname=other(rolls, names, library.soname))


def file_name(library: Library, _rolls: random.Random) -> Library:
    return replace(library, file=library.file + ".7")


def needed(library: Library, rolls: random.Random) -> Library:
    more = rolls.choice(("-lm", "-lresolv", "-lanl"))
    return replace(library, link=(*library.link, "-Wl,--no-as-needed", more, "-Wl,--as-needed"))


def archive(library: Library, _rolls: random.Random) -> Library:
    return replace(library, archive=library.archive + library.static)


def static_or_shared(library: Library, rolls: random.Random) -> Library:
    if library.static and library.shared and not library.depends and rolls.random() < 0.5:
        return replace(library, shared=False)
    return replace(library, static=not library.static, shared=True)


def pkg_config(library: Library, rolls: random.Random) -> Library:
    if rolls.random() < 0.5:
        return replace(library, cflags=(*library.cflags, f"-DFEATURE={rolls.randrange(9)}"))
    return replace(library, libs=(*library.libs, rolls.choice(("-lm", "-Wl,-z,now", "-lresolv"))))


def config_script(library: Library, _rolls: random.Random) -> Library:
    return replace(library, script=library.script + ".1")


def macro(library: Library, rolls: random.Random) -> Library:
    return _header(library, macros=(rolls.randrange(99), library.header.macros[1]))


def enum(library: Library, rolls: random.Random) -> Library:
    return _header(library, enums=(*library.header.enums[:2], rolls.randrange(99)))


def inline(library: Library, rolls: random.Random) -> Library:
    return _header(library, inline=rolls.randrange(_SEEDS))


def structure(library: Library, rolls: random.Random) -> Library:
    fields = list(library.header.fields)
    rolls.shuffle(fields)
    if rolls.random() < 0.6:
        fields.insert(rolls.randrange(len(fields) + 1), (rolls.choice(tuple(SIZES)), 1))
    return _header(library, fields=tuple(fields))


def comment(library: Library, rolls: random.Random) -> Library:
    return _header(library, comment=f"what it is for, told {rolls.randrange(_SEEDS)} times")


def header(library: Library, rolls: random.Random) -> Library:
    name = f"{library.name}_more{rolls.randrange(9)}.h"
    return replace(library, further=(*library.further, name))


def prototypes(library: Library, rolls: random.Random) -> Library:
    """Take prototypes out of the header, or put them in another order."""
    some = rolls.sample(library.prototypes, rolls.choice((len(library.prototypes), 2)))
    return replace(library, prototypes=tuple(some))


def _header(library: Library, **facts: Any) -> Library:
    return replace(library, header=replace(library.header, **facts))
