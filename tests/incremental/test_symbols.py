"""`./scons run DEBUG=1`: the folder that gdb takes its symbols from.

The boards here have no kernel, so that each run ends where run.sh looks for it.
"""

from __future__ import annotations

import json
from pathlib import Path

from incremental.project import Project, Ran
from quard.parts import elf, elf_file

ROOT = "out/tiny/debug/root"


def debug(project: Project, *arguments: str) -> Ran:
    ran = project.run("run", "DEBUG=1", *arguments)
    assert "reason: image-missing" in ran.err, ran.text
    return ran


def symbols(path: Path) -> set[str]:
    with elf_file.mapped(path) as view:
        table = view.typed(elf.SHT_SYMTAB)
        assert table is not None, f"{path} has no symbols"
        return set(view.symbol_names(table, b""))


def symbols_of(project: Project, path: str) -> set[str]:
    """Return what gdb finds for a program or library by the build-id in it."""
    build_id = elf.read(project.folder / ROOT / path).build_id
    name = f"usr/lib/debug/.build-id/{build_id[:2]}/{build_id[2:]}.debug"
    return symbols(project.folder / ROOT / name)


def test_every_program_and_library_of_the_image_has_its_symbols(greeting: Project) -> None:
    ran = debug(greeting)
    assert "greet" in symbols_of(greeting, "usr/lib/libgreet.so.1")
    assert "main" in symbols_of(greeting, "usr/bin/hello")
    assert not ran.summary["failed"]
    script = greeting.folder / "out/tiny/debug/gdb.sh"
    assert script.stat().st_mode & 0o111
    assert str(greeting.folder) not in script.read_text()
    assert '-ex "set architecture riscv:rv64"' in script.read_text()


def test_libraries_are_found_by_the_paths_that_processes_name(greeting: Project) -> None:
    debug(greeting)
    for path in ("lib/libgreet.so.1", "lib64/libgreet.so.1", "bin/hello"):
        assert (greeting.folder / ROOT / path).is_file()


def test_without_debug_there_is_no_such_folder(greeting: Project) -> None:
    greeting.run("run")
    assert not (greeting.folder / "out/tiny/debug").exists()
    greeting.run("run", "DEBUG=0")
    assert not (greeting.folder / "out/tiny/debug").exists()


def test_it_follows_what_the_image_is_made_of(greeting: Project) -> None:
    debug(greeting)
    stamp = greeting.folder / "out/tiny/debug/packages.json"
    before = stamp.stat().st_ino
    debug(greeting)
    assert stamp.stat().st_ino == before, "nothing changed, nothing is laid out anew"
    greeting.library(
        "greet", "int greet(void) { return 42; }\nint wave(void) { return 1; }\n",
        "int greet(void);\nint wave(void);\n", version="2",
    )  # fmt: skip
    debug(greeting)
    assert "wave" in symbols_of(greeting, "usr/lib/libgreet.so.1")
    greeting.board(["hello", "libc"])
    debug(greeting)
    assert not (greeting.folder / ROOT / "usr/bin/alone").exists()


def test_a_damaged_stamp_costs_no_more_than_laying_it_out_anew(greeting: Project) -> None:
    debug(greeting)
    stamp = greeting.folder / "out/tiny/debug/packages.json"
    whole = stamp.read_bytes()
    stamp.write_bytes(b"\xff\x00")
    debug(greeting)
    assert stamp.read_bytes() == whole
    assert "main" in symbols_of(greeting, "usr/bin/hello")


def test_symbols_that_the_store_has_lost_are_built_again(greeting: Project) -> None:
    debug(greeting)
    record = json.loads((greeting.folder / "out/tiny/units/hello.record.json").read_text())
    (lost,) = greeting.cache.rglob(record["blobs"]["debug"])
    lost.unlink()
    (greeting.folder / "out/tiny/debug/packages.json").unlink()
    debug(greeting)
    assert "main" in symbols_of(greeting, "usr/bin/hello")
