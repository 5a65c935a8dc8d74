"""quard.parts.runpath: run paths relative to the program, in files that a real linker wrote."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path

import pytest

from quard.base.errors import QuardError
from quard.boards import native
from quard.parts import elf
from quard.parts.runpath import relative_rpath, separate_folders
from quard.parts.strip import Toolkit, strip_all

NATIVE = "/quard/native"
PADDED = f"{NATIVE}/usr/lib" + "/" * 16
OURS = (NATIVE,)


def linked(folder: Path, *paths: str, code: str = "int main(void) { return 0; }") -> Path:
    """Return a shared library with these run paths."""
    source, made = folder / "x.c", folder / "x.so"
    source.write_text(code)
    options = [f"-Wl,-rpath,{path}" for path in paths]
    subprocess.run(["gcc", "-shared", "-fPIC", source, "-o", made, *options], check=True)
    return made


@pytest.mark.parametrize(
    ("path", "relative"),
    [
        ("usr/bin/x", "$ORIGIN/../lib"),
        ("usr/lib/x.so", "$ORIGIN"),
        ("usr/lib/python3/lib-dynload/x.so", "$ORIGIN/../.."),
        ("usr/libexec/a/b/x", "$ORIGIN/../../../lib"),
    ],
)
def test_the_way_to_the_libraries_begins_at_the_file(
    tmp_path: Path, path: str, relative: str
) -> None:
    made = linked(tmp_path, PADDED)
    assert relative_rpath(made, path, OURS)
    assert elf.read(made).runpath == relative


def test_paths_that_are_the_same_in_the_end_become_one_and_others_stay(tmp_path: Path) -> None:
    made = linked(tmp_path, PADDED, f"{NATIVE}/usr/lib", "/opt/other", "/work/native/usr/lib")
    relative_rpath(made, "usr/bin/x", (NATIVE, "/work/native"))
    assert elf.read(made).runpath == "$ORIGIN/../lib:/opt/other"


def test_a_file_without_such_a_path_is_not_changed(tmp_path: Path) -> None:
    for paths in ((), ("/opt/other",), ("/quard/natives/usr/lib",)):
        made = linked(tmp_path, *paths)
        before = made.read_bytes()
        assert not relative_rpath(made, "usr/bin/x", OURS)
        assert made.read_bytes() == before


def test_a_symbol_whose_name_is_the_end_of_the_path_keeps_its_name(tmp_path: Path) -> None:
    made = linked(tmp_path, PADDED, f"{NATIVE}/usr/lib", code="int lib(void) { return 1; }")
    assert relative_rpath(made, "usr/bin/x", OURS)
    found = subprocess.run(["nm", "-D", made], check=True, capture_output=True, text=True)
    assert " T lib\n" in found.stdout


def test_the_mode_stays(tmp_path: Path) -> None:
    made = linked(tmp_path, PADDED)
    made.chmod(0o4711)
    relative_rpath(made, "usr/bin/x", OURS)
    assert made.stat().st_mode & 0o7777 == 0o4711


def test_a_path_that_is_too_short_to_be_replaced_is_an_error(tmp_path: Path) -> None:
    made = linked(tmp_path, "/n/lib")
    with pytest.raises(QuardError) as caught:
        relative_rpath(made, "usr/bin/x", ("/n",))
    assert caught.value.reason == "rpath"


def with_names(stage: Path, made: Path, *names: str) -> tuple[str, ...]:
    """Give a file these names below a staging folder."""
    for name in names:
        (stage / name).parent.mkdir(parents=True, exist_ok=True)
        os.link(made, stage / name)
    made.unlink()
    return names


def inodes(stage: Path, *names: str) -> int:
    return len({(stage / name).stat().st_ino for name in names})


def test_each_name_of_a_file_in_several_folders_leads_to_the_libraries(tmp_path: Path) -> None:
    made = linked(tmp_path, PADDED)
    made.chmod(0o755)
    names = with_names(tmp_path, made, "usr/bin/x", "usr/bin/z", "usr/libexec/a/x", "usr/x")
    abi = native.configuration(platform.machine()).target.elf
    tools = Toolkit(("objcopy",), ("strip",), ("ranlib",), abi, NATIVE)
    (tmp_path / "debug").mkdir()
    stripped = strip_all(tmp_path, names, tmp_path / "debug", tools, ())
    assert stripped.wrong == []
    found = {name: frame.runpath for name, frame in stripped.frames.items()}
    assert found == {
        "usr/bin/x": "$ORIGIN/../lib",
        "usr/bin/z": "$ORIGIN/../lib",
        "usr/libexec/a/x": "$ORIGIN/../../lib",
        "usr/x": "$ORIGIN/lib",
    }
    assert inodes(tmp_path, *names) == 3
    assert inodes(tmp_path, "usr/bin/x", "usr/bin/z") == 1
    assert {(tmp_path / name).stat().st_mode & 0o7777 for name in names} == {0o755}


@pytest.mark.parametrize("kind", ["other path", "one folder", "text", "damaged"])
def test_other_files_keep_their_names(tmp_path: Path, kind: str) -> None:
    made = linked(tmp_path, "/opt/other" if kind == "other path" else PADDED)
    if kind == "text":
        made.write_text(PADDED)
    if kind == "damaged":
        made.write_bytes(made.read_bytes()[:200])
    other = "usr/bin/z" if kind == "one folder" else "usr/lib/a/x"
    names = with_names(tmp_path, made, "usr/bin/x", other)
    separate_folders(tmp_path, names, OURS)
    assert inodes(tmp_path, *names) == 1
