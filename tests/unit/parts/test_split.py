"""Splitting staging folders that hold what real packages install."""

import errno
import os
import shutil
import stat
import struct
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from split_parts import (
    CROSS,
    TOOLS,
    archive,
    compiled,
    library,
    link,
    parts_of,
    program,
    refused,
    write,
)

from quard.base.errors import together
from quard.parts import elf
from quard.parts.split import split
from quard.store.blob import pack, walk


def sections(path: Path) -> set[str]:
    return {section.name for section in elf.read(path).sections}


def test_a_whole_package(stage: Path) -> None:
    program(stage / "sbin/tool")
    library(stage / "usr/lib/libx.so.1.2", "libx.so.1")
    link(stage / "usr/lib/libx.so.1", "libx.so.1.2")
    link(stage / "usr/lib/libx.so", "libx.so.1.2")
    write(stage / "usr/lib/libx.la", "# libtool")
    write(stage / "usr/lib/pkgconfig/x.pc", "Name: x")
    write(stage / "usr/include/x.h")
    write(stage / "usr/bin/x-config", "#!/bin/sh", 0o755)
    write(stage / "usr/share/man/man1/tool.1")
    write(stage / "usr/share/aclocal/x.m4")
    write(stage / "etc/x.conf")
    write(stage / "boot/Image")
    (stage / "var/empty").mkdir(parents=True)
    parts = parts_of(stage)
    assert parts.target == (
        "etc/x.conf", "usr/lib/libx.so.1", "usr/lib/libx.so.1.2", "usr/sbin/tool", "var/empty",
    )  # fmt: skip
    assert parts.dev == (
        "usr/bin/x-config", "usr/include/x.h", "usr/lib/libx.so", "usr/lib/libx.so.1",
        "usr/lib/libx.so.1.2", "usr/lib/pkgconfig/x.pc", "usr/share/aclocal/x.m4",
    )  # fmt: skip
    assert parts.deploy == ("Image",)
    assert parts.leaks == ()
    ids = sorted(elf.read(stage / path).build_id for path in ("usr/sbin/tool", "usr/lib/libx.so"))
    assert walk(parts.debug) == tuple(
        f"usr/lib/debug/.build-id/{name[:2]}/{name[2:]}.debug" for name in ids
    )


def test_the_same_build_in_other_folders_gives_the_same_blobs(tmp_path: Path) -> None:
    hashes = []
    for name in ("a", "b/longer"):
        stage = tmp_path / name / "stage"
        library(stage / "lib/libx.so.1", "libx.so.1")
        program(stage / "bin/tool")
        archive(stage / "usr/lib/libx.a")
        parts = parts_of(stage)
        blobs = [(stage, parts.target), (stage, parts.dev), (parts.debug, walk(parts.debug))]
        hashes.append([pack(root, paths, tmp_path / "out") for root, paths in blobs])
    assert hashes[0] == hashes[1]


def test_what_is_installed_as_debug_information_is_kept_as_it_is(stage: Path) -> None:
    program(stage / "usr/lib/debug/boot/vmlinux")
    program(stage / "usr/bin/tool")
    before = (stage / "usr/lib/debug/boot/vmlinux").read_bytes()
    parts = parts_of(stage)
    assert "usr/lib/debug/boot/vmlinux" in walk(parts.debug)
    assert (parts.debug / "usr/lib/debug/boot/vmlinux").read_bytes() == before
    assert any(".build-id" in path for path in walk(parts.debug))
    assert parts.target == ("usr/bin/tool",)


def test_nothing_is_left_of_a_package_with_debug_information_alone(stage: Path) -> None:
    write(stage / "boot/Image")
    write(stage / "usr/lib/debug/boot/vmlinux")
    parts = parts_of(stage)
    assert (parts.target, parts.dev, parts.deploy) == ((), (), ("Image",))


