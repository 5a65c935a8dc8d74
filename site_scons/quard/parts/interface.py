"""The interface of a package: what dependants can observe of it, and rebuild for.

Two builds with equal interfaces give a dependant the same headers, scripts, static libraries and
link results. For a shared library, the interface is what GNU ld reads (bfd/elflink.c, functions
elf_link_add_object_symbols and _bfd_elf_adjust_dynamic_copy), which is more than names:

- imports: an executable exports what a library that it is linked with refers to;
- data: size, alignment within its section, whether the section is read-only (also by
  PT_GNU_RELRO) or thread-local, and which symbols share an address. Copy relocations depend on
  these; of a weak symbol's strong aliases, ld uses the last by size, type and name (since
  binutils 2.34);
- data without content (.bss), which looks like a common symbol: a dependant's own common symbol of
  that name (gcc -fcommon) merges with it and takes the alignment of the whole section;
- values of absolute symbols, which are copied into the output;
- the order of the symbols and the names of the sections: they determine the linker's hash tables
  and section numbers, and through them the order of its output;
- DT_NEEDED, DT_RPATH, DT_RUNPATH and DT_AUDIT, versions with their flags, attribute and property
  sections, warnings (.gnu.warning.*). Of DT_FLAGS and DT_FLAGS_1, only DF_1_PIE is read.

Sizes of functions are left out, otherwise every change would count. ld passes a size on in one
case only: to an executable that defines a function of the same name whose own size is 0 (assembler
code without .size); only debuggers and dladdr(3) read that number.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from quard.base.canonical import canonical, digest
from quard.base.files import file_sha256
from quard.parts import elf

_CODE = ("func", "ifunc")
_SPECIAL_SECTIONS = (
    ".ARM.attributes",
    ".MIPS.abiflags",
    ".gnu.attributes",
    ".note.gnu.property",
    ".riscv.attributes",
)
_WARNING = ".gnu.warning."
_LABELS = {
    "abi": "machine and ABI",
    "soname": "SONAME",
    "needed": "NEEDED",
    "rpath": "RPATH",
    "runpath": "RUNPATH",
    "audit": "AUDIT",
    "versions": "versions",
    "notes": "attributes",
}

_Groups = Mapping[tuple[int, int], Sequence[elf.Symbol]]
"""Data symbols by section and address."""


def interface(root: Path, dev: Sequence[str]) -> dict[str, Any]:
    """Return the interface of the files `dev` below `root`, as a canonical value.

    {"files": {path: {...}}, "libraries": {path: {..., "exports": {symbol: facts}, "digest": ...}}}
    Raises QuardError `bad-elf`.
    """
    files: dict[str, Any] = {}
    libraries: dict[str, Any] = {}
    for path in sorted(dev):
        place = root / path
        mode = place.lstat().st_mode
        if stat.S_ISLNK(mode):
            files[path] = {"type": "link", "target": os.readlink(place)}
        elif stat.S_ISDIR(mode):
            files[path] = {"type": "dir"}
        elif elf.is_elf(place) and (frame := elf.read(place)).library and frame.sections:
            libraries[path] = _library(place, frame)
        else:
            executable = bool(mode & 0o111)
            files[path] = {"type": "file", "executable": executable, "sha256": file_sha256(place)}
    return {"files": files, "libraries": libraries}


def difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the changes between two interfaces, a line each; empty only if they are equal."""
    lines: list[str] = []
    for path, before, after in _pairs(old["files"], new["files"]):
        lines.append(f"{_kind(path)} {path} {_verb(before, after)}")
    for path, before, after in _pairs(old["libraries"], new["libraries"]):
        if before is None or after is None:
            lines.append(f"library {path} {_verb(before, after)}")
        else:
            name = after["soname"] or Path(path).name
            lines += [f"{name}: {line}" for line in _library_difference(before, after)]
    return tuple(lines)


def _library(path: Path, frame: elf.Elf) -> dict[str, Any]:
    symbols = elf.symbols(path)
    groups = _same_address(symbols)
    exports: dict[str, str] = {}
    imports: dict[str, str] = {}
    for symbol in symbols:
        side = imports if symbol.section == elf.SHN_UNDEF else exports
        facts = _facts(symbol, frame, groups)
        key = _key(symbol)
        side[key] = f"{side[key]}; {facts}" if key in side else facts
    value: dict[str, Any] = {
        "abi": [frame.machine, frame.bits, frame.os_abi, frame.flags],
        "soname": frame.soname,
        "needed": list(frame.needed),
        "rpath": frame.rpath,
        "runpath": frame.runpath,
        "audit": list(frame.audit),
        "versions": [[version.name, version.flags] for version in elf.versions(path)],
        "sections": [section.name for section in frame.sections],
        "notes": {
            section.name: hashlib.sha256(elf.contents(path, section)).hexdigest()
            for section in frame.sections
            if section.name in _SPECIAL_SECTIONS or section.name.startswith(_WARNING)
        },
        "exports": exports,
        "imports": imports,
        "order": digest([_key(symbol) for symbol in symbols]),
    }
    return value | {"digest": digest(value)}


