"""What is remembered of the machine's programs."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from quard.base import canonical, given
from quard.base.programs import Programs


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "program"
    path.write_text("one")
    return path


def test_a_fingerprint_is_of_version_name_and_content(program: Path, tmp_path: Path) -> None:
    programs = Programs(tmp_path / "memory")
    first = programs.fingerprint("1", [program])
    assert programs.fingerprint("2", [program]) != first
    other = tmp_path / "other"
    other.write_text("one")
    assert programs.fingerprint("1", [other]) != first
    program.write_text("two")
    assert programs.fingerprint("1", [program]) != first


def test_an_unchanged_file_is_not_read_again(
    program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Programs(tmp_path / "memory").fingerprint("", [program])
    monkeypatch.setattr(given, "opened", None)
    assert Programs(tmp_path / "memory").fingerprint("", [program]) == first


def test_many_files_have_one_entry_and_the_fingerprint_that_they_have_alone(
    program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "other").write_text("two")
    files = [str(program), str(tmp_path / "other")]
    expected = Programs(tmp_path / "alone").fingerprint("1", map(Path, files))
    memory = tmp_path / "memory"
    assert Programs(memory).fingerprint_of_all("it", "1", files) == expected
    assert list(canonical.unsealed(memory.read_bytes()) or ()) == ["files of it"]
    real = given.opened
    monkeypatch.setattr(given, "opened", None)
    assert Programs(memory).fingerprint_of_all("it", "1", files) == expected
    monkeypatch.setattr(given, "opened", real)
    program.write_text("three")
    assert Programs(memory).fingerprint_of_all("it", "1", files) != expected


@pytest.mark.parametrize("damage", [b"", b"{}", b"\xff", b"[1]"])
def test_a_damaged_memory_costs_a_reading_and_nothing_else(
    program: Path, tmp_path: Path, damage: bytes
) -> None:
    first = Programs(tmp_path / "memory").fingerprint("", [program])
    (tmp_path / "memory").write_bytes(damage)
    assert Programs(tmp_path / "memory").fingerprint("", [program]) == first


def test_facts_are_known_as_long_as_their_files_stay(program: Path, tmp_path: Path) -> None:
    programs = Programs(tmp_path / "memory")
    assert programs.recall("it", [program]) is None
    programs.note("it", [program], ["a", "b"])
    programs.fingerprint("", [program])
    assert Programs(tmp_path / "memory").recall("it", [program]) == ["a", "b"]
    assert Programs(tmp_path / "memory").recall("another", [program]) is None
    os.utime(program, ns=(1, 1))
    assert Programs(tmp_path / "memory").recall("it", [program]) is None


def test_a_memory_that_cannot_be_written_is_no_error(program: Path, tmp_path: Path) -> None:
    (tmp_path / "memory").mkdir()
    first = Programs(tmp_path / "memory").fingerprint("", [program])
    assert len(first) == 64
