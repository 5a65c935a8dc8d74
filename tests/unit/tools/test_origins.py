"""Which packages files come from, for people who have to offer the sources."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tool_parts import locked as package

from quard.tools import origins
from quard.tools.origins import Origin, grouped, included, installed, locked

LIBC = Origin("libc6", "2", "glibc 2", (), "")


def test_source_packages_that_a_package_has_parts_of_are_listed_once() -> None:
    text = "gcc-14 (= 14.2.0-19), glibc (= 2.41-11), gcc-14 (= 14.2.0-19)"
    assert included(text) == ("gcc-14 14.2.0-19", "glibc 2.41-11")
    assert included("") == ()


def test_a_locked_package_is_an_origin_with_all_its_sources() -> None:
    found = locked(package("libc6-cross", "2.41", includes=("glibc 2.41-11",)))
    assert (found.package, found.version, found.source) == (
        "libc6-cross",
        "2.41",
        "libc6-cross 2.41",
    )
    assert (found.includes, found.sha256) == (("glibc 2.41-11",), "0" * 64)


@pytest.mark.skipif(shutil.which("dpkg-query") is None, reason="only Debian has dpkg")
def test_files_of_the_machine_belong_to_installed_packages(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.touch()
    program = Path("/usr/bin/dpkg-query")
    found = installed([program, own, tmp_path / "nowhere"])
    assert [*found] == [program]
    assert (found[program].package, found[program].source.split()[0]) == ("dpkg", "dpkg")
    assert found[program].version and found[program].source.split()[1]


def test_without_dpkg_no_package_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object, **__: object) -> None:
        raise FileNotFoundError

    monkeypatch.setattr(origins, "run", missing)
    assert installed([Path("/usr/bin/dpkg-query")]) == {}


def test_files_are_below_their_packages_and_those_without_one_come_first() -> None:
    files = {"usr/lib/b": Path("/b"), "usr/lib/a": Path("/a"), "usr/lib/x": Path("/x")}
    rows = grouped(files, {Path("/a"): LIBC, Path("/b"): LIBC})
    assert [(row["package"], row["files"]) for row in rows] == [
        ("", ["usr/lib/x"]),
        ("libc6", ["usr/lib/a", "usr/lib/b"]),
    ]
    assert rows[1]["source"] == "glibc 2"
