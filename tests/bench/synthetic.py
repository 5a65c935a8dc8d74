"""Boards of any size whose packages depend on each other as real ones do; the same from a seed.

A few hubs (a zlib, an openssl) that many use, libraries in layers that use hubs and layers below,
and twice as many programs on top. Most packages only install files, so that a board of thousands
can be built in minutes; some compile one C file or run a configure script, and link with what they
need. All go through the engine like any other package.
"""

from __future__ import annotations

import hashlib
import io
import random
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from incremental.project import Project

Kind = Literal["hub", "library", "program"]
Form = Literal["compiled", "configured", "installed"]

_LAYERS = 5
_HUB_TICKETS = 8
"""How much likelier a hub is to be needed than a library that nobody needs yet."""
_LIBRARY_NEEDS = (1, 2, 2, 3, 3)
_PROGRAM_NEEDS = (1, 2, 3, 3, 4, 6)
_COMPILED_EVERY = 25
_CONFIGURED_EVERY = 20
_FEATURE_EVERY = 4
_SHARE = 50
"""Packages that are made from one archive."""

_MAKEFILE = """\
-include config.mk
.PHONY: library program data install-data
library: lib$(NAME).so.1
program: $(NAME)
lib$(NAME).so.1: library.c
\t$(CC) $(CFLAGS) -I$(FILES) -DNAME=$(NAME) -fPIC -shared -Wl,-soname,$@ -o $@ $< $(LIBS)
$(NAME): program.c
\t$(CC) $(CFLAGS) -I$(FILES) -DNAME=$(NAME) -o $@ $< $(LIBS)
data:
\tcp data.txt made.txt
install-data:
\tmkdir -p $(DESTDIR)/usr/share/$(NAME)
\tcp made.txt $(DESTDIR)/usr/share/$(NAME)/made.txt
"""
_PASTE = "#define PASTE_(a, b) a##b\n#define PASTE(a, b) PASTE_(a, b)\n"
_SOURCES = {
    "COPYING": "MIT\n",
    "Makefile": _MAKEFILE,
    "library.c": f'{_PASTE}#include "body.h"\nint PASTE(NAME, _value)(void) {{ return VALUE; }}\n',
    "program.c": '#include "body.h"\nint main(void) { return VALUE; }\n',
    "configure": '#!/bin/sh\nprintf "arguments := %s\\n" "$*" > config.mk\n',
}

_RECIPE = """\
from quard.model import Autotools, Custom, Feature, Install, Make, Source, Symlink

RECIPE = {style}(
    summary="Synthetic {kind} {name}",
    version="{version}",
    sources=[
        Source(
            "{url}",
            sha256="{sha256}",
            provenance="made by the generator",
        ),
    ],
    license="MIT",
    license_files=["COPYING"],
    homepage="https://example.org/{name}",
    needs=[{needs}],
    exports=[{exports}],
{fields})
"""


@dataclass(frozen=True)
class Shape:
    """One package of a synthetic board.

    needs    -- libraries of lower layers, sorted
    exports  -- those of them that its header includes
    archive  -- number of the source that it is made from
    optional -- it has a feature that nobody switches on
    """

    name: str
    kind: Kind
    form: Form
    needs: tuple[str, ...]
    exports: tuple[str, ...]
    archive: int
    optional: bool


