"""The script that makes the wheel of a Python project, run as builds run it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "packages/wheel-tools/src/build.py"
BACKEND = """\
import json, os, sys, sysconfig
def build_wheel(folder, settings=None, metadata=None):
    names = "CFLAGS", "EXT_SUFFIX", "INCLUDEPY", "MULTIARCH"
    told = {name: sysconfig.get_config_var(name) for name in names}
    told |= {"settings": settings, "here": os.getcwd(), "words": sys.argv[1:]}
    told |= {"platform": sysconfig.get_platform(), "env": dict(os.environ)}
    with open(os.path.join(folder, "x-1-py3-none-any.whl"), "x") as file:
        json.dump(told, file)
    return "x-1-py3-none-any.whl"
"""
PROJECT = """\
[build-system]
requires = [{requires}]
build-backend = "own_backend"
backend-path = ["tools"]
"""
VARIABLES = {
    "CFLAGS": "-fno-strict-overflow -DNDEBUG",
    "CONFINCLUDEDIR": "/usr/include",
    "CONFINCLUDEPY": "/usr/include/python3",
    "EXT_SUFFIX": ".cpython-riscv64-linux-gnu.so",
    "INCLUDEDIR": "/usr/include",
    "INCLUDEPY": "/usr/include/python3",
    "LIBDIR": "/usr/lib",
    "LIBPL": "/usr/lib/python3/config",
    "MULTIARCH": "riscv64-linux-gnu",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "tools").mkdir(parents=True)
    (folder / "tools/own_backend.py").write_text(BACKEND, encoding="ascii")
    (folder / "pyproject.toml").write_text(PROJECT.format(requires=""), encoding="ascii")
    return folder


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", str(SCRIPT), *words, "out"]
    env = {"PATH": "/usr/bin:/bin", "CFLAGS": "-O2"}
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)


def told(folder: Path) -> dict[str, object]:
    """Return what the backend saw."""
    (wheel,) = (folder / "out/wheel").iterdir()
    found: dict[str, object] = json.loads(wheel.read_text(encoding="ascii"))
    return found


def test_a_backend_of_the_project_is_called_with_the_settings(project: Path) -> None:
    done = run(project, "--setting=--a=1", "--setting=b=2=3", "--setting=b=4")
    assert (done.returncode, done.stderr) == (0, "")
    found = told(project)
    assert found["settings"] == {"--a": "1", "b": ["2=3", "4"]}
    assert found["here"] == str(project)
    assert found["words"] == []


def test_a_project_below_the_source_is_built_in_its_folder(project: Path) -> None:
    assert run(project.parent, "--project", "project").returncode == 0
    assert told(project.parent)["here"] == str(project)


def test_nothing_of_the_last_build_is_left(project: Path) -> None:
    assert run(project).returncode == 0
    (project / "out/wheel/old-1-py3-none-any.whl").touch()
    assert run(project).returncode == 0
    assert [each.name for each in (project / "out/wheel").iterdir()] == ["x-1-py3-none-any.whl"]


def test_python_in_the_sysroot_decides_what_modules_are_compiled_for(project: Path) -> None:
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    library = project / "sysroot/usr/lib" / version
    library.mkdir(parents=True)
    text = f"build_time_vars = {VARIABLES!r}\n"
    (library / "_sysconfigdata__linux_riscv64.py").write_text(text, encoding="ascii")
    done = run(project, "--sysroot", "sysroot")
    assert (done.returncode, done.stderr) == (0, "")
    found = told(project)
    assert found["EXT_SUFFIX"] == VARIABLES["EXT_SUFFIX"]
    assert found["INCLUDEPY"] == f"{project}/sysroot/usr/include/python3"
    assert found["platform"] == "linux-riscv64"
    env = found["env"]
    assert isinstance(env, dict)
    assert env["CFLAGS"] == "-fno-strict-overflow -DNDEBUG -O2"
    code = "import sysconfig; print(sysconfig.get_config_var('EXT_SUFFIX'))"
    command = [sys.executable, "-c", code]
    child = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    assert child.stdout.strip() == VARIABLES["EXT_SUFFIX"]


def test_without_python_in_the_sysroot_it_is_no_cross_build(project: Path) -> None:
    (project / "sysroot").mkdir()
    assert run(project, "--sysroot", "sysroot").returncode == 0
    env = told(project)["env"]
    assert isinstance(env, dict)
    assert not [name for name in env if name.startswith("_PYTHON")]


def test_a_missing_requirement_is_named_before_anything_is_built(project: Path) -> None:
    requires = '"no-such.project>=2", "neither; python_version < \'3\'", "pip"'
    text = PROJECT.format(requires=requires)
    (project / "pyproject.toml").write_text(text, encoding="ascii")
    done = run(project)
    assert done.returncode == 1
    assert "no-such.project>=2 (pyproject.toml): add the package that has it" in done.stderr
    assert "neither" not in done.stderr
    assert not (project / "out").exists()


def test_a_project_without_pyproject_toml_is_built_with_setuptools(tmp_path: Path) -> None:
    (tmp_path / "setup.py").touch()
    command = [sys.executable, "-I", "-S", str(SCRIPT), "out"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "the project is built with setuptools" in done.stderr
