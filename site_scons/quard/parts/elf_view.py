"""The tables of an ELF file: sections, segments, strings, dynamic entries, symbols, versions.

Numbers are as they are in the file.
Layouts: System V gABI, chapters 4 and 5; symbol versions: Linux Standard Base Core 5.0, 10.7.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Literal, NamedTuple

MAGIC = b"\x7fELF"
VERSYM_HIDDEN = 0x8000

_SHT_NOBITS = 8
_SHT_GNU_VERDEF, _SHT_GNU_VERNEED, _SHT_GNU_VERSYM = 0x6FFFFFFD, 0x6FFFFFFE, 0x6FFFFFFF
_PT_LOAD, _PT_DYNAMIC = 1, 2
_DT_NULL, _DT_STRTAB, _DT_STRSZ = 0, 5, 10
_RELOCATIONS = ((7, 8), (17, 18), (23, 2))
"""Tags of address and size of the relocations: DT_RELA, DT_REL, DT_JMPREL."""
_DT_PLTREL = 20
_PIECE = 256
"""Bytes that are first searched for the end of a string."""


class Section(NamedTuple):
    """A section header; `type` and `flags` are the gABI's numbers, `link` an index."""

    name: str
    type: int
    flags: int
    address: int
    offset: int
    size: int
    link: int
    alignment: int


class Segment(NamedTuple):
    """A program header; `type` and `flags` are the gABI's numbers, `memory` its size in memory."""

    type: int
    flags: int
    offset: int
    address: int
    size: int
    memory: int


