"""What changed since a root was made, as far as it is known."""

from __future__ import annotations

import json
from pathlib import Path

from quard.tools.lock import LockedPackage
from quard.tools.updates import updates


def describe(folder: Path, digest: str, **packages: str) -> None:
    (folder / "roots").mkdir(exist_ok=True)
    data = {"packages": {n: {"version": v, "sha256": v * 3} for n, v in packages.items()}}
    (folder / "roots" / f"{digest}.json").write_text(json.dumps(data))


def locked(**packages: str) -> list[LockedPackage]:
    return [
        LockedPackage(
            name=name,
            version=version,
            file=f"{name}.deb",
            size=1,
            sha256=version * 3,
            source=f"{name} {version}",
            needs=(),
            commands=(),
        )
        for name, version in packages.items()
    ]


def test_each_package_that_differs_has_a_line(tmp_path: Path) -> None:
    describe(tmp_path, "a", bash="1", m4="2", sed="3")
    now = locked(bash="1", make="5", sed="4")
    assert updates(tmp_path, "a", now) == ("m4 removed", "make added", "sed 3 -> 4")


def test_root_that_is_unknown_here_or_damaged_gives_no_line(tmp_path: Path) -> None:
    now = locked(bash="1")
    assert updates(tmp_path, "a", now) == ()
    describe(tmp_path, "a", bash="2")
    assert updates(tmp_path, "a", now) == ("bash 2 -> 1",)
    for text in ("", "[]", "{}", '{"packages": {"bash": 1}}'):
        (tmp_path / "roots" / "a.json").write_text(text)
        assert updates(tmp_path, "a", now) == ()
