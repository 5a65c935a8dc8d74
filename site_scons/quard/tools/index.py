"""The index of a Debian release: which packages there are, and what they need."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property

from quard.base.files import is_sha256
from quard.base.record import Record, record
from quard.tools import version
from quard.tools.origins import included

_FIELD = re.compile(r"^([A-Za-z0-9-]+):[ \t]*(.*)$", re.MULTILINE)
_ONE = re.compile(
    r"(?P<name>[a-z0-9][a-z0-9+.-]*)(?::(?P<machine>[a-z0-9-]+))?\s*"
    r"(?:\(\s*(?P<relation>[<=>]+)\s*(?P<version>[^\s)]+)\s*\))?\Z"
)
_ANY = ("any", "native", None)
"""Qualifiers of a name that the only architecture of the lock always fulfils."""


class Damaged(Exception):
    """An index does not have the form that deb-control(5) describes; the text says where."""


@record
class Need(Record):
    """One alternative of a dependency; `relation` is empty if any version will do."""

    name: str
    machine: str | None = None
    relation: str = ""
    version: str = ""

    def __str__(self) -> str:
        shown = self.name if self.machine is None else f"{self.name}:{self.machine}"
        return f"{shown} ({self.relation} {self.version})" if self.relation else shown

    def fits(self, other: str) -> bool:
        """Return whether a version is one that is needed."""
        return not self.relation or version.fits(other, self.relation, self.version)


@record
class Candidate(Record):
    """A package of the index, by the fields of its paragraph."""

    fields: Mapping[str, str]

    @property
    def name(self) -> str:
        return self.fields["Package"]

    @property
    def version(self) -> str:
        return self.fields["Version"]

    @property
    def source(self) -> str:
        """Name and version of the source package, which are the package's own if not given."""
        name, _, rest = self.fields.get("Source", self.name).partition(" ")
        return f"{name} {rest.strip('()') or self.version}"

    @property
    def includes(self) -> tuple[str, ...]:
        """Name and version of other source packages of which it has parts."""
        return included(self.fields.get("Built-Using", ""))

    @property
    def file(self) -> str:
        return self.fields["Filename"]

    @property
    def size(self) -> int:
        return int(self.fields["Size"])

    @property
    def sha256(self) -> str:
        return self.fields["SHA256"]

    @cached_property
    def needs(self) -> tuple[tuple[Need, ...], ...]:
        """Each dependency with its alternatives, in the order of the index. Raises Damaged."""
        found = [
            tuple(_need(one, self.name) for one in dependency.split("|"))
            for field in ("Pre-Depends", "Depends")
            for dependency in self.fields.get(field, "").split(",")
            if dependency.strip()
        ]
        return tuple(dict.fromkeys(found))

    @cached_property
    def provides(self) -> Mapping[str, str]:
        """Virtual package -> its version, empty if it has none. Raises Damaged."""
        texts = self.fields.get("Provides", "").split(",")
        found = [_need(text, self.name) for text in texts if text.strip()]
        return {one.name: one.version for one in found}


class Index:
    """The packages of one release for one architecture; of several versions, the newest.

    machine -- Debian's name of the architecture
    """

    def __init__(self, text: str, machine: str) -> None:
        """Read the text of a Packages file. Raises Damaged."""
        self.machine = machine
        self._texts: dict[str, list[str]] = {}
        self._provided: list[str] = []
        for paragraph in filter(None, text.split("\n\n")):
            head, _, _ = paragraph.lstrip("\n").partition("\n")
            field, _, name = head.partition(": ")
            if field != "Package" or not name:
                raise Damaged(f"a paragraph begins with {head[:60]!r}, not with its package")
            self._texts.setdefault(name, []).append(paragraph)
            if "\nProvides:" in paragraph:
                self._provided.append(name)
        self._read: dict[str, Candidate] = {}

    def __contains__(self, name: object) -> bool:
        return name in self._texts

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def package(self, name: str) -> Candidate | None:
        """Return a package; None if there is none of that name. Raises Damaged."""
        if name not in self._read:
            if name not in self._texts:
                return None
            found = [_candidate(text, name) for text in self._texts[name]]
            self._read[name] = max(found, key=lambda one: version.key(one.version))
        return self._read[name]

    @cached_property
    def _providers(self) -> Mapping[str, list[Candidate]]:
        found: dict[str, list[Candidate]] = {}
        for name in sorted(set(self._provided)):
            if one := self.package(name):
                for virtual in one.provides:
                    found.setdefault(virtual, []).append(one)
        return found

    def choices(self, need: Need) -> tuple[str, ...]:
        """Return the packages that fulfil a need: the one of that name, else all that provide it.

        The providers are sorted by name. Raises Damaged.
        """
        if need.machine not in (*_ANY, self.machine):
            return ()
        own = self.package(need.name)
        if own and need.fits(own.version):
            return (own.name,)
        return tuple(
            one.name
            for one in self._providers.get(need.name, ())
            if not need.relation or (one.provides[need.name] and need.fits(one.provides[need.name]))
        )


_REQUIRED = ("Package", "Version", "Filename", "Size", "SHA256")


def _candidate(text: str, name: str) -> Candidate:
    fields = dict(_FIELD.findall(text.replace("\n ", " ").replace("\n\t", " ")))
    if missing := [field for field in _REQUIRED if not fields.get(field)]:
        raise Damaged(f"{name} has no {missing[0]}")
    if not (is_sha256(fields["SHA256"]) and fields["Size"].isdecimal()):
        raise Damaged(f"{name} has a wrong SHA256 or Size")
    if not fields["Filename"].endswith(".deb") or {"", ".", ".."} & {
        *fields["Filename"].split("/")
    }:
        raise Damaged(f"{name} has the file {fields['Filename']!r}")
    if not _is_version(fields["Version"]):
        raise Damaged(f"{name} has the version {fields['Version']!r}")
    return Candidate(fields)


def _need(text: str, package: str) -> Need:
    found = _ONE.match(text.strip())
    right = found is not None and (
        not found["relation"]
        or (version.known(found["relation"]) and _is_version(found["version"]))
    )
    if found is None or not right:
        raise Damaged(f"{package} has the dependency {text.strip()!r}")
    return Need(found["name"], found["machine"], found["relation"] or "", found["version"] or "")


def _is_version(text: str) -> bool:
    try:
        version.key(text)
    except ValueError:
        return False
    return True
