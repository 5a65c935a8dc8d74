"""What starts bubblewrap, and how the kernel's settings explain that it makes no sandbox."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from quard.process import bubblewrap

REFUSED = "bwrap: setting up uid map: Permission denied"


@pytest.fixture(autouse=True)
def ordinary_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)


def setting(folder: Path, name: str, value: str) -> Path:
    (folder / name).parent.mkdir(parents=True)
    (folder / name).write_text(f"{value}\n")
    return folder


@pytest.mark.parametrize(
    ("name", "value", "advice"),
    [
        ("kernel/apparmor_restrict_unprivileged_userns", "1", "kernel.apparmor_restrict_"),
        ("kernel/unprivileged_userns_clone", "0", "sysctl -w kernel.unprivileged_userns_clone=1"),
        ("user/max_user_namespaces", "0", "sysctl -w user.max_user_namespaces=10000"),
    ],
)
def test_a_setting_that_forbids_namespaces_is_named_with_what_to_do(
    tmp_path: Path, name: str, value: str, advice: str
) -> None:
    text = bubblewrap.explained(REFUSED, setting(tmp_path, name, value))
    assert text.startswith(f"{REFUSED}; ")
    assert advice in text and "as root" in text and text.endswith("(docs/errors/no-sandbox.md)")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("kernel/apparmor_restrict_unprivileged_userns", "0"),
        ("user/max_user_namespaces", "96365"),
        ("kernel/another", "1"),
    ],
)
def test_other_settings_explain_nothing(tmp_path: Path, name: str, value: str) -> None:
    assert bubblewrap.explained(REFUSED, setting(tmp_path, name, value)) == REFUSED


def test_neither_success_nor_roots_failure_is_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root's bubblewrap needs no user namespace."""
    folder = setting(tmp_path, "user/max_user_namespaces", "0")
    assert bubblewrap.explained("", folder) == ""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert bubblewrap.explained(REFUSED, folder) == REFUSED


def test_the_bootstrap_gives_the_same_advice(tmp_path: Path) -> None:
    script = (Path(__file__).parents[3] / "scons").read_text(encoding="utf-8")
    for name, value in (
        ("kernel/apparmor_restrict_unprivileged_userns", "1"),
        ("kernel/unprivileged_userns_clone", "0"),
        ("user/max_user_namespaces", "0"),
    ):
        text = (
            bubblewrap.explained("x", setting(tmp_path / name, name, value))
            .removeprefix("x")
            .replace("`", "'")
        )
        assert f'echo "{text}"' in script


def test_own_bubblewrap_is_that_of_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert bubblewrap.own() == (shutil.which("bwrap"),)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert bubblewrap.own() == ()