def shapes(count: int, seed: int) -> tuple[Shape, ...]:
    """Return `count - 1` packages, dependencies first; the C library is the remaining one."""
    if count < 5:
        raise ValueError("a board has at least 5 packages")
    chance = random.Random(f"{seed} {count}")
    hubs = max(1, min(12, count // 50))
    libraries = max(2, (count - 1) // 3 - hubs)
    tickets: list[str] = []
    made: list[Shape] = []

    def add(kind: Kind, number: int, wanted: int) -> Shape:
        name = f"{kind}{number:04d}"
        needs = sorted({chance.choice(tickets) for _ in range(wanted)})
        tickets.extend(needs)  # who has users gets more
        exports = [need for need in needs if kind == "library" and chance.random() < 0.2]
        shape = Shape(
            name=name,
            kind=kind,
            form=_form(kind, number),
            needs=tuple(needs),
            exports=tuple(exports),
            archive=len(made) // _SHARE,
            optional=number % _FEATURE_EVERY == 0,
        )
        made.append(shape)
        return shape

    for number in range(hubs):
        add("hub", number, 0)
    tickets += [shape.name for shape in made for _ in range(_HUB_TICKETS)]
    for layer in range(_LAYERS):
        numbers = range(layer * libraries // _LAYERS, (layer + 1) * libraries // _LAYERS)
        ready = [add("library", n, chance.choice(_LIBRARY_NEEDS)).name for n in numbers]
        tickets += ready  # of its own layer a library needs none
    for number in range(count - 1 - len(made)):
        add("program", number, chance.choice(_PROGRAM_NEEDS))
    return tuple(made)


def _form(kind: Kind, number: int) -> Form:
    if kind == "hub" or number % _COMPILED_EVERY == 1:
        return "compiled"
    return "configured" if number % _CONFIGURED_EVERY == 2 else "installed"


@dataclass(frozen=True)
class Board:
    """A synthetic board on the disk."""

    project: Project
    shapes: tuple[Shape, ...]

    @property
    def leaf(self) -> Shape:
        """A program that only installs files, and that nobody needs."""
        return next(s for s in self.shapes if s.kind == "program" and s.form == "installed")

    def change_leaf(self, text: str) -> None:
        """Give the leaf's own file another content."""
        path = self.project.folder / "packages" / self.leaf.name / "data.txt"
        path.write_text(f"{self.leaf.name} {text}\n", encoding="utf-8")


def generate(folder: Path, count: int, seed: int = 1) -> Board:
    """Write a project with a board of `count` packages into the new folder `folder`/project."""
    board = Board(Project(folder / "project"), shapes(count, seed))
    compiled = {shape.name for shape in board.shapes if shape.form == "compiled"}
    archives: dict[int, tuple[str, str]] = {}
    for shape in board.shapes:
        if shape.archive not in archives:
            files = {**_SOURCES, "data.txt": f"archive {shape.archive}\n"}
            archives[shape.archive] = _archive(board.project.sources, _version(shape), files)
        _write(board.project, shape, archives[shape.archive], compiled)
    board.project.board(["libc", *sorted(shape.name for shape in board.shapes)])
    return board


def _archive(folder: Path, version: str, files: Mapping[str, str]) -> tuple[str, str]:
    """Make one archive; return its address and its hash."""
    path = folder / f"shared-{version}.tar.xz"
    with tarfile.open(path, "w:xz") as tar:
        for name, text in sorted(files.items()):
            info = tarfile.TarInfo(f"shared-{version}/{name}")
            info.size = len(text.encode())
            info.mode = 0o755 if text.startswith("#!") else 0o644
            tar.addfile(info, io.BytesIO(text.encode()))
    return path.as_uri(), hashlib.sha256(path.read_bytes()).hexdigest()


def _version(shape: Shape) -> str:
    return f"1.{shape.archive}"


def _write(project: Project, shape: Shape, archive: tuple[str, str], compiled: set[str]) -> None:
    folder = project.folder / "packages" / shape.name
    folder.mkdir()
    links = [need for need in shape.needs if need in compiled]
    style, fields = _STYLES[shape.form](shape, links)
    if shape.optional and shape.form != "installed":
        fields += _feature(shape)
    text = _RECIPE.format(
        style=style,
        kind=shape.kind,
        name=shape.name,
        version=_version(shape),
        url=archive[0],
        sha256=archive[1],
        needs=_names(shape.needs),
        exports=_names(shape.exports),
        fields=fields,
    )
    (folder / "recipe.py").write_text(text, encoding="utf-8")
    for name, content in _own_files(shape, links).items():
        (folder / name).write_text(content, encoding="utf-8")


def _own_files(shape: Shape, links: list[str]) -> dict[str, str]:
    files = {"data.txt": f"{shape.name}\n"}
    if shape.kind != "program":
        included = "".join(f"#include <{name}.h>\n" for name in shape.exports)
        declared = f"int {shape.name}_value(void);\n" if shape.form == "compiled" else ""
        files[f"{shape.name}.h"] = f"#pragma once\n{included}{declared}"
    if shape.form == "compiled":
        included = "".join(f"#include <{name}.h>\n" for name in shape.needs)
        value = " + ".join(["1", *(f"{name}_value()" for name in links)])
        files["body.h"] = f"{included}#define VALUE ({value})\n"
    return files


def _installed(shape: Shape, links: list[str]) -> tuple[str, str]:
    del links
    return "Custom", f"    install=({_own_installs(shape)}),\n"


def _compiled(shape: Shape, links: list[str]) -> tuple[str, str]:
    libraries = " ".join(f"-l{name}" for name in links)
    variables = ("CC={cross}gcc", f"NAME={shape.name}", "FILES={files}", f"LIBS={libraries}")
    name, library = shape.name, f"lib{shape.name}.so.1"
    if shape.kind == "program":
        target, product = "program", f'Install("{name}", "usr/bin/{name}", mode="0755"),'
    else:
        target = "library"
        product = (
            f'Install("{library}", "usr/lib/{library}", mode="0755"), '
            f'Symlink("usr/lib/lib{name}.so", "{library}"),'
        )
    return "Make", (
        f"    variables=({_names(variables)}),\n"
        f'    make=("{target}",),\n'
        f"    finish=({product} {_own_installs(shape)}),\n"
    )


def _configured(shape: Shape, links: list[str]) -> tuple[str, str]:
    del links
    variable = f'"NAME={shape.name}"'
    return "Autotools", (
        f'    make=("data", {variable}),\n'
        f'    install=("install-data", {variable}),\n'
        f"    finish=({_own_installs(shape)}),\n"
    )


_STYLES = {"compiled": _compiled, "configured": _configured, "installed": _installed}


def _own_installs(shape: Shape) -> str:
    name = shape.name
    header = f'Install("{{files}}/{name}.h", "usr/include/{name}.h"),'
    own = f'Install("{{files}}/data.txt", "usr/share/{name}/data.txt"),'
    return own if shape.kind == "program" else f"{header} {own}"


def _feature(shape: Shape) -> str:
    words = ("EXTRA=1", "EXTRA=") if shape.form == "compiled" else ("--enable-x", "--disable-x")
    return f'    features=(Feature("x", "More", on=("{words[0]}",), off=("{words[1]}",)),),\n'


def _names(names: Sequence[str]) -> str:
    return "".join(f'"{name}", ' for name in names)