def test_debug_information_leads_back_to_the_source(stage: Path) -> None:
    path = library(stage / "usr/lib/libx.so.1", "libx.so.1")
    assert {".debug_info", ".symtab"} <= sections(path)
    debug = parts_of(stage).debug
    assert not {name for name in sections(path) if name.startswith(".debug") or name == ".symtab"}
    build_id = elf.read(path).build_id
    kept = debug / f"usr/lib/debug/.build-id/{build_id[:2]}/{build_id[2:]}.debug"
    assert {".debug_info", ".symtab"} <= sections(kept)
    assert stat.S_IMODE(kept.stat().st_mode) == 0o644
    address = next(symbol.value for symbol in elf.symbols(path) if symbol.name == "f")
    found = subprocess.run(
        [f"{CROSS}addr2line", "-f", "-e", kept, hex(address)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert found.stdout.splitlines()[0] == "f"


def test_without_a_build_id_a_debug_link_leads_to_the_debug_file(stage: Path) -> None:
    path = program(stage / "usr/bin/tool", "-Wl,--build-id=none")
    debug = parts_of(stage).debug
    assert walk(debug) == ("usr/lib/debug/usr/bin/tool.debug",)
    link_section = next(s for s in elf.read(path).sections if s.name == ".gnu_debuglink")
    assert elf.contents(path, link_section).startswith(b"tool.debug\0")


def test_a_second_split_changes_nothing(stage: Path) -> None:
    library(stage / "lib/libx.so.1", "libx.so.1")
    link(stage / "lib/libx.so", "libx.so.1")
    program(stage / "bin/tool")
    archive(stage / "usr/lib/libx.a")
    first = parts_of(stage)
    before = pack(stage, walk(stage), stage.parent / "one")
    assert parts_of(stage) == first
    assert pack(stage, walk(stage), stage.parent / "two") == before


def test_hard_links_setuid_and_read_only_files_survive_stripping(stage: Path) -> None:
    path = program(stage / "usr/bin/su")
    path.chmod(0o4755)
    os.link(path, stage / "usr/bin/again")
    read_only = library(stage / "usr/lib/libx.so.1", "libx.so.1")
    read_only.chmod(0o555)
    size = path.stat().st_size
    parts_of(stage)
    assert path.stat().st_size < size
    assert path.samefile(stage / "usr/bin/again")
    assert stat.S_IMODE(path.stat().st_mode) == 0o4755
    assert ".symtab" not in sections(read_only)


def give(path: Path, name: str, value: bytes) -> None:
    try:
        os.setxattr(path, name, value)
    except OSError as error:
        if error.errno not in (errno.ENOTSUP, errno.EPERM):
            raise
        pytest.skip(f"{name} cannot be given to a file in {path.parent}: {error.strerror}")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("security.capability", struct.pack("<5I", 0x02000001, 1 << 13, 0, 0, 0)),
        ("user.origin", b"x"),
    ],
)
def test_attributes_that_would_be_lost_are_told(stage: Path, name: str, value: bytes) -> None:
    give(program(stage / "usr/bin/ping"), name, value)
    give(write(stage / "usr/bin/doc"), name, value)
    error = refused(lambda: parts_of(stage, drop=("usr/bin/doc",)))
    assert (error.reason, error.detail) == ("file-attributes", name)
    assert "usr/bin/ping" in error.message


def test_attributes_of_folders_would_be_lost_too(stage: Path) -> None:
    (stage / "var/spool").mkdir(parents=True)
    give(stage / "var/spool", "user.origin", b"x")
    error = refused(lambda: parts_of(stage))
    assert error.reason == "file-attributes" and "var/spool" in error.message


def test_attributes_of_the_machine_are_not_the_packages(stage: Path) -> None:
    give(write(stage / "usr/bin/tool"), "user.overlay.opaque", b"y")
    assert parts_of(stage).wrong == ()


def test_archives_get_an_index_and_lose_time_owner_and_debug_information(stage: Path) -> None:
    path = archive(stage / "usr/lib/libx.a")
    parts = parts_of(stage)
    assert parts.dev == ("usr/lib/libx.a",)
    assert parts.target == ()
    listing = subprocess.run(
        [f"{CROSS}ar", "tvO", path], capture_output=True, text=True, check=True
    ).stdout
    assert listing.startswith("rw-r--r-- 0/0 ")
    assert "1970" in listing
    data = path.read_bytes()
    assert data[8:10] == b"/ ", "the index comes first"
    assert b".debug_info" not in data
    subprocess.run(
        [f"{CROSS}gcc", "-xc", "-", "-xnone", path, "-o", stage.parent / "linked"],
        input=b"int f(int); int main(void) { return f(1); }", check=True,
    )  # fmt: skip


