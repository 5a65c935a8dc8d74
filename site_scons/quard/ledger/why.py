"""Why a unit is rebuilt: the differences between the basis of its last result and today's."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from quard.ledger import why_tools
from quard.ledger.why_tools import Updates
from quard.plan.unit import shown

if TYPE_CHECKING:
    from quard.ledger.listings import Listings

_SHOWN = 3
"""How many changes of an interface one line names."""
_IMAGE_FIELDS = {
    "authorized_keys": "root's public keys changed",
    "image": "the version of the image format changed",
    "label": "the file system's label changed",
    "on_demand": "the libraries that it has on demand changed",
    "root_password": "root's password changed",
    "size_mib": "the image's size changed",
    "system": "the system's table changed",
    "machine": "the machine changed",
    "template": "the parts of run.sh changed",
}
_FIELDS = (
    "cflags",
    "hardening",
    "env",
    "needs",
    "links",
    "tools",
    "drop",
    "expects",
    "licenses",
    "triple",
    "executor",
)
MISSING = "its result is missing"
FORCED = ("requested by name",)


Difference = Callable[[str, str, str], Sequence[str]]
"""What changed in the interface of a package between two digests; empty if that is not known."""


def reasons(
    old: Mapping[str, Any] | None,
    new: Mapping[str, Any],
    difference: Difference | None = None,
    updates: Updates | None = None,
    places: Mapping[str, str] | None = None,
) -> tuple[str, ...]:
    """Return the differences in the users' terms, the most relevant first.

    old, new   -- what a result was made from and would be made from (ledger.basis), with the
                  listings of its overlays or local trees; None if nothing is known
    difference -- returns what changed in an interface
    updates    -- returns what changed in pinned tools
    places     -- of a package: name of a file in the build -> that of the board's file which it is
    An empty return value means that nothing changed: the result itself is missing.
    """
    images = "image" in new["plan"]
    if old is None:
        return (f"it has not been {'made' if images else 'built'} here before",)
    old, new = _plain(old), _plain(new)
    found = _image(old, new) if images else _package(old, new, places or {})
    found += why_tools.reasons(old["by"], new["by"], updates)
    if new["by"].get("sealed") and not old["by"].get("sealed"):
        found.append("builds are sealed now")
    inputs = _inputs(old["inputs"], new["inputs"], difference)
    return (*inputs, *found) if images else (*found, *inputs)


def _package(
    old: Mapping[str, Any], new: Mapping[str, Any], places: Mapping[str, str]
) -> list[str]:
    """Return the differences between the plans and the archives of a package."""
    from quard.ledger import board_files  # noqa: PLC0415 - a null build reports no change

    found: list[str] = []
    before, now = board_files.renamed(old["plan"], new["plan"], places)
    if before["version"] != now["version"]:
        found.append(f"version: {before['version']} -> {now['version']}")
    elif old["archive"] and new["archive"] and old["archive"] != new["archive"]:
        found.append(
            f"the archive that it was built from is no longer accepted: sha256 {old['archive']}"
        )
    listed = old.get("listings", {}), new.get("listings", {})
    for field in ("further", "folders"):
        found += _further(dict(before.get(field, ())), dict(now.get(field, ())), *listed)
    if before["tree"] != now["tree"]:
        found.append(_tree(before["tree"], now["tree"], *listed))
    found += _features(before["features"], now["features"])
    found += _files("patch", before["patches"], now["patches"])
    found += _files("file", before["files"], now["files"])
    found += board_files.moved(before, now)
    found += _parts(before["parts"], now["parts"])
    for field in _FIELDS:
        if before.get(field) != now.get(field):
            found.append(f"{field}: {_short(before.get(field))} -> {_short(now.get(field))}")
    if before.get("origins") != now.get("origins"):
        found.append("its record says where its files come from")
    if before["steps"] != now["steps"] and not found:
        found += _steps(before["steps"], now["steps"])
    return found


def _further(
    before: Mapping[str, str], now: Mapping[str, str], old: Listings, new: Listings
) -> list[str]:
    """Return the differences between the sources that are folders of the tree."""
    found = [f"source in {into} removed" for into in sorted(before.keys() - now.keys())]
    found += [f"source in {into} added" for into in sorted(now.keys() - before.keys())]
    for into in sorted(before.keys() & now.keys()):
        if before[into] != now[into]:
            named = _named(before[into], now[into], old, new)
            found.append(f"source in {into} changed{named}")
    return found


def _image(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Return the differences between the plans of an image unit."""
    before, now = old["plan"], new["plan"]
    found: list[str] = []
    layers, above = old.get("listings", {}), new.get("listings", {})
    for name in sorted({*layers, *above}):
        pairs = layers.get(name, {}).items(), above.get(name, {}).items()
        found += _files(f"overlay {name}:", *map(tuple, pairs))
    found += _hooks(before.pop("hooks", {}), now.pop("hooks", {}))
    found += _files("file", *map(_placed, (before.pop("files", ()), now.pop("files", ()))))
    found += _permissions(before.pop("permissions", ()), now.pop("permissions", ()))
    found += _yields(dict(before.pop("yields", ())), dict(now.pop("yields", ())))
    for field in sorted({*before, *now}):
        if before.get(field) != now.get(field) and not (field == "overlays" and found):
            found.append(_IMAGE_FIELDS.get(field, f"{field} changed"))
    return found