def _key(symbol: elf.Symbol) -> str:
    """Return the symbol with its version as linkers write it: two @ for the default."""
    if symbol.default and not symbol.version:
        return symbol.name
    own = symbol.default and symbol.section != elf.SHN_UNDEF
    return f"{symbol.name}{'@@' if own else '@'}{symbol.version}"


def _facts(symbol: elf.Symbol, frame: elf.Elf, groups: _Groups) -> str:
    """Return the other facts of a symbol, as words that `difference` compares."""
    words = [symbol.type, symbol.binding]
    if symbol.visibility != "default":
        words.append(symbol.visibility)
    if symbol.other:
        words.append(f"other={symbol.other:#x}")
    if symbol.section >= elf.SHN_LORESERVE:
        words.append(f"section={symbol.section:#x} value={symbol.value:#x} size={symbol.size}")
    elif symbol.section != elf.SHN_UNDEF and symbol.type not in _CODE:
        words += _data_facts(symbol, frame)
        names = sorted(_key(other) for other in groups[symbol.section, symbol.value])
        if len(names) > 1:
            words.append(f"alias={names[0]}")
    return " ".join(words)


def _data_facts(symbol: elf.Symbol, frame: elf.Elf) -> Iterator[str]:
    section = frame.sections[symbol.section]
    offset = symbol.value - section.address
    alignment = section.alignment or 1
    if offset:
        alignment = min(alignment, offset & -offset)
    yield f"size={symbol.size}"
    yield f"align={alignment}"
    start, end = frame.relro
    relro = start <= section.address and section.address + section.size <= end
    if relro or not section.flags & elf.SHF_WRITE:
        yield "read-only"
    if section.flags & elf.SHF_TLS:
        yield "thread-local"
    if not section.flags & elf.SHF_ALLOC:
        yield "not-loaded"
    elif section.type == elf.SHT_NOBITS and symbol.size and symbol.binding != "weak":
        yield f"zero section-align={section.alignment}"


def _same_address(symbols: Sequence[elf.Symbol]) -> _Groups:
    groups: defaultdict[tuple[int, int], list[elf.Symbol]] = defaultdict(list)
    for symbol in symbols:
        if symbol.section != elf.SHN_UNDEF and symbol.type not in _CODE:
            groups[symbol.section, symbol.value].append(symbol)
    return groups


def _pairs(
    old: Mapping[str, Any], new: Mapping[str, Any]
) -> Iterator[tuple[str, Any | None, Any | None]]:
    """Yield key and both values where they differ, None for a missing one."""
    for key in sorted({*old, *new}):
        if old.get(key) != new.get(key):
            yield key, old.get(key), new.get(key)


def _verb(before: object, after: object) -> str:
    if before is None:
        return "added"
    return "removed" if after is None else "changed"


def _kind(path: str) -> str:
    """Return the common name for a development file with this path."""
    if path.startswith("usr/include/"):
        return "header"
    kinds = {".a": "static library", ".pc": "pkg-config file", ".o": "object file"}
    return kinds.get(Path(path).suffix, "file")


def _library_difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for name in ("exports", "imports"):
        word = "symbol" if name == "exports" else "use of"
        for symbol, before, after in _pairs(old[name], new[name]):
            if before is None or after is None:
                yield f"{'+' if before is None else '-'} {word} {symbol}"
            else:
                yield from _symbol_difference(symbol, before, after)
    for name, label in _LABELS.items():
        if old[name] != new[name]:
            yield f"{label} {_text(old[name])} -> {_text(new[name])}"
    gone, come = (
        [name for name in one["sections"] if name not in other["sections"]]
        for one, other in ((old, new), (new, old))
    )
    yield from (f"- section {name}" for name in gone)
    yield from (f"+ section {name}" for name in come)
    if old["sections"] != new["sections"] and not gone and not come:
        yield "the order of the sections changed"
    names_differ = any(old[name].keys() != new[name].keys() for name in ("exports", "imports"))
    if old["order"] != new["order"] and not names_differ:
        yield "the order of the symbols changed"


def _symbol_difference(symbol: str, before: str, after: str) -> Iterator[str]:
    """Name single facts if the words correspond, else show both descriptions."""
    old, new = before.split(), after.split()
    names = [word.partition("=")[0] for word in old]
    if "=" in before and names == [word.partition("=")[0] for word in new]:
        for one, other in zip(old, new, strict=True):
            if one != other:
                fact, _, value = one.partition("=")
                yield f"{old[0]} {fact} of {symbol} {value} -> {other.partition('=')[2]}"
        return
    yield f"symbol {symbol}: {before} -> {after}"


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    return "none" if value is None else canonical(value)