def test_objects_and_modules_keep_the_symbols_that_linking_needs(stage: Path) -> None:
    for path in (stage / "usr/lib/crt9.o", stage / "lib/modules/6.12/x.ko"):
        compiled(path, "-c")
    parts = parts_of(stage)
    assert parts.dev == ("usr/lib/crt9.o",)
    assert parts.target == ("usr/lib/modules/6.12/x.ko",)
    for name in (*parts.dev, *parts.target):
        assert ".symtab" in sections(stage / name)
        assert ".debug_info" not in sections(stage / name)
    # A module's are also for the debugger, where it is looked for: at its path.
    assert walk(parts.debug) == ("usr/lib/debug/usr/lib/modules/6.12/x.ko.debug",)
    assert ".debug_info" in sections(parts.debug / walk(parts.debug)[0])


def test_files_for_the_machine_outside_are_left_as_they_are(stage: Path) -> None:
    path = program(stage / "boot/vmlinux")
    write(stage / "boot/keep.la")
    before = path.read_bytes()
    parts = parts_of(stage)
    assert path.read_bytes() == before
    assert parts.deploy == ("keep.la", "vmlinux")
    assert parts.target == parts.dev == ()


def test_elf_files_of_other_machines_are_left_as_they_are(stage: Path) -> None:
    path = program(stage / "usr/lib/firmware/coprocessor.elf")
    data = bytearray(path.read_bytes())
    data[18:20] = (0x5E).to_bytes(2, "little")  # e_machine: Xtensa
    path.write_bytes(data)
    parts = parts_of(stage)
    assert path.read_bytes() == bytes(data)
    assert parts.target == ("usr/lib/firmware/coprocessor.elf",)


@pytest.mark.parametrize(
    ("rpath", "left"),
    [
        ("/usr/lib", None),
        ("/lib:/usr/lib/:/usr/lib64/lp64d", None),
        ("/usr/lib/x", "/usr/lib/x"),
        ("$ORIGIN/../lib:/usr/lib", "$ORIGIN/../lib:/usr/lib"),
    ],
)
@pytest.mark.parametrize("tags", ["--enable-new-dtags", "--disable-new-dtags"])
def test_rpaths_that_say_nothing_go_and_others_stay(
    stage: Path, rpath: str, left: str | None, tags: str
) -> None:
    path = program(stage / "usr/bin/tool", f"-Wl,{tags},-rpath,{rpath}")
    path.chmod(0o555)
    parts_of(stage)
    frame = elf.read(path)
    assert (frame.rpath or frame.runpath) == left
    assert frame.needed == ("libc.so.6",)


def test_a_mark_of_text_relocations_stays_only_where_there_are_some(stage: Path) -> None:
    """ld 2.40 gives every position-independent RISC-V program with thread-local data the mark."""
    source = "static __thread int x = 3; int main(int c, char **v) { return x += c; }"
    tls = compiled(stage / "usr/bin/tls", "-pie", "-fPIE", source=source)
    code = '__asm__(".section .text\\n .globl p\\np: .quad g\\n .globl g\\ng: ret\\n");'
    real = compiled(stage / "usr/lib/x.so", "-shared", "-fPIC", "-Wl,-z,notext", source=code)
    parts_of(stage)
    assert not elf.read(tls).marked_textrel
    assert elf.read(real).marked_textrel
    assert elf.read(real).textrel


@pytest.mark.parametrize(
    "rpath", ["/quard/stage/usr/lib", "/usr/lib:/quard/sysroot/usr/lib", ".libs", "/usr/lib:", ""]
)
def test_an_rpath_into_the_build_or_a_relative_one_is_refused(stage: Path, rpath: str) -> None:
    library(stage / "usr/lib/libx.so.1", "libx.so.1", f"-Wl,-rpath,{rpath or ':'}")
    error = refused(lambda: parts_of(stage))
    assert error.reason == "rpath"
    assert "usr/lib/libx.so.1" in error.message


