"""Lint, formatting, types, spelling and shell scripts, with the tools' own output."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest

import checkout
import style

CONFIG = (style.TOP / ".pre-commit-config.yaml").read_text(encoding="utf-8")
HOOK = """\
      - id: {name}
        name: {name}
        entry: .venv/bin/python tests/style.py {name}
        language: system
        always_run: true
        pass_filenames: false
"""


@pytest.mark.parametrize("name", style.CHECKS)
def test_the_project_passes(name: str) -> None:
    status, text = style.run(name)
    assert status == 0, f"{' '.join(style.CHECKS[name])}\n{text}"


def test_the_hooks_of_pre_commit_are_the_checks_and_nothing_else() -> None:
    _, _, hooks = CONFIG.partition("    hooks:\n")
    assert hooks == "".join(HOOK.format(name=name) for name in style.CHECKS)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("lint", "import os\n"),
        ("format", "x  =  1\n"),
        ("types", 'x: int = "text"\n'),
        ("spelling", "# rec" + "ieve\n"),
        ("shell", "#!/bin/sh\necho $1\n"),
    ],
    ids=style.CHECKS,
)
def test_a_check_fails_where_there_is_something_to_find(
    name: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the project's own settings."""
    settings = (style.TOP / "pyproject.toml").read_text(encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text(settings, encoding="utf-8")
    for number, folder in enumerate(tomllib.loads(settings)["tool"]["mypy"]["files"]):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / f"right{number}.py").touch()  # mypy refuses a folder without any
    (tmp_path / "tests/wrong.py").write_text(text, encoding="utf-8")
    monkeypatch.setattr(style, "TOP", tmp_path)
    monkeypatch.setattr("checkout.files", lambda: ["tests/wrong.py"])
    status, found = style.run(name)
    assert status != 0
    assert "wrong.py" in found


def test_spelling_leaves_out_no_file_of_the_project_but_the_lock() -> None:
    settings = tomllib.loads((style.TOP / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    left_out = {
        name
        for name in checkout.files()
        for path in (Path(name), *Path(name).parents)
        if any(fnmatch(f"./{path}", pattern) for pattern in settings["codespell"]["skip"])
    }
    assert left_out == {name for name in checkout.files() if fnmatch(name, "requirements*.lock")}
    assert style.LOCK.name in left_out
    assert settings["codespell"]["check-hidden"]


def test_every_shell_script_is_checked() -> None:
    names = set(style.scripts())
    assert {"scons", ".ci/run", "qemu/gdb.sh", "tests/platforms/run"} < names
    assert {"packages/c-utf8/lang.sh", "rootfs/etc/profile", "rootfs/etc/init.d/rcS"} < names
    others = {name for name in checkout.files() if name.endswith(".sh")} - names
    assert {name for name in others if not name.startswith(style.PARTS)} == set()


def test_a_tool_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    status, text = style.run("shell")
    assert status != 0
    assert text == "shellcheck is not installed: ./scons test installs it\n"


def test_an_environment_without_todays_tools_is_told_from_an_unsuitable_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not style.is_outdated(tmp_path)  # ./scons did not make it
    (tmp_path / "bootstrap").mkdir()
    assert style.is_outdated(tmp_path)
    lock = tmp_path / "bootstrap" / style.LOCK.name
    lock.write_bytes(style.LOCK.read_bytes())
    assert not style.is_outdated(tmp_path)
    lock.write_text("older\n", encoding="utf-8")
    assert style.is_outdated(tmp_path)
    monkeypatch.setattr("sys.prefix", str(tmp_path))
    status, text = style.run("lint")
    assert status != 0
    assert text == f"{tmp_path} lacks what {style.LOCK.name} lists: ./scons test installs it\n"


def test_a_check_by_name_is_run_alone_and_an_unknown_one_is_an_error() -> None:
    command = (sys.executable, str(style.TOP / "tests/style.py"))
    done = subprocess.run((*command, "format"), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
    done = subprocess.run((*command, "nothing"), capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "no such check: nothing; there are lint, format, types, spelling, shell" in done.stderr
