"""Lock files: the pinned packages of a release for one kind of build machine, as JSON.

One package per line, sorted by name, so that a review is a diff. Every build reads the lock, so
reading checks what the engine relies on and nothing else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from quard.base import given
from quard.base.canonical import canonical
from quard.base.errors import QuardError
from quard.base.files import is_sha256
from quard.boards.trees import placed
from quard.tools.lock import Lock, LockedPackage
from quard.tools.names import REASON, Names
from quard.tools.place import FILE, FOLDER

MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}
"""Kernel's name of a build machine's architecture (uname -m) -> Debian's."""
_UPDATE = "run ./scons tools-update, which writes it"
_FIELDS = ("commands", "file", "name", "needs", "sha256", "size", "source", "version")
_LISTS = ("commands", "includes", "needs")
_OPTIONAL = "includes"
"""A field that is there if it is not empty."""
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
"""The form of quard.tools.dates, which builds need not load."""


def machine(kernel: str) -> str:
    """Return Debian's name of a build machine's architecture. Raises QuardError unknown-machine.

    kernel -- the kernel's name of it, as `uname -m` prints it
    """
    found = MACHINES.get(kernel)
    if found is None:
        raise QuardError(
            f"the pinned tools do not run on this processor, {kernel}",
            detail=f"there are lock files for {' and '.join(sorted(MACHINES))}",
            reason="no-pinned-tools",
            hint="use a build machine of one of these",
        )
    return found


def name(release: str, debian: str) -> str:
    """Return the path of a lock file below the project.

    debian -- Debian's name of the build machine's architecture
    """
    return f"{FOLDER}/{release}-{debian}.json"


def load(project: Path, names: Names, debian: str, tree: str = "") -> Lock:
    """Return the lock for a kind of build machine, with all packages that are named.

    project -- the folder of the tree that has the file
    tree    -- name of that tree if it is a product's
    Raises QuardError bad-tools.
    """
    found = read(project, names.release, debian, tree)
    if missing := [each for each in names.all if each not in found.packages]:
        shown = placed(tree, name(names.release, debian))
        text = f"does not have {', '.join(missing)}, which {FILE} or the target's file names"
        raise _bad(shown, text, _UPDATE)
    return found


def read(project: Path, release: str, debian: str, tree: str = "") -> Lock:
    """Return the lock in a file; for `tree` see `load`. Raises QuardError bad-tools."""
    shown = placed(tree, name(release, debian))
    try:
        data = json.loads(given.text(project / name(release, debian)))
    except FileNotFoundError:
        raise _bad(shown, "does not exist", "./scons tools-update writes it") from None
    except OSError as error:
        raise _bad(
            shown, f"cannot be read: {error.strerror or error}", "make it readable"
        ) from None
    except (ValueError, RecursionError) as error:
        raise _bad(shown, f"is not JSON: {error}", _UPDATE) from None
    return _lock(data, shown, release, debian)


def text(lock: Lock) -> str:
    """Return the content of a lock's file."""
    lines = [canonical(_fields(lock.packages[each])) for each in sorted(lock.packages)]
    head = f'"dated":{canonical(lock.dated)},"machine":{canonical(lock.machine)},"packages":['
    return f"{{{head}\n" + ",\n".join(lines) + f'\n],"release":{canonical(lock.release)}}}\n'


def _fields(package: LockedPackage) -> dict[str, Any]:
    found = {field: getattr(package, field) for field in _FIELDS}
    more = getattr(package, _OPTIONAL)
    return {**found, _OPTIONAL: more} if more else found


def _lock(data: Any, shown: str, release: str, debian: str) -> Lock:
    if not isinstance(data, dict) or not isinstance(data.get("packages"), list):
        raise _bad(shown, "has no list of packages", _UPDATE)
    if (found := (data.get("release"), data.get("machine"))) != (release, debian):
        raise _bad(shown, f"is a lock for {found[0]!r} on {found[1]!r}", _UPDATE)
    dated = data.get("dated", "")
    if dated != "" and not (isinstance(dated, str) and _DATE.fullmatch(dated)):
        raise _bad(shown, f"has a wrong date: {dated!r}", _UPDATE)
    packages: dict[str, LockedPackage] = {}
    for fields in data["packages"]:
        if (problem := _problem(fields)) or fields["name"] in packages:
            who = fields.get("name") if isinstance(fields, dict) else fields
            raise _bad(shown, f"package {who!r} {problem or 'is there twice'}", _UPDATE)
        for key in _LISTS:
            fields[key] = tuple(fields.get(key, ()))
        packages[fields["name"]] = LockedPackage(**fields)
    for package in packages.values():
        for need in package.needs:
            if need not in packages:
                text_ = f"package {package.name!r} needs {need!r}, which is not in the lock"
                raise _bad(shown, text_, _UPDATE)
    return Lock(release=release, machine=debian, packages=packages, dated=dated)


def _problem(fields: Mapping[str, Any]) -> str:
    """Return what is wrong with the fields of a package; empty if nothing is."""
    if type(fields) is not dict or tuple(sorted({*fields} - {_OPTIONAL})) != _FIELDS:
        return f"does not have exactly the fields {', '.join(_FIELDS)}"
    for field, value in fields.items():
        if field == "size":
            right = type(value) is int and value > 0
        elif field in _LISTS:
            right = type(value) is list and all(type(each) is str for each in value)
        else:
            right = type(value) is str and value != ""
        if not right:
            return f"has a wrong {field}: {value!r}"
    if not is_sha256(fields["sha256"]):
        return f"has a wrong sha256: {fields['sha256']!r}"
    pieces = fields["file"].split("/")
    if "" in pieces or ".." in pieces or "." in pieces or not pieces[-1].endswith(".deb"):
        return f"has a wrong file: {fields['file']!r}"
    return ""


def _bad(shown: str, problem: str, hint: str) -> QuardError:
    return QuardError(f"{shown} {problem}", reason=REASON, hint=hint)