def test_paths_of_the_build_are_reported_wherever_they_are(stage: Path) -> None:
    write(stage / "usr/lib/pkgconfig/x.pc", "Name: x\nprefix=/quard/home/usr\nLibs: -lx\n")
    write(stage / "usr/bin/x", "#!/bin/sh\necho -L/quard/src/.libs\n", 0o755)
    write(stage / "boot/config", "CC=/quard/sysroot/cc")
    write(stage / "usr/share/clean", "/quard/elsewhere")
    compiled(
        stage / "usr/lib/libx.so.1", "-shared", "-fPIC",
        source='const char *where(void) { return "built in /quard/stage, alas"; }',
    )  # fmt: skip
    found = {leak.path: leak.text for leak in parts_of(stage).leaks}
    assert found == {
        "boot/config": "CC=/quard/sysroot/cc",
        "usr/bin/x": "echo -L/quard/src/.libs",
        "usr/lib/libx.so.1": "built in /quard/stage, alas",
        "usr/lib/pkgconfig/x.pc": "prefix=/quard/home/usr",
    }


def test_debug_information_has_markers_of_its_own(stage: Path) -> None:
    place = stage / "usr/lib"
    library(place / "libx.so.1", "libx.so.1", f"-fdebug-prefix-map={place}=/quard/src/x")
    library(place / "liby.so.1", "liby.so.1")
    (leak,) = parts_of(stage).leaks
    build_id = elf.read(place / "libx.so.1").build_id
    assert leak.path == f"usr/lib/debug/.build-id/{build_id[:2]}/{build_id[2:]}.debug"
    assert leak.text == "/quard/src/x"


def test_stripped_libraries_still_link_and_run_their_dependants(stage: Path) -> None:
    library(stage / "lib/libx.so.1", "libx.so.1")
    link(stage / "lib/libx.so", "libx.so.1")
    parts_of(stage)
    out = stage.parent / "out"
    subprocess.run(
        [f"{CROSS}gcc", "-xc", "-", "-xnone", f"-L{stage}/usr/lib", "-lx", "-o", out],
        input=b"int f(int); int main(void) { return f(1); }", check=True,
    )  # fmt: skip
    assert elf.read(out).needed[0] == "libx.so.1"


@pytest.mark.parametrize(
    ("tool", "hint"),
    [
        (("/nonexistent/strip",), "No such file"),
        (("false",), "false"),
        (("env", "/nonexistent/strip"), "No such file"),
        (("env", "false"), "env false"),
    ],
)
def test_a_tool_that_fails_is_named(stage: Path, tool: tuple[str, ...], hint: str) -> None:
    program(stage / "usr/bin/tool")
    broken = replace(TOOLS, strip=tool)

    def run() -> None:
        raise together("it", split(stage, debug=stage.parent / "debug", tools=broken).wrong)

    error = refused(run)
    assert error.reason == "split-tool"
    assert hint in error.detail
    assert f"{Path(tool[-1]).name} failed" in error.message
    assert sorted(path.name for path in stage.parent.iterdir()) == ["debug", "stage"]


def test_a_damaged_elf_file_is_one_clear_error(stage: Path) -> None:
    path = program(stage / "usr/bin/tool")
    path.write_bytes(path.read_bytes()[:5000])
    assert refused(lambda: parts_of(stage)).reason == "bad-elf"


def test_a_damaged_archive_is_one_clear_error(stage: Path) -> None:
    path = archive(stage / "usr/lib/libx.a")
    path.write_bytes(path.read_bytes()[:300])
    assert refused(lambda: parts_of(stage)).reason == "split-tool"


def test_folders_that_forbid_writing_are_no_obstacle(stage: Path) -> None:
    program(stage / "bin/tool").chmod(0o511)
    write(stage / "usr/share/doc/x")
    (stage / "tmp").mkdir()
    (stage / "tmp").chmod(0o1777)
    for folder in ("bin", "usr/share/doc", "usr/share", "usr"):
        (stage / folder).chmod(0o555)
    assert parts_of(stage).target == ("tmp", "usr/bin/tool")
    assert stat.S_IMODE((stage / "usr/bin/tool").stat().st_mode) == 0o711
    shutil.rmtree(stage)


def test_signed_kernel_module_stays_as_it_was_signed(stage: Path) -> None:
    place = compiled(stage / "usr/lib/modules/1.0/x.ko", "-c")
    signed = place.read_bytes() + b"a signature~Module signature appended~\n"
    place.write_bytes(signed)
    parts = parts_of(stage)
    assert place.read_bytes() == signed
    assert walk(parts.debug) == ("usr/lib/debug/usr/lib/modules/1.0/x.ko.debug",)
