"""Which command lines of ./scons are begun before SCons is loaded."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from site_tools.quardroot import early
from site_tools.quardroot.early import Asked, understood
from site_tools.quardroot.flags import Options
from site_tools.quardroot.start import OWN

ALL = len(os.sched_getaffinity(0))


@pytest.fixture(autouse=True)
def no_sites(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither this machine nor its user has code for SCons."""
    monkeypatch.setattr(early, "_SITES", (str(tmp_path / "site"),))
    monkeypatch.delenv("SCONSFLAGS", raising=False)


def test_targets_variables_and_settings_are_understood() -> None:
    found = understood(["-Q", "BOARD=a", "zlib", "tools.root=x=y", "list", "BOARD=b"])
    assert found == Asked({"BOARD": "b", "tools.root": "x=y"}, ("zlib", "list"), Options(ALL))


def test_a_number_of_jobs_and_silence_are_understood() -> None:
    assert understood(["-Q"]) == Asked({}, (), Options(ALL))
    assert understood(["-Q", "-s", "-j12"]) == Asked({}, (), Options(12, silent=True))


@pytest.mark.parametrize(
    "word",
    ["-n", "-c", "-q", "-k", "-j", "-j0", "-j010", "-j08", "-j" + 5000 * "9", "-jx", "-j²", "-j2s",
     "-j2\n", "--jobs=2", "-sQ", "--tree=all", "-h", "--", "-", "--strange", "", '""', "''"],
)  # fmt: skip
def test_scons_reads_all_other_options(word: str) -> None:
    assert understood(["-Q", word]) is None
    assert understood(["-Q", "zlib", word, "x=y"]) is None


def test_scons_reads_a_command_line_that_is_not_of_the_wrapper() -> None:
    assert understood([]) is None
    assert understood(["zlib", "-Q"]) is None
    assert understood(["--file=SConstruct", "-Q"]) is None


def test_options_in_the_environment_are_read_by_scons(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCONSFLAGS", "-n")
    assert understood(["-Q"]) is None


def test_code_of_the_machine_is_loaded_by_scons_but_not_in_a_product(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    assert understood(["-Q"]) is None
    product = [f"--file={OWN}/SConstruct", f"--site-dir={OWN}/site_scons"]
    assert understood([*product, "-Q", "zlib"]) == Asked({}, ("zlib",), Options(ALL))


def test_it_stands_for_the_sconstruct_of_this_checkout(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Another one is run, so the digest in the module is changed together with the file."""
    assert not early._is_changed()
    text = (OWN / "SConstruct").read_text(encoding="utf-8")
    monkeypatch.setattr(early, "OWN", tmp_path)
    assert early._is_changed()
    (tmp_path / "SConstruct").write_text(text, encoding="utf-8")
    assert not early._is_changed()
    (tmp_path / "site_scons").mkdir()
    (tmp_path / "site_scons/site_init.py").touch()
    assert early._is_changed()