class View:
    """One ELF file. Methods raise struct.error, ValueError, LookupError.

    No slice of `data` outlives a call: a mapped file cannot be closed while a slice exists.
    """

    def __init__(self, data: bytes | memoryview) -> None:
        ident = bytes(data[:16])
        if ident[:4] != MAGIC or len(ident) < 16:
            raise ValueError("no ELF header")
        if ident[4] not in (1, 2) or ident[5] not in (1, 2):
            raise ValueError(f"unknown class {ident[4]} or byte order {ident[5]}")
        self._data = data
        self.bits = 32 * ident[4]
        self.os_abi = ident[7]
        self.order: Literal["little", "big"] = "little" if ident[5] == 1 else "big"
        order = "<" if self.order == "little" else ">"
        word = "I" if self.bits == 32 else "Q"
        self._half = struct.Struct(f"{order}H")
        self._word = struct.Struct(f"{order}I")
        self._header = struct.Struct(f"{order}HHI{word}{word}{word}IHHHHHH")
        self._section = struct.Struct(f"{order}II{word}{word}{word}{word}II{word}{word}")
        self._segment = struct.Struct(f"{order}" + ("IIIIIIII" if word == "I" else "IIQQQQQQ"))
        self._symbol = struct.Struct(f"{order}" + ("IIIBBH" if word == "I" else "IBBHQQ"))
        self._dynamic = struct.Struct(f"{order}{word}{word}")
        self._rel = struct.Struct(f"{order}{word}{word}")
        self._rela = struct.Struct(f"{order}{word}{word}{word}")
        self._note = struct.Struct(f"{order}III")
        self._verdef = struct.Struct(f"{order}HHHHIII")
        self._verneed = struct.Struct(f"{order}HHIII")
        self._vernaux = struct.Struct(f"{order}IHHII")
        fields = self._header.unpack_from(data, 16)
        self.kind, self.machine, _version, _entry, phoff, shoff, self.flags = fields[:7]
        _ehsize, phentsize, phnum, shentsize, shnum, shstrndx = fields[7:]
        self.sections = self._read_sections(shoff, shentsize, shnum, shstrndx)
        self.segments = self._read_segments(phoff, phentsize, phnum)

    def span(self, offset: int, size: int) -> bytes:
        """Return a range, which must be within the file."""
        if offset + size > len(self._data):
            raise ValueError(f"{size} bytes at {offset} are beyond the end of the file")
        return bytes(self._data[offset : offset + size])

    def string(self, start: int, end: int, index: int) -> str:
        """Return the string at `index` of the table between two offsets."""
        place, length = start + index, _PIECE
        while place < end:
            piece = bytes(self._data[place : min(place + length, end)])
            stop = piece.find(b"\0")
            if stop >= 0:
                return piece[:stop].decode()
            if len(piece) < length:
                break
            length *= 16
        raise ValueError(f"string {index} is not inside its table")

    def typed(self, kind: int) -> Section | None:
        """Return the first section of the given type."""
        return next((section for section in self.sections if section.type == kind), None)

    def named(self, name: str) -> bytes:
        """Return the bytes of the first section of this name; empty if there are none."""
        for section in self.sections:
            if section.name == name and section.type != _SHT_NOBITS:
                return self.span(section.offset, section.size)
        return b""

    def string_table(self, index: int) -> tuple[int, int]:
        """Return start and end of the string table in the section with this index."""
        table = self.sections[index]
        return table.offset, table.offset + table.size

    def dynamic_table(self) -> tuple[int, int]:
        """Return offset and size of the dynamic entries, (0, 0) if there are none."""
        for segment in self.segments:
            if segment.type == _PT_DYNAMIC:
                return segment.offset, segment.size
        return 0, 0

    def dynamic(self) -> Iterator[tuple[int, int]]:
        """Yield tag and value of the dynamic entries."""
        offset, size = self.dynamic_table()
        for tag, value in self._dynamic.iter_unpack(self.span(offset, size)):
            if tag == _DT_NULL:
                return
            yield tag, value

    def pack_dynamic(self, tag: int, value: int) -> bytes:
        """Return a dynamic entry as it is in the file."""
        return self._dynamic.pack(tag, value)

    def dynamic_strings(self, entries: list[tuple[int, int]]) -> tuple[int, int]:
        """Return start and end of the strings that dynamic entries refer to."""
        if not entries:
            return 0, 0
        address, size = dict(entries)[_DT_STRTAB], dict(entries)[_DT_STRSZ]
        start = self.offset(address)
        return start, start + size

    def offset(self, address: int) -> int:
        """Return the file offset of the content at an address."""
        for segment in self.loaded():
            if segment.address <= address < segment.address + segment.size:
                return segment.offset + address - segment.address
        raise ValueError(f"the address {address:#x} is outside of all segments")

    def loaded(self) -> Iterator[Segment]:
        """Yield the segments that are loaded into memory."""
        return (segment for segment in self.segments if segment.type == _PT_LOAD)

    def relocations(self) -> Iterator[tuple[int, int]]:
        """Yield type and address of the relocations that the loader applies."""
        entries = dict(self.dynamic())
        for table, length in _RELOCATIONS:
            if not entries.get(table) or not entries.get(length):
                continue
            addends = (entries.get(_DT_PLTREL) if table == 23 else table) == 7
            entry = self._rela if addends else self._rel
            for fields in entry.iter_unpack(
                self.span(self.offset(entries[table]), entries[length])
            ):
                yield fields[1] & (0xFFFFFFFF if self.bits == 64 else 0xFF), fields[0]

    def symbols(self, table: Section) -> Iterator[tuple[int, int, int, int, int, int]]:
        """Yield name offset, info, other, section, value and size of a table's symbols."""
        for fields in self._symbol.iter_unpack(self.span(table.offset, table.size)):
            if self.bits == 64:
                name, info, other, section, value, size = fields
            else:
                name, value, size, info, other, section = fields
            yield name, info, other, section, value, size

    def symbol_names(self, table: Section, prefix: bytes) -> Iterator[str]:
        """Yield the names of a table's symbols that begin with `prefix`, in the table's order.

        A kernel module has thousands of other symbols; they are not converted to strings.
        """
        start, end = self.string_table(table.link)
        strings = self.span(start, end - start)
        for place, *_ in self.symbols(table):
            if place >= len(strings):
                raise ValueError(f"string {place} is not inside its table")
            if strings.startswith(prefix, place):
                yield strings[place : strings.index(b"\0", place)].decode()

    def defined_versions(self) -> Iterator[tuple[int, int, str]]:
        """Yield index, flags and name of the version definitions."""
        table = self.typed(_SHT_GNU_VERDEF)
        if table is None:
            return
        start, end = self.string_table(table.link)
        offset = table.offset
        while True:
            _version, flags, index, _count, _hash, first, following = self._verdef.unpack_from(
                self._data, offset
            )
            (name,) = self._word.unpack_from(self._data, offset + first)
            yield index, flags, self.string(start, end, name)
            if not following:
                return
            offset += following

    def version_names(self) -> dict[int, str]:
        """Return the names of the versions, defined and needed, by index."""
        names = {index: name for index, _flags, name in self.defined_versions()}
        table = self.typed(_SHT_GNU_VERNEED)
        if table is None:
            return names
        start, end = self.string_table(table.link)
        offset = table.offset
        while True:
            _version, count, _file, first, following = self._verneed.unpack_from(self._data, offset)
            inner = offset + first
            for _ in range(count):
                _hash, _flags, index, name, step = self._vernaux.unpack_from(self._data, inner)
                names[index & ~VERSYM_HIDDEN] = self.string(start, end, name)
                inner += step
            if not following:
                return names
            offset += following

    def version_indexes(self) -> tuple[int, ...]:
        """Return the version of each symbol; empty in a file without versions."""
        table = self.typed(_SHT_GNU_VERSYM)
        if table is None:
            return ()
        data = self.span(table.offset, table.size)
        return tuple(index for (index,) in self._half.iter_unpack(data))

    def notes(self, section: Section) -> Iterator[tuple[bytes, int, bytes]]:
        """Yield name, type and content; padded to 4 bytes, or to 8 in 8-aligned sections."""
        data = self.span(section.offset, section.size)
        pad = 7 if section.alignment == 8 else 3
        offset = 0
        while offset + self._note.size <= len(data):
            name_size, size, kind = self._note.unpack_from(data, offset)
            name_end = offset + self._note.size + name_size
            start = (name_end + pad) & ~pad
            yield data[offset + self._note.size : name_end], kind, data[start : start + size]
            offset = (start + size + pad) & ~pad

    def _read_sections(
        self, offset: int, entry_size: int, count: int, names: int
    ) -> tuple[Section, ...]:
        if not offset:
            return ()
        if entry_size != self._section.size:
            raise ValueError(f"section headers of {entry_size} bytes")
        first = self._section.unpack_from(self._data, offset)
        count = count or first[5]
        names = first[6] if names == 0xFFFF else names
        data = self.span(offset, count * entry_size)
        headers = list(self._section.iter_unpack(data))
        _name, _type, _flags, _address, start, size, *_rest = headers[names]
        end = start + size
        return tuple(
            Section(self.string(start, end, name), kind, flags, address, place, size, link, align)
            for name, kind, flags, address, place, size, link, _info, align, _entry in headers
        )

    def _read_segments(self, offset: int, entry_size: int, count: int) -> tuple[Segment, ...]:
        if not count:
            return ()
        if entry_size != self._segment.size:
            raise ValueError(f"program headers of {entry_size} bytes")
        found = []
        for fields in self._segment.iter_unpack(self.span(offset, count * entry_size)):
            if self.bits == 64:
                kind, flags, place, address, _physical, size, memory, _align = fields
            else:
                kind, place, address, _physical, size, memory, flags, _align = fields
            found.append(Segment(kind, flags, place, address, size, memory))
        return tuple(found)
