"""Modules that are loaded when they are first used."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ENGINE = Path(__file__).resolve().parents[3] / "site_scons"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of modules; `slow` prints a line while it is loaded, and takes a while."""
    (tmp_path / "slow.py").write_text(
        "import threading\nprint('loaded')\nthreading.Event().wait(0.2)\nVALUE = 7\n"
        "class Wrong(Exception): pass\n"
    )
    (tmp_path / "user.py").write_text("import slow\ndef value(): return slow.VALUE\n")
    return tmp_path


def output(folder: Path, code: str) -> str:
    """Return what code prints that has spared `slow`."""
    start = f"import sys; sys.path[:0] = [{str(folder)!r}, {str(ENGINE)!r}]\n"
    start += "from quard.base.spare import load_all, spare\nspare('slow')\n"
    done = subprocess.run(
        (sys.executable, "-P", "-c", start + code), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_module_is_loaded_by_its_first_use_and_only_once(folder: Path) -> None:
    code = "import user\nprint('imported')\nprint(user.value(), user.value())\n"
    assert output(folder, code) == "imported\nloaded\n7 7\n"
    assert output(folder, "import user") == ""


def test_names_of_a_module_can_be_imported(folder: Path) -> None:
    code = "import slow as before\nfrom slow import Wrong\nimport slow\n"
    code += "print(before.Wrong is Wrong is slow.Wrong, sys.modules['slow'] is slow)\n"
    assert output(folder, code) == "loaded\nTrue True\n"


def test_threads_that_use_a_module_at_once_get_the_whole_of_it(folder: Path) -> None:
    code = """
import threading, user, slow
found = []
def use():
    found.append((user.value(), slow.Wrong))
threads = [threading.Thread(target=use) for _ in range(8)]
for each in threads: each.start()
for each in threads: each.join()
print(len(found), len(set(found)))
"""
    assert output(folder, code) == "loaded\n8 1\n"


def test_all_of_them_can_be_loaded_at_once(folder: Path) -> None:
    code = "import slow\nload_all()\nprint(type(sys.modules['slow']).__name__, slow.VALUE)\n"
    assert output(folder, code) == "loaded\nmodule 7\n"


def test_a_module_that_is_loaded_stays(folder: Path) -> None:
    code = "del sys.modules['slow']\nimport slow\nspare('slow')\nprint(sys.modules['slow'] is slow)"
    assert output(folder, code) == "loaded\nTrue\n"


def test_an_attribute_that_a_module_lacks_is_an_error_as_ever(folder: Path) -> None:
    code = "import slow\ntry: slow.nothing\nexcept AttributeError as error: print(error)\n"
    assert output(folder, code) == "loaded\nmodule 'slow' has no attribute 'nothing'\n"
