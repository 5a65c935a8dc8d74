"""The script that installs the files of a wheel, run as builds run it."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "packages/wheel-tools/src/install.py"
VERSION = f"python{sys.version_info[0]}.{sys.version_info[1]}"
SITE = f"usr/lib/{VERSION}/site-packages"
TAG = sys.implementation.cache_tag
CHECKED, HASHED = 2, 1
"""Flags of a compiled module (PEP 552)."""


def wheel(folder: Path, members: Mapping[str, str], modes: Mapping[str, int] | None = None) -> None:
    (folder / "out/wheel").mkdir(parents=True)
    with zipfile.ZipFile(folder / "out/wheel/x-1-py3-none-any.whl", "w") as archive:
        for name, text in members.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = (modes or {}).get(name, 0o644) << 16
            archive.writestr(info, text)


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", str(SCRIPT), *words, "--stage", "stage", "out"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def installed(folder: Path) -> list[str]:
    stage = folder / "stage"
    return sorted(str(p.relative_to(stage)) for p in stage.rglob("*") if not p.is_dir())


def test_modules_are_installed_with_compiled_ones_that_know_their_source(tmp_path: Path) -> None:
    wheel(tmp_path, {"x/__init__.py": "y = 1\n", "x/data.txt": "data"})
    done = run(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    compiled = f"{SITE}/x/__pycache__/__init__.{TAG}.pyc"
    assert installed(tmp_path) == [f"{SITE}/x/__init__.py", compiled, f"{SITE}/x/data.txt"]
    data = (tmp_path / "stage" / compiled).read_bytes()
    assert data[4] & (HASHED | CHECKED) == HASHED
    assert f"/{SITE}/x/__init__.py".encode() in data
    assert str(tmp_path).encode() not in data


def test_the_description_of_the_project_stays_and_that_of_the_installation_goes(
    tmp_path: Path,
) -> None:
    info = ("METADATA", "RECORD", "WHEEL", "direct_url.json", "licenses/LICENSE", "top_level.txt")
    wheel(tmp_path, {f"x-1.dist-info/{name}": "" for name in info})
    assert run(tmp_path).returncode == 0
    kept = [f"{SITE}/x-1.dist-info/METADATA", f"{SITE}/x-1.dist-info/top_level.txt"]
    assert installed(tmp_path) == kept


def test_each_kind_of_data_has_its_folder(tmp_path: Path) -> None:
    wheel(
        tmp_path,
        {
            "x-1.data/data/share/x/file": "",
            "x-1.data/headers/x.h": "",
            "x-1.data/platlib/native.txt": "",
            "x-1.data/purelib/pure.txt": "",
            "x-1.data/scripts/binary": "\x7fELF",
            "x-1.data/scripts/run": "#!python -E\nprint(1)\n",
        },
        {"x-1.data/data/share/x/file": 0o755},
    )
    assert run(tmp_path, "--prefix", "/opt/usr").returncode == 0
    site = f"opt/{SITE}"
    assert installed(tmp_path) == [
        "opt/usr/bin/binary",
        "opt/usr/bin/run",
        f"opt/usr/include/{VERSION}/x/x.h",
        f"{site}/native.txt",
        f"{site}/pure.txt",
        "opt/usr/share/x/file",
    ]
    stage = tmp_path / "stage/opt/usr"
    assert (stage / "bin/run").read_text() == "#!/opt/usr/bin/python3\nprint(1)\n"
    assert (stage / "bin/binary").read_text() == "\x7fELF"
    modes = [(stage / path).stat().st_mode & 0o777 for path in ("bin/run", "share/x/file")]
    assert modes == [0o755, 0o755]


def test_scripts_call_what_the_project_says(tmp_path: Path) -> None:
    points = "[console_scripts]\nx-run = x.main:App.start [color]\n[gui_scripts]\nx-show=x:show\n"
    points += "[other]\nnothing = x:none\n"
    wheel(tmp_path, {"x-1.dist-info/entry_points.txt": points})
    assert run(tmp_path).returncode == 0
    scripts = tmp_path / "stage/usr/bin"
    assert sorted(each.name for each in scripts.iterdir()) == ["x-run", "x-show"]
    text = (scripts / "x-run").read_text()
    assert text.startswith("#!/usr/bin/python3\n")
    assert "from x.main import App\n" in text
    assert "sys.exit(App.start())" in text
    assert (scripts / "x-run").stat().st_mode & 0o777 == 0o755


def test_a_script_runs(tmp_path: Path) -> None:
    points = "[console_scripts]\nx-run = x.main:start\n"
    code = "def start():\n    print('started')\n    return 3\n"
    members = {"x/main.py": code, "x-1.dist-info/entry_points.txt": points}
    wheel(tmp_path, members)
    assert run(tmp_path).returncode == 0
    script = str(tmp_path / "stage/usr/bin/x-run")
    env = {"PYTHONPATH": str(tmp_path / "stage" / SITE)}
    command = [sys.executable, script]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (3, "started\n")


def test_a_module_that_is_no_python_hinders_no_other(tmp_path: Path) -> None:
    wheel(tmp_path, {"x/a.py": "{{ template }} x\n", "x/b.py": ""})
    done = run(tmp_path)
    assert done.returncode == 0
    assert "a.py" in done.stdout
    assert [p for p in installed(tmp_path) if p.endswith(".pyc")] == [
        f"{SITE}/x/__pycache__/b.{TAG}.pyc"
    ]


@pytest.mark.parametrize("name", ["../x", "/x", "a/../../x", "x-1.data/other/x", "a\\b"])
def test_a_member_with_a_path_of_no_meaning_is_refused(tmp_path: Path, name: str) -> None:
    wheel(tmp_path, {name: ""})
    done = run(tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("install.py: the wheel has ")


def test_two_files_with_one_path_are_refused(tmp_path: Path) -> None:
    wheel(tmp_path, {"x.txt": "", "x-1.data/purelib/x.txt": ""})
    done = run(tmp_path)
    assert done.returncode == 1
    assert "two files of the wheel have one path" in done.stderr


def test_a_script_that_calls_nothing_is_refused(tmp_path: Path) -> None:
    wheel(tmp_path, {"x-1.dist-info/entry_points.txt": "[console_scripts]\nx = module\n"})
    done = run(tmp_path)
    assert done.returncode == 1
    assert "asks for a script 'x'" in done.stderr


def test_exactly_one_wheel_is_installed(tmp_path: Path) -> None:
    (tmp_path / "out/wheel").mkdir(parents=True)
    assert run(tmp_path).stderr == "install.py: there must be one wheel, not 0\n"
