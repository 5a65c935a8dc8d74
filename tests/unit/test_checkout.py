"""The files of the checkout, as tests copy and look through them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

import checkout
import installed


def test_without_git_the_files_are_the_same(tmp_path: Path) -> None:
    """As in an archive that was unpacked, where a build and tests have left their things."""
    checkout.copy(tmp_path)
    for name in ("out/x", ".venv/bin/python", "tests/__pycache__/x.pyc", ".git/HEAD", "local.toml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "docs/out").touch()  # only at the top is it ours
    assert sorted(checkout.walk(tmp_path)) == sorted({*checkout.files(), "docs/out"})


def test_where_git_does_not_know_the_checkout_the_folder_is_looked_through(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    expected = checkout.files()
    monkeypatch.setenv("GIT_DIR", str(tmp_path))
    with pytest.raises(subprocess.CalledProcessError):
        subprocess.run(("git", "ls-files"), cwd=checkout.TOP, check=True, capture_output=True)
    assert set(expected) <= set(checkout.files())
    monkeypatch.setenv("PATH", str(tmp_path))
    assert set(expected) <= set(checkout.files())


@pytest.mark.parametrize(
    ("ci", "folder"), [("true", f"{checkout.TOP}/.cache"), ("", "/somewhere/quardroot")]
)
def test_projects_of_tests_have_the_cache_of_the_checkout(
    monkeypatch: pytest.MonkeyPatch, ci: str, folder: str
) -> None:
    """In CI their own would be empty folders of theirs: each would build the kernel again."""
    monkeypatch.setenv("CI", ci)
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert checkout.cache_folder() == Path(folder)


@pytest.mark.parametrize("ci", ["", "true"])
def test_blobs_are_found_in_the_cache_that_projects_of_tests_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ci: str
) -> None:
    monkeypatch.setenv("CI", ci)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert checkout.cache_folder() / "store/cas" in installed.stores(tmp_path / "project")
    assert checkout.cache_folder() / "store/cas" in installed.stores(checkout.TOP)
