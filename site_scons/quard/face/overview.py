"""Answers about boards and about all trees: text for people, JSON for programs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from quard.base.errors import QuardError
from quard.boards import board, include
from quard.boards.board import Board
from quard.boards.root import Root
from quard.boards.trees import OWN, Trees, parted
from quard.face import completion
from quard.face.cli import Command
from quard.face.report import as_json
from quard.recipes.catalog import Catalog


def answer(command: Command, trees: Trees, catalog: Catalog) -> str:
    """Return the answer to a question that takes no plans. Raises QuardError."""
    match command.verb:
        case "info":
            whole = _whole(trees, board.load(trees, command.board))
            return as_json(whole) if command.as_json else "".join(_lines(whole, ""))
        case "boards":
            found = [_board(trees, name) for name in board.names(trees)]
            text = _boards(found)
        case "packages":
            found = [_package(catalog, name) for name in catalog.names()]
            text = _packages(found)
        case "bash-completion":
            return completion.bash()
        case "zsh-completion":
            return completion.zsh()
        case other:
            raise AssertionError(other)
    return as_json(found) if command.as_json else text


def _whole(trees: Trees, chosen: Board) -> dict[str, Any]:
    """Return a board as it is with all that it includes."""
    file = chosen.own.file
    return {
        "name": chosen.name,
        "summary": chosen.summary,
        "tree": chosen.tree or OWN,
        "file": file,
        "includes": list(include.chain(trees, file)[:-1]),
        "target": chosen.target.triple,
        "machine": chosen.machine,
        **_root(chosen.own),
        "hardening": dict(vars(chosen.hardening)),
        **_overrides(chosen),
        "data_mib": chosen.data.size_mib,
        "persistent": list(chosen.data.persistent),
        "roots": {root.name: _root(root) for root in chosen.roots},
    }


def _overrides(chosen: Board) -> dict[str, Any]:
    """Return what packages are built from instead of what recipes say, by the board's keys."""
    keys = ("sources", "patches", "files", "defconfigs", "devicetrees")
    found: dict[str, Any] = {key: {} for key in keys}
    for name, one in chosen.overrides.items():
        release = one.release and {k: _plain(v) for k, v in vars(one.release).items() if v}
        values = (release, one.patches, one.files, one.defconfig, one.devicetrees)
        for key, value in zip(keys, values, strict=True):
            if value:
                found[key][name] = _plain(value)
    return found


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _root(root: Root) -> dict[str, Any]:
    configuration = root.configuration
    features = configuration.features.items()
    return {
        "system": root.system,
        "hostname": root.hostname,
        "packages": list(root.packages),
        "features": {f"{package}.{feature}": choice for (package, feature), choice in features},
        "libraries": list(root.libraries),
        "services": dict(root.services),
        "unhardened": [dict(vars(one)) for one in root.unhardened],
        "flags": configuration.cflags,
        "fragments": {name: list(files) for name, files in configuration.fragments.items()},
        "overlays": list(root.overlays),
        "formats": list(root.formats),
        "size_mib": root.size_mib,
        "login": dict(vars(root.login)),
        "hooks": dict(vars(root.hooks)) if root.hooks else {},
    }


def _lines(values: Mapping[str, Any], before: str) -> Iterable[str]:
    """Yield a line for each value: tables as `TABLE.KEY`, lists of tables as `LIST[0].KEY`."""
    for key, value in sorted(values.items()) if before else values.items():
        if isinstance(value, dict) and value:
            yield from _lines(value, f"{before}{key}.")
        elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
            for number, item in enumerate(value):
                yield from _lines(item, f"{before}{key}[{number}].")
        elif isinstance(value, list | tuple) and any(" " in item for item in value):
            yield from (f"{before}{key}[{n}]: {item}\n" for n, item in enumerate(value))
        else:
            yield f"{before}{key}: {_text(value)}\n"


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return " ".join(value) or "-"
    return str(value or "-") if not isinstance(value, int) else str(value)


def _board(trees: Trees, name: str) -> dict[str, Any]:
    """Return a row about one board; one that cannot be read hides no other one."""
    file = trees.find(f"configs/{name}.toml")
    row = {"name": name, "tree": parted(file)[0] or OWN, "file": file}
    try:
        found = board.load(trees, name)
    except QuardError as error:
        return {**row, "error": error.message, "reason": error.reason}
    target, machine = found.target.triple, found.machine
    return {**row, "target": target, "machine": machine, "summary": found.summary}


def _boards(rows: Sequence[Mapping[str, str]]) -> str:
    shown = [
        (row["name"], row["tree"], row.get("target", "-"), row.get("summary") or row["error"])
        for row in rows
    ]
    return _columns(shown)


def _package(catalog: Catalog, name: str) -> dict[str, Any]:
    package = catalog[name]
    recipe = package.recipe
    return {
        "name": name,
        "version": recipe.version,
        "tree": package.tree or OWN,
        "license": recipe.license,
        "summary": recipe.summary,
        "fixes": list(recipe.fixes),
        "features": [
            {"name": feature.name, "summary": feature.summary, "default": feature.default}
            for feature in recipe.features
        ],
    }


def _packages(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return a line for each package; optional features are in brackets, + is on by default."""
    shown = []
    for row in rows:
        features = " ".join(f"{'+' * one['default']}{one['name']}" for one in row["features"])
        summary = f"{row['summary']} [{features}]" if features else row["summary"]
        shown.append((row["name"], row["version"], row["tree"], summary))
    return _columns(shown)


def _columns(rows: Sequence[tuple[str, ...]]) -> str:
    """Return rows with all columns but the last aligned."""
    if not rows:
        return ""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    widths[-1] = 0
    lines = (
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True))
        for row in rows
    )
    return "".join(f"{line}\n" for line in lines)
