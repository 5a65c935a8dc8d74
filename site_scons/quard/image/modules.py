"""The index of an image's kernel modules for modprobe: modules.dep(5) and related files.

It is made here from the modules themselves, whichever packages and overlays they come from, so
that an image does not depend on the build machine's depmod. An image without modules has no index.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from quard.base.errors import QuardError
from quard.base.record import Record, record
from quard.image.content import Content
from quard.image.elf_content import opened_elf
from quard.image.tree import Node, Tree
from quard.parts.elf import SHT_SYMTAB
from quard.parts.elf_view import View

FOLDER = "usr/lib/modules"
_MODULE = re.compile(rf"{FOLDER}/([^/]+)/(.+)\.ko(\.gz|\.xz|\.zst)?")
_OVERRIDES = "updates/"
"""Folder of modules that replace the kernel's own modules of the same name."""
_EXPORT = b"__ksymtab_"
_RANGE = re.compile(r"(.)-(.)")
_CLASS = re.compile(r"\[[^]]*\]")


@record
class _Module(Record):
    """path -- below the version's folder; needs -- names of modules that it uses directly."""

    name: str
    path: str
    needs: tuple[str, ...]
    aliases: tuple[str, ...]
    symbols: tuple[str, ...]


def index(tree: Tree) -> Iterator[tuple[str, Node] | QuardError]:
    """Yield path and node of every index file, for each kernel version that has modules.

    Yields errors for what cannot be indexed: bad-elf, compressed-module, missing-module.
    """
    versions: dict[str, dict[str, _Module]] = {}
    for path, found in _found(tree):
        try:
            module = _read(tree, path, found[2], found[3] or "")
        except QuardError as error:
            yield error
            continue
        modules = versions.setdefault(found[1], {})
        if module.name not in modules or module.path.startswith(_OVERRIDES):
            modules[module.name] = module
    for version, modules in versions.items():
        yield from _version(tree, f"{FOLDER}/{version}", modules)


def _found(tree: Tree) -> Iterator[tuple[str, re.Match[str]]]:
    for path in sorted(path for path in tree.nodes if path.startswith(f"{FOLDER}/")):
        found = _MODULE.fullmatch(path)
        if found and tree.nodes[path].kind == "file":
            yield path, found


def _version(
    tree: Tree, folder: str, modules: Mapping[str, _Module]
) -> Iterator[tuple[str, Node] | QuardError]:
    dep, alias, symbols = [], [], []
    for module in sorted(modules.values(), key=lambda module: module.path):
        missing = [name for name in module.needs if name not in modules]
        if missing:
            yield _missing(tree, f"{folder}/{module.path}", missing)
        dep.append(" ".join((f"{module.path}:", *_closure(module, modules))))
        alias += [f"alias {spelled_out(pattern)} {module.name}" for pattern in module.aliases]
        symbols += [f"alias symbol:{symbol} {module.name}" for symbol in module.symbols]
    for name, lines in (("dep", dep), ("alias", alias), ("symbols", symbols)):
        data = "".join(f"{line}\n" for line in lines).encode()
        yield f"{folder}/modules.{name}", Node("file", 0o644, content=Content(len(data), data))


def spelled_out(pattern: str) -> str:
    """Return an alias without ranges: busybox takes the dash in [0-9] for part of a name."""
    return _CLASS.sub(lambda found: _RANGE.sub(_range, found[0]), pattern)


def _range(found: re.Match[str]) -> str:
    return "".join(map(chr, range(ord(found[1]), ord(found[2]) + 1)))


def _closure(module: _Module, modules: Mapping[str, _Module]) -> Sequence[str]:
    """Return the paths of all modules that a module needs, each before its own dependencies.

    modprobe loads the last one first.
    """
    seen = {module.name}
    done: list[str] = []
    ahead = [(module, iter(module.needs))]  # a chain may be longer than Python's stack
    while ahead:
        user, needs = ahead[-1]
        name = next((name for name in needs if name in modules and name not in seen), None)
        if name is None:
            done.append(user.path)
            ahead.pop()
        else:
            seen.add(name)
            ahead.append((modules[name], iter(modules[name].needs)))
    return done[-2::-1]


def _read(tree: Tree, path: str, below: str, compressed: str) -> _Module:
    """Read a module; `below` is its path below the version's folder, without the suffix."""
    if compressed:
        raise _compressed(tree, path)
    content = tree.nodes[path].content or Content(0)
    try:
        with opened_elf(content) as view:
            info, exported = _info(view), _exported(view)
    except QuardError as error:
        if error.reason != "bad-elf":
            raise
        raise QuardError(
            f"/{path} of {tree.owners[path]} is a damaged kernel module",
            detail=error.detail,
            reason="bad-elf",
            hint="rebuild what installs it",
        ) from error
    needs = [name for key, names in info if key == "depends" for name in names.split(",")]
    return _Module(
        name=_plain(below.rpartition("/")[2]),
        path=f"{below}.ko",
        needs=tuple(_plain(name) for name in needs if name),
        aliases=tuple(value for key, value in info if key == "alias"),
        symbols=exported,
    )


def _info(view: View) -> list[tuple[str, str]]:
    """Return the fields that modinfo(8) shows."""
    texts = view.named(".modinfo").decode().split("\0")
    fields = [text.partition("=") for text in texts if text]
    return [(key, value) for key, _, value in fields]


def _exported(view: View) -> tuple[str, ...]:
    """Return the symbols that other modules may use."""
    table = view.typed(SHT_SYMTAB)
    names = view.symbol_names(table, _EXPORT) if table else ()
    return tuple(sorted({name[len(_EXPORT) :] for name in names}))


def _plain(name: str) -> str:
    """Return a module's name as the kernel knows it."""
    return name.replace("-", "_")


def _compressed(tree: Tree, path: str) -> QuardError:
    return QuardError(
        f"/{path} of {tree.owners[path]} is a compressed kernel module",
        detail="its debug information cannot be split off, and its aliases cannot be read",
        reason="compressed-module",
        hint='add "# CONFIG_MODULE_COMPRESS is not set" to the board\'s fragment of linux;'
        " squashfs and cpio.gz are compressed as a whole",
    )


def _missing(tree: Tree, path: str, names: Sequence[str]) -> QuardError:
    return QuardError(
        f"/{path} of {tree.owners[path]} needs a kernel module that is not in the image",
        detail="\n".join(names),
        reason="missing-module",
        hint="install that module as well, or leave this one out",
    )
