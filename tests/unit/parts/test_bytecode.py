"""Compiled modules of Python, made by the real one, and taken by it where they are kept."""

from __future__ import annotations

import os
import py_compile
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from split_parts import parts_of, write

from quard.parts.bytecode import settle
from quard.store.blob import extract, pack

LIB = "usr/lib/python3/x"
TAG = sys.implementation.cache_tag
CACHE = f"{LIB}/__pycache__/mod.{TAG}.pyc"
SOURCE = "NAMES = {'a', 'b'}\ndef f(x):\n    return f'{x} of {NAMES}'\n"
HASHES = {"SOURCE_DATE_EPOCH": "315532800"}


def compiled(stage: Path, env: dict[str, str], *options: str) -> None:
    """Install a module as `make install` does, for the path on the target."""
    write(stage / LIB / "mod.py", SOURCE)
    command = [sys.executable, *options, "-m", "compileall", "-q", "-f", "-d", f"/{LIB}"]
    subprocess.run([*command, stage / LIB], env={"PATH": os.environ["PATH"], **env}, check=True)


def import_it(folder: Path) -> str:
    """Import the module as the target does at a start; return what Python says of its cache."""
    done = subprocess.run(
        [sys.executable, "-v", "-B", "-c", "import mod; print(mod.f(1))"],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(folder)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return "\n".join(line for line in done.stderr.splitlines() if "mod." in line)


def test_what_python_compiled_is_kept_and_used_on_the_target(stage: Path) -> None:
    compiled(stage, HASHES)
    parts = parts_of(stage)
    assert parts.target == (CACHE, f"{LIB}/mod.py")
    sha256 = pack(stage, parts.target, stage.parent / "blob")
    extract(stage.parent / "blob", stage.parent / "target", sha256)
    target = stage.parent / "target" / LIB
    assert "matches" in import_it(target)


def test_an_edited_source_counts_even_if_its_time_is_the_same(stage: Path) -> None:
    compiled(stage, HASHES)
    parts_of(stage)
    source = stage / LIB / "mod.py"
    before = source.stat()
    source.write_text(SOURCE.replace("of", "to"))
    os.utime(source, ns=(before.st_mtime_ns, before.st_mtime_ns))
    assert "matches" not in import_it(stage / LIB)


def test_two_builds_give_the_same_bytes(tmp_path: Path) -> None:
    hashes = set()
    for name, seed in (("one", "1"), ("another-place", "2")):
        stage = tmp_path / name / "stage"
        stage.mkdir(parents=True)
        compiled(stage, {**HASHES, "PYTHONHASHSEED": seed})
        os.utime(stage / LIB / "mod.py", (1, 1))
        hashes.add(pack(stage, parts_of(stage).target, tmp_path / "blob"))
    assert len(hashes) == 1


def test_a_module_that_compares_times_goes_and_the_log_says_why(stage: Path) -> None:
    compiled(stage, {})
    parts = parts_of(stage)
    assert parts.target == (f"{LIB}/mod.py",)
    assert not (stage / LIB / "__pycache__").exists()
    assert parts.notes == (
        f"{CACHE}: left out: it records the time of its source, which differs on the target",
    )


def test_a_hash_that_nobody_compares_is_compared(stage: Path) -> None:
    source = write(stage / LIB / "mod.py", SOURCE)
    unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
    py_compile.compile(
        str(source), str(stage / CACHE), f"/{LIB}/mod.py", invalidation_mode=unchecked
    )
    assert parts_of(stage).target == (CACHE, f"{LIB}/mod.py")
    assert "matches" in import_it(stage / LIB)
    source.write_text(SOURCE.replace("of", "to"))
    assert "matches" not in import_it(stage / LIB)


def test_a_module_without_its_source_stays_and_has_no_time(stage: Path) -> None:
    hashes = set()
    for moment in (1_000_000_000, 1_700_000_000):
        source = write(stage / "mod.py", SOURCE)
        os.utime(source, (moment, moment))
        timed = py_compile.PycInvalidationMode.TIMESTAMP
        place = stage / LIB / "mod.pyc"
        py_compile.compile(str(source), str(place), "/mod.py", invalidation_mode=timed)
        source.unlink()
        assert parts_of(stage).target == (f"{LIB}/mod.pyc",)
        hashes.add(place.read_bytes())
        assert "mod.pyc" in import_it(stage / LIB)
        shutil.rmtree(stage.parent / "debug")
    assert len(hashes) == 1


@pytest.mark.parametrize(
    ("path", "why"),
    [
        (CACHE.replace(".pyc", ".opt-1.pyc"), "only python -O looks for it"),
        (CACHE.replace("mod.", "gone."), "its source is not installed"),
        (f"{LIB}/mod.pyc", "Python does not look for it beside its source"),
        (f"{LIB}/__pycache__/mod.pyc", "its name is not one that Python looks for"),
    ],
)
def test_what_python_does_not_look_for_goes(stage: Path, path: str, why: str) -> None:
    compiled(stage, HASHES)
    shutil.copy(stage / CACHE, stage / path)
    gone = settle(stage, (path, CACHE), (), "/quard/")
    assert gone == {path: why}
    assert (stage / CACHE).exists() and not (stage / path).exists()


def test_what_is_no_module_goes(stage: Path) -> None:
    write(stage / CACHE, "x")
    write(stage / LIB / "mod.py")
    assert settle(stage, (CACHE,), (), "/quard/") == {CACHE: "it is not a compiled module"}


def test_a_module_whose_source_is_put_right_or_that_names_the_build_is_left_out(
    stage: Path,
) -> None:
    for name in ("right", "leak"):
        text = "X = '/quard/stage/etc'\n" if name == "right" else "X = 1\n"
        source = write(stage / LIB / f"{name}.py", text)
        cache = stage / CACHE.replace("mod.", f"{name}.")
        shown = f"/{LIB}/{name}.py" if name == "right" else "/quard/stage/leak.py"
        checked = py_compile.PycInvalidationMode.CHECKED_HASH
        py_compile.compile(str(source), str(cache), shown, invalidation_mode=checked)
    parts = parts_of(stage)
    assert parts.target == (f"{LIB}/leak.py", f"{LIB}/right.py")
    assert parts.leaks == ()
    assert [note.rpartition(": ")[2] for note in parts.notes] == [
        "paths of the build corrected",
        "it contains paths of the build's folders",
        "paths in its source were corrected",
    ]
