"""What changed since a root was made, as far as it is known."""

from __future__ import annotations

import json
from pathlib import Path

from tool_parts import locked

from quard.tools.lock import LockedPackage
from quard.tools.updates import updates


def describe(folder: Path, digest: str, **packages: str) -> None:
    (folder / "roots").mkdir(exist_ok=True)
    data = {"packages": {n: {"version": v, "sha256": v * 3} for n, v in packages.items()}}
    (folder / "roots" / f"{digest}.json").write_text(json.dumps(data))


def today(**packages: str) -> list[LockedPackage]:
    return [locked(name, text, sha256=text * 3) for name, text in packages.items()]


def test_each_package_that_differs_has_a_line(tmp_path: Path) -> None:
    describe(tmp_path, "a", bash="1", m4="2", sed="3")
    now = today(bash="1", make="5", sed="4")
    assert updates(tmp_path, "a", now) == ("m4 removed", "make added", "sed 3 -> 4")


def test_root_that_is_unknown_here_or_damaged_gives_no_line(tmp_path: Path) -> None:
    now = today(bash="1")
    assert updates(tmp_path, "a", now) == ()
    describe(tmp_path, "a", bash="2")
    assert updates(tmp_path, "a", now) == ("bash 2 -> 1",)
    for text in ("", "[]", "{}", '{"packages": {"bash": 1}}'):
        (tmp_path / "roots" / "a.json").write_text(text)
        assert updates(tmp_path, "a", now) == ()
