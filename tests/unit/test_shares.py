"""A full run has the tests that take long in shares: one for each commit."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import shares

TOP = Path(__file__).parents[2]


def pytest_with(*words: str) -> subprocess.CompletedProcess[str]:
    """Run pytest as the project starts it, without options of the run that this is a test of."""
    env = {name: text for name, text in os.environ.items() if not name.startswith("PYTEST_")}
    command = (sys.executable, "-P", "-m", "pytest", *words)
    return subprocess.run(command, cwd=TOP, env=env, capture_output=True, text=True, check=False)


def collected(*words: str) -> tuple[set[str], str]:
    """Return the modules whose boot tests would run, and all that pytest says."""
    done = pytest_with("--collect-only", "-q", "-n0", *words)
    lines = [line for line in done.stdout.splitlines() if line.startswith("tests/boot/")]
    return {line.partition("::")[0].removeprefix("tests/boot/") for line in lines}, done.stdout


def test_every_share_has_commits_that_run_it() -> None:
    found = [shares.of_commit(f"{number:08x}") for number in range(1000)]
    assert set(found) == set(shares.SHARES)


def test_who_names_no_test_gets_the_share_of_the_commit() -> None:
    commit = shares.head(TOP)
    assert shares.chosen("", TOP, whole=True) == (
        shares.of_commit(commit) if commit else shares.ALL
    )
    assert shares.chosen("", TOP, whole=False) == shares.ALL
    assert shares.chosen("musl", TOP, whole=True) == "musl"


def test_outside_of_a_repository_all_run(tmp_path: Path) -> None:
    assert shares.chosen("", tmp_path, whole=True) == shares.ALL


def test_unknown_names_are_errors() -> None:
    with pytest.raises(ValueError, match="unknown share 'mulS'; there are modules"):
        shares.chosen("mulS", TOP, whole=True)
    with pytest.raises(ValueError, match="unknown share: 'mulS'"):
        shares.takes_part("mulS", "musl")


def test_modules_with_a_share_are_there_and_every_share_has_some() -> None:
    assert [name for name in shares.LONG if not (TOP / "tests" / name).is_file()] == []
    marked = "modules"  # by test_kernel_modules itself
    assert {*shares.LONG.values(), marked} == set(shares.SHARES)


def test_a_run_leaves_out_the_tests_of_other_shares() -> None:
    found, said = collected("--share=modules", "tests/boot")
    assert {"test_kernel_modules.py", "test_default_board.py"} <= found
    others = {"test_musl_board.py", "test_further_packages.py", "test_lean_boots.py"}
    assert found.isdisjoint({*others, "test_data_disk.py"})
    assert "[small-board]" in said and "[musl-board]" not in said
    named, _ = collected("tests/boot/test_musl_board.py", "tests/boot/test_further_packages.py")
    assert named == {"test_musl_board.py", "test_further_packages.py"}


def test_the_processes_that_run_tests_know_the_share() -> None:
    words = ("-n1", "-q", "--share=modules", "tests/boot/test_musl_board.py")
    done = pytest_with(*words)
    assert done.returncode == pytest.ExitCode.NO_TESTS_COLLECTED, done.stdout