def _hooks(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return the differences between the board's scripts that an image is made with."""
    found = _files("hook", before.get("scripts", ()), now.get("scripts", ()))
    found += _files("input of hooks", before.get("inputs", ()), now.get("inputs", ()))
    if before != now and not found:
        found.append("what the hooks are called with changed")
    return found


def _placed(rows: Sequence[Sequence[str]]) -> tuple[tuple[str, str], ...]:
    """Return the files of recipes as pairs of a name and of what decides what is installed."""
    return tuple((f"/{row[1]} of {row[0]}", " ".join(row[2:])) for row in rows)


_Permissions = Sequence[tuple[str, Mapping[str, Any]]]


def _permissions(before: _Permissions, now: _Permissions) -> list[str]:
    """Return the differences between what recipes say about paths of an image."""
    old, new = (
        tuple(
            (f"for {row['path']} of {name}", json.dumps(row, sort_keys=True)) for name, row in rows
        )
        for rows in (before, now)
    )
    found = _files("permission", old, new)
    # The last row for a path decides, and one package may have two.
    return found if found or old == new else ["the order of permissions changed"]


def _yields(before: Mapping[str, Sequence[str]], now: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the differences in which packages leave paths to others."""
    found = [
        f"{name} leaves paths to {'all others' if '*' in others else ', '.join(others)}"
        for name, others in now.items()
        if others != before.get(name)
    ]
    return found + [f"{name} leaves no paths to others" for name in before if name not in now]


def _inputs(
    old: Mapping[str, str], new: Mapping[str, str], difference: Difference | None
) -> list[str]:
    """Return the differences between a unit's inputs."""
    found = []
    for each in sorted({*old, *new}):
        name, _, part = each.rpartition(":")
        if old.get(each) == new.get(each):
            continue
        if part == "interface":
            lines = _changes(name, old.get(each), new.get(each), difference)
            found.append(f"interface of {shown(name)}{lines}")
        elif each not in old or each not in new:
            # Of a package that both have, this part alone is new or gone.
            both = {n.rpartition(":")[0] for n in old.keys() & new.keys()}
            what = f"{part} of {shown(name)}" if name in both else f"package {shown(name)}"
            found.append(f"{what} {'added' if each in new else 'removed'}")
        else:
            found.append(f"{name} changed" if part == "tar" else f"files of {shown(name)} changed")
    return list(dict.fromkeys(found))  # a package may have several parts there


def _changes(name: str, old: str | None, new: str | None, difference: Difference | None) -> str:
    """Return the end of a line on an interface: what changed in it, if that is known."""
    lines = difference(name, old, new) if difference is not None and old and new else ()
    if not lines:
        return " changed"
    more = f", and {len(lines) - _SHOWN} more" if len(lines) > _SHOWN else ""
    return f": {', '.join(lines[:_SHOWN])}{more}"


def _plain(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return the value as read back from JSON, so that tuples and lists compare as equal."""
    found: dict[str, Any] = json.loads(json.dumps(value))
    return found


def _tree(before: str, now: str, old: Listings, new: Listings) -> str:
    if before and now:
        return f"the local source tree changed{_named(before, now, old, new)}"
    return "built from a local source tree" if now else "built from the archive again"


def _named(before: str, now: str, old: Listings, new: Listings) -> str:
    """Return the end of a line on a tree: the files that changed, if both states are known."""
    from quard.ledger.listings import difference  # noqa: PLC0415 - a null build reports no change

    return difference(old.get(before), new.get(now))


def _features(before: Mapping[str, bool], now: Mapping[str, bool]) -> list[str]:
    word = {True: "on", False: "off", None: "absent"}
    return [
        f"feature {name}: {word[before.get(name)]} -> {word[now.get(name)]}"
        for name in sorted({*before, *now})
        if before.get(name) != now.get(name)
    ]


def _parts(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    return [
        f"part {name}: {_short(before.get(name))} -> {_short(now.get(name))}"
        for name in sorted({*before, *now})
        if before.get(name) != now.get(name)
    ]


_Pairs = Sequence[tuple[str, str]]


def _files(kind: str, before: _Pairs, now: _Pairs) -> list[str]:
    old, new = dict(before), dict(now)
    found = [f"{kind} {name} removed" for name in sorted(old.keys() - new.keys())]
    found += [f"{kind} {name} added" for name in sorted(new.keys() - old.keys())]
    both = sorted(old.keys() & new.keys())
    return found + [f"{kind} {name} changed" for name in both if old[name] != new[name]]


def _steps(before: list[dict[str, Any]], now: list[dict[str, Any]]) -> list[str]:
    found = []
    for phase in ("prepare", "configure", "build", "install"):
        old = [step for step in before if step["phase"] == phase]
        new = [step for step in now if step["phase"] == phase]
        if old != new:
            gone, come = _words(old) - _words(new), _words(new) - _words(old)
            words = [f"- {word}" for word in sorted(gone)] + [f"+ {word}" for word in sorted(come)]
            found.append(f"{phase}: " + (", ".join(words) or "the order of the commands changed"))
    return found


def _words(steps: list[dict[str, Any]]) -> set[str]:
    words: set[str] = set()

    def collect(value: Any) -> None:
        if isinstance(value, str):
            words.add(value)
        elif isinstance(value, Mapping):
            for inner in value.values():
                collect(inner)
        elif isinstance(value, list | tuple):
            for inner in value:
                collect(inner)

    for step in steps:
        collect({key: value for key, value in step.items() if key != "phase"})
    return words


def _short(value: Any) -> str:
    if isinstance(value, list | tuple):
        return " ".join(str(part) for part in value) or "none"
    return str(value) if value not in (None, "") else "none"
