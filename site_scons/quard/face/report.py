"""What a build would do and did, in words: text for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from quard.base.plain import json_text
from quard.face.cli import Command


def as_json(value: Any) -> str:
    """Return a value as JSON for people and programs; numbers may have fractions."""
    return json_text(json.dumps(value, sort_keys=True, indent=2, ensure_ascii=False)) + "\n"


def look_ahead(
    command: Command,
    now: Mapping[str, Any],
    last: Mapping[str, Any] | None,
    names: Sequence[str],
    needs: Sequence[str],
    *,
    killed: bool = False,
) -> str:
    """Return the answer to why.

    now    -- "packages" and "images": what a build would do, each with name, action and why
    last   -- summary.json of the last build that wrote one, or None
    names  -- names of the units of the packages that the command names
    needs  -- what these need, themselves included
    killed -- a later build was killed
    """
    if command.as_json:
        return as_json({"now": now, "last": last, "killed": killed})
    about: list[Mapping[str, Any]] = []
    if names:
        now = {"packages": [row for row in now["packages"] if row["name"] in needs], "images": []}
        about = [row for row in now["packages"] if row["name"] in names]
    text = ahead((*now["packages"], *now["images"])) + "".join(map(_archive, about))
    if killed:
        return text + "the last build was killed before it could report what it did\n"
    return text + _last_build(last, names)


def ahead(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return what a build would do, as text; each row has name, action and why."""
    some = [row for row in rows if row["action"] != "none"]
    shown = [(_WORDS[row["action"]], row["name"], "; ".join(row["why"])) for row in some]
    return "a build would\n" + _columns(shown) if shown else "a build would do nothing\n"


def fetching(names: Sequence[str]) -> str:
    """Return what `source` would do, as text."""
    if not names:
        return "all sources are in the cache\n"
    return "sources to fetch\n" + "".join(f"  {name}\n" for name in sorted(names))


def cleaned(files: Sequence[str], out: str, *, would: bool) -> str:
    """Return what cleaning removes, as text.

    files -- below `out`, the board's folder; removed, or to be removed
    """
    kept = "work folders, logs and the store are kept"
    if not files:
        return f"nothing to remove in {out}: {kept}\n"
    word = "would remove" if would else "removed"
    lines = [f"{word} {out}/{file}\n" for file in sorted(files)]
    return "".join(lines) + f"{word} {len(files)} files of {out}; {kept}\n"


_WORDS = {
    "build": "build",
    "make": "make",
    "maybe": "maybe make",
    "restore": "take from the store",
}


def _archive(row: Mapping[str, Any]) -> str:
    """Return what a package's result was made from, if that is known: an archive, or packages."""
    archive = row["archive"]
    if not archive:
        return ""
    if "origins" in archive:
        return "".join(f"{row['name']}: {_origin(one)}\n" for one in archive["origins"])
    place = archive.get("address") or archive["file"]
    return f"{row['name']}: built from {place}, sha256 {archive['sha256']}\n"


def _origin(origin: Mapping[str, Any]) -> str:
    count = len(origin["files"])
    files = f"{count} file{'' if count == 1 else 's'}"
    if not origin["package"]:
        return f"{files} of the tools, whose package is not known"
    sources = ", ".join((origin["source"], *origin["includes"]))
    return f"{files} of {origin['package']} {origin['version']}, built from {sources}"


def _last_build(last: Mapping[str, Any] | None, names: Sequence[str]) -> str:
    if last is None:
        return "there has been no build yet\n"
    built = {b["name"]: (f"{b['seconds']:.1f} s", "; ".join(b["why"])) for b in last["built"]}
    rows = [("built", name, *built[name]) for name in sorted(built)]
    rows += [("from the store", name, "", "") for name in last["restored"]]
    rows += [("failed", name, "", "") for name in last["failed"]]
    rows += [("interrupted", name, "", "") for name in last.get("unfinished", ())]
    rows += [("made", name, "", "") for name in last["images"]]
    if names:
        rows = [row for row in rows if row[1] in names]
    end = " was interrupted" if last.get("interrupted") else ""
    if not rows and end:
        return f"the last build{end} after {last['seconds']:.1f} s; nothing was finished" + (
            f" of {names[0]}\n" if names else "\n"
        )
    if not rows:
        return "the last build did nothing" + (f" for {names[0]}" if names else "") + "\n"
    return f"the last build ({last['seconds']:.1f} s){end}\n" + _columns(rows)


def _columns(rows: Sequence[tuple[str, ...]]) -> str:
    """Return rows of words with all columns aligned except the last."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)]
        lines.append(("  " + "  ".join(cells)).rstrip() + "\n")
    return "".join(lines)
