"""The cross compiler: found, known by its content, read once."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from stamps import written

from quard.base.errors import QuardError
from quard.base.programs import Programs
from quard.execute.toolchain import COMMANDS, OPTIONAL, Toolchain, find

PREFIX = "riscv64-linux-gnu-"
GCC = """\
#!/bin/sh
# Answers as gcc does, about the files beside it.
top=${0%/*/*}
echo "$1" >> "$top/asked"
case $1 in
-dumpfullversion) echo 12.2.0 ;;
-print-sysroot) echo "$(cat "$top/says" 2> /dev/null)" ;;
-print-prog-name=*) echo "$top/libexec/${1#*=}" ;;
-print-file-name=*) if [ -e "$top/target/lib/${1#*=}" ]; then
    echo "$top/target/lib/${1#*=}"; else echo "${1#*=}"; fi ;;
*) exit 1 ;;
esac
"""

LIBRARIES = ("libc.so.6", "libgcc.a", "crt1.o", "crtbeginS.o", "libc.a", "libgomp.so.1")

_opened: list[str] | None = None


def _listen(event: str, arguments: tuple[object, ...]) -> None:
    if _opened is not None and event in ("open", "subprocess.Popen"):
        _opened.append(str(arguments[0]))


sys.addaudithook(_listen)


@contextmanager
def watched() -> Iterator[list[str]]:
    """Note every file that is opened and every program that is started (PEP 578)."""
    global _opened  # noqa: PLW0603 - an audit hook stays for the life of the process
    _opened = []
    try:
        yield _opened
    finally:
        _opened = None


@pytest.fixture
def fake(tmp_path: Path) -> Path:
    """A folder that looks like a cross compiler; scripts take the place of programs."""
    folder = tmp_path / "fake"
    for name in ("bin", "libexec", "target/lib", "target/include/linux", "target/include/gnu"):
        (folder / name).mkdir(parents=True)
    for name in COMMANDS:
        program = folder / f"bin/x-{name}"
        program.write_text(GCC if name == "gcc" else f"#!/bin/sh\n# {name}\n")
        program.chmod(0o755)
    for name in ("libexec/cc1", "libexec/collect2", "libexec/lto1"):
        (folder / name).write_text(name)
    for name in LIBRARIES:
        (folder / "target/lib" / name).write_text(name)
    for name in ("stdio.h", "linux/version.h", "gnu/libc-version.h"):
        (folder / "target/include" / name).write_text(name)
    return folder


def look(folder: Path, memory: Path | None = None) -> Toolchain:
    return find("x-", folder, "", Programs(memory or folder.parent / "memory.json"))


def questions(folder: Path) -> int:
    return len((folder / "asked").read_text().splitlines())


def test_the_real_compiler_is_found_along_the_path(tmp_path: Path) -> None:
    found = find(PREFIX, None, os.environ["PATH"], Programs(tmp_path / "memory.json"))
    assert set(COMMANDS) <= set(found.commands) <= {*COMMANDS, *OPTIONAL}
    assert all(path.is_absolute() and path.exists() for path in found.commands.values())
    assert found.start("gcc")[-1].endswith("/riscv64-linux-gnu-gcc")
    assert found.version[0].isdigit()
    assert len(found.fingerprint) == 64
    assert (found.folder, found.prefix) == (None, PREFIX)


def test_its_second_reading_opens_nothing_but_the_memory_and_starts_nothing(
    tmp_path: Path,
) -> None:
    memory = tmp_path / "memory.json"
    with watched() as first:
        before = find(PREFIX, None, os.environ["PATH"], Programs(memory))
    assert any(name.endswith("/cc1") for name in first)
    assert any(name.endswith("gcc") for name in first)
    with watched() as second:
        after = find(PREFIX, None, os.environ["PATH"], Programs(memory))
    assert second == [str(memory)]
    assert after == before


def test_target_libraries_are_real_files(tmp_path: Path) -> None:
    found = find(PREFIX, None, os.environ["PATH"], Programs(tmp_path / "memory.json"))
    libc = found.library("libc.so.6")
    assert libc.read_bytes()[:4] == b"\x7fELF"
    assert not libc.is_symlink()
    with pytest.raises(QuardError) as caught:
        found.library("libnowhere.so.6")
    assert caught.value.reason == "library-missing"
    assert "libnowhere.so.6" in caught.value.message


def test_a_compiler_that_is_not_there_says_where_was_looked(tmp_path: Path) -> None:
    with pytest.raises(QuardError) as caught:
        find("nowhere-", None, str(tmp_path), Programs(tmp_path / "memory.json"))
    assert caught.value.reason == "compiler-missing"
    assert caught.value.message == "the cross compiler's nowhere-ar is missing"
    assert caught.value.detail == f"looked in {tmp_path}"
    assert not (tmp_path / "memory.json").exists()


def test_a_named_folder_is_the_only_place_that_is_looked_in(tmp_path: Path) -> None:
    with pytest.raises(QuardError) as caught:
        find(PREFIX, tmp_path / "opt", os.environ["PATH"], Programs(tmp_path / "memory.json"))
    assert caught.value.reason == "compiler-missing"
    assert caught.value.detail == f"looked in {tmp_path / 'opt/bin'}"


@pytest.mark.parametrize("gone", [name for name in COMMANDS if name != "gcc"])
def test_each_command_must_be_there(fake: Path, gone: str) -> None:
    (fake / f"bin/x-{gone}").unlink()
    with pytest.raises(QuardError) as caught:
        look(fake)
    assert caught.value.reason == "compiler-missing"
    assert f"x-{gone} " in caught.value.message


@pytest.mark.parametrize("text", ["#!/bin/sh\nexit 1\n", "\x7fELF no program"])
def test_a_compiler_that_does_not_answer_is_missing(fake: Path, text: str) -> None:
    (fake / "bin/x-gcc").write_text(text)
    with pytest.raises(QuardError) as caught:
        look(fake)
    assert caught.value.reason == "compiler-missing"
    assert "cannot run -" in caught.value.message


def test_optional_commands_are_taken_when_they_are_there(fake: Path) -> None:
    assert set(look(fake).commands) == set(COMMANDS)
    (fake / "bin/x-g++").write_text("#!/bin/sh\n")
    (fake / "bin/x-g++").chmod(0o755)
    assert set(look(fake).commands) == {*COMMANDS, "g++"}


def test_the_compilers_own_sysroot_is_told_when_it_is_a_folder(fake: Path, tmp_path: Path) -> None:
    assert look(fake, tmp_path / "1").sysroot is None
    for says, wanted in (("/", None), ("/nowhere", None), (str(fake / "target"), fake / "target")):
        (fake / "says").write_text(says)
        assert look(fake, tmp_path / says.replace("/", "_")).sysroot == wanted


CHANGES: dict[str, Callable[[Path], object]] = {
    "compiler proper": lambda folder: (folder / "libexec/cc1").write_text("CC1"),
    "linker": lambda folder: (folder / "bin/x-ld").write_text("#!/bin/sh\n# LD\n"),
    "driver": lambda folder: (folder / "bin/x-gcc").write_text(GCC + "#\n"),
    "C library": lambda folder: (folder / "target/lib/libc.so.6").write_text("LIBC.SO.6"),
    "static C library": lambda folder: (folder / "target/lib/libc.a").write_text("LIBC.A"),
    "begin of programs": lambda folder: (folder / "target/lib/crtbeginS.o").write_text("CRT"),
    "library on demand": lambda folder: (folder / "target/lib/libgomp.so.1").write_text("GOMP"),
    "header": lambda folder: (folder / "target/include/stdio.h").write_text("STDIO.H"),
    "header gone": lambda folder: (folder / "target/include/stdio.h").unlink(),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_changed_file_changes_the_fingerprint_in_spite_of_the_memory(
    fake: Path, change: Callable[[Path], object]
) -> None:
    before = look(fake).fingerprint
    change(fake)
    assert look(fake).fingerprint != before


def test_a_change_that_keeps_size_and_time_is_seen_too(fake: Path) -> None:
    path = fake / "libexec/cc1"
    before, status = look(fake).fingerprint, path.stat()
    path.write_text("CC1".ljust(status.st_size))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert path.stat().st_mtime_ns == status.st_mtime_ns
    assert look(fake).fingerprint != before


def test_a_touched_file_changes_no_fingerprint(fake: Path) -> None:
    before = look(fake).fingerprint
    os.utime(fake / "libexec/cc1", (1, 1))
    assert look(fake).fingerprint == before


def test_the_fingerprint_does_not_depend_on_where_the_compiler_lies(
    fake: Path, tmp_path: Path
) -> None:
    other = tmp_path / "elsewhere/deep"
    shutil.copytree(fake, other)
    assert look(other, tmp_path / "other.json").fingerprint == look(fake).fingerprint


def test_the_compiler_is_asked_once_until_it_changes(fake: Path) -> None:
    look(fake)
    asked = questions(fake)
    look(fake)
    assert questions(fake) == asked
    os.utime(fake / "bin/x-gcc", (1, 1))
    look(fake)
    assert questions(fake) == 2 * asked


def test_a_c_library_that_is_installed_later_is_part_of_the_fingerprint(
    fake: Path, tmp_path: Path
) -> None:
    (fake / "target").rename(tmp_path / "target")
    bare = look(fake).fingerprint
    (tmp_path / "target").rename(fake / "target")
    whole = look(fake).fingerprint
    assert whole != bare
    (fake / "target/lib/libc.so.6").write_text("another")
    assert look(fake).fingerprint not in (bare, whole)


def test_an_unchanged_memory_is_not_written_again(fake: Path, tmp_path: Path) -> None:
    memory = tmp_path / "deep/memory.json"
    look(fake, memory)
    before = written(memory)
    look(fake, memory)
    assert written(memory) == before
    assert list(memory.parent.iterdir()) == [memory]


@pytest.mark.parametrize("content", ["", "{", "[]", "7", "null", '{"x": 5}', "\udcff"])
def test_a_damaged_memory_is_made_anew(fake: Path, tmp_path: Path, content: str) -> None:
    memory = tmp_path / "memory.json"
    wanted = look(fake, tmp_path / "other.json")
    memory.write_bytes(os.fsencode(content))
    assert look(fake, memory) == wanted
    assert json.loads(memory.read_text()) == json.loads((tmp_path / "other.json").read_text())


@pytest.mark.parametrize("entry", [5, [], ["x"], {}, [1, 2], None])
def test_entries_of_another_form_are_made_anew(fake: Path, tmp_path: Path, entry: object) -> None:
    memory = tmp_path / "memory.json"
    wanted = look(fake, memory)
    known = json.loads(memory.read_text())
    for key, old in known.items():
        known[key] = [old[0]] if entry == ["x"] else entry
    memory.write_text(json.dumps(known))
    assert look(fake, memory) == wanted


def test_static_position_independent_programs_have_a_start_file_or_not(fake: Path) -> None:
    without = look(fake)
    assert not without.static_pie
    (fake / "target/lib/rcrt1.o").write_text("rcrt1.o")
    found = look(fake, fake.parent / "other.json")
    assert found.static_pie
    assert found.fingerprint != without.fingerprint


def test_the_folders_of_its_libraries_are_named_once_each(fake: Path) -> None:
    assert look(fake).libraries == (fake / "target/lib",)


@pytest.mark.parametrize("libraries", ["lib", "lib/riscv64-linux-gnu", "lib64/lp64d"])
def test_headers_of_the_kernel_are_those_beside_the_start_files(fake: Path, libraries: str) -> None:
    place = fake / "target" / libraries
    place.mkdir(parents=True, exist_ok=True)
    (place / "crt1.o").touch()
    gcc = fake / "bin/x-gcc"
    gcc.write_text(f"#!/bin/sh\ncase $1 in -print-file*) echo '{place}/crt1.o' ;; esac\n")
    assert look(fake).header_folder("linux") == fake / "target/include/linux"


def test_headers_of_one_architecture_come_first(fake: Path) -> None:
    own = fake / "target/include/x-linux-gnu/asm"
    own.mkdir(parents=True)
    (fake / "target/include/asm").mkdir()
    gcc = fake / "bin/x-gcc"
    answers = f"-print-multiarch) echo x-linux-gnu ;; *) echo '{fake}/target/lib/crt1.o' ;;"
    gcc.write_text(f"#!/bin/sh\ncase $1 in {answers} esac\n")
    assert look(fake).header_folder("asm") == own


def test_headers_that_are_not_there_are_named_not_taken_from_the_machine(tmp_path: Path) -> None:
    found = find(PREFIX, None, os.environ["PATH"], Programs(tmp_path / "memory.json"))
    assert (found.header_folder("linux") / "version.h").is_file()
    assert Path("/usr/include/stdio.h").exists()
    with pytest.raises(QuardError) as caught:
        found.header_folder("rpc-of-nobody")
    assert caught.value.reason == "library-missing"
    assert "rpc-of-nobody" in caught.value.message
