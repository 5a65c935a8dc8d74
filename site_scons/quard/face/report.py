"""Answers to questions about a board: text for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from quard.base.errors import QuardError
from quard.base.plain import json_text
from quard.face.cli import Command
from quard.plan.resolve import Resolved
from quard.plan.unit import parted, qualified
from quard.recipes.catalog import Catalog
from quard.recipes.placeholders import render, render_all


def as_json(value: Any) -> str:
    """Return a value as JSON for people and programs; numbers may have fractions."""
    return json_text(json.dumps(value, sort_keys=True, indent=2, ensure_ascii=False)) + "\n"


def answer(command: Command, roots: Mapping[str, Resolved], catalog: Catalog) -> str:
    """Return the answer to list, info, depends or rdepends.

    roots -- the board's, by name; a question about a package concerns one of them
    """
    root, name = parted(command.names[0]) if command.names else ("", "")
    resolved = roots[root]
    match command.verb:
        case "list":
            found: Any = [_row(each, name) for each in roots.values() for name in each.image]
            text = _table(found)
        case "info":
            found = _info(resolved, catalog, name)
            text = "".join(f"{key}: {_text(value)}\n" for key, value in found.items())
        case "depends":
            _require(resolved, name)
            found = [qualified(root, n) for n in resolved.graph.closure((name,)) if n != name]
            text = "".join(f"{n}\n" for n in found)
        case "rdepends":
            _require(resolved, name)
            found = [qualified(root, n) for n in resolved.graph.users(name)]
            text = "".join(f"{n}\n" for n in found)
        case other:
            raise AssertionError(other)
    return as_json(found) if command.as_json else text


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
    """Return a line with the archive of a package's result, if there is one."""
    archive = row["archive"]
    if not archive:
        return ""
    place = archive.get("address") or archive["file"]
    return f"{row['name']}: built from {place}, sha256 {archive['sha256']}\n"


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


def _row(resolved: Resolved, name: str) -> dict[str, str]:
    recipe = resolved.packages[name].recipe
    return {
        "name": qualified(resolved.root.name, name),
        "version": recipe.version,
        "license": recipe.license,
        "summary": recipe.summary,
    }


def _info(resolved: Resolved, catalog: Catalog, name: str) -> dict[str, Any]:
    package = catalog[name]
    recipe = package.recipe
    plan = resolved.plans.get(name)
    source = recipe.source
    urls = (source.url, *source.mirrors) if source else ()
    values = {"name": name, "version": recipe.version}
    others = source.alternates if source else ()
    return {
        "name": qualified(resolved.root.name, name),
        "version": recipe.version,
        "summary": recipe.summary,
        "license": recipe.license,
        "homepage": recipe.homepage,
        "on_board": plan is not None,
        "image": [part for package, part in resolved.layers if package == name],
        "source": list(render_all(urls, values)),
        "sha256": source.sha256 if source else "",
        "alternates": [f"{render(one.url, values)} (sha256 {one.sha256})" for one in others],
        "provenance": source.provenance if source else "",
        "needs": list(resolved.graph.edges[name].needs if plan else sorted(recipe.needs)),
        "runtime": list(resolved.graph.edges[name].runtime if plan else sorted(recipe.runtime)),
        "features": {
            f.name: (dict(plan.features)[f.name] if plan else f.default) for f in recipe.features
        },
        "plan": plan.identity if plan else "",
    }


def _require(resolved: Resolved, name: str) -> None:
    """Raise QuardError not-on-board for a package that a root does not have."""
    if name not in resolved.plans:
        root = resolved.root
        raise QuardError(
            f"{qualified(root.name, name)} is not on the board {root.board}",
            reason="not-on-board",
            hint="./scons list shows the board's packages",
        )


def _table(rows: list[dict[str, str]]) -> str:
    if not rows:
        return ""
    widths = {key: max(len(row[key]) for row in rows) for key in ("name", "version")}
    return "".join(
        f"{row['name']:{widths['name']}}  {row['version']:{widths['version']}}  {row['summary']}\n"
        for row in rows
    )


def _text(value: Any) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case list():
            return " ".join(value) or "-"
        case dict():
            return " ".join(f"{k}={'on' if v else 'off'}" for k, v in value.items()) or "-"
    return str(value) or "-"
