"""ELF facts, from files that the cross compiler makes, and from damaged ones."""

import random
import re
import subprocess
import time
from pathlib import Path

import pytest
from elf_parts import ADDRESS, GCC, gcc, shared_library

from quard.base.errors import QuardError
from quard.parts import elf
from quard.parts.elf_file import mapped
from quard.parts.elf_machines import MACHINES


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shared_library(tmp_path_factory.mktemp("library"))


def test_frame_of_a_library(library: Path) -> None:
    frame = elf.read(library)
    assert (frame.machine, frame.bits, frame.kind) == ("EM_RISCV", 64, "dyn")
    assert frame.flags == 5, "compressed instructions and the double-float ABI"
    assert frame.soname == "libx.so.1"
    assert frame.needed == ("libc.so.6", "ld-linux-riscv64-lp64d.so.1")
    assert (frame.rpath, frame.runpath) == (None, "/opt/x:$ORIGIN")
    assert frame.interp is None
    assert frame.build_id == "0123456789abcdef"
    assert frame.flags_0 & 8, "DF_BIND_NOW"
    assert frame.library
    assert frame.relro[0] < frame.relro[1]
    sections = {section.name: section for section in frame.sections}
    assert sections[".tdata"].flags & elf.SHF_TLS
    assert b"riscv" in elf.contents(library, sections[".riscv.attributes"])


def test_symbols_of_a_library(library: Path) -> None:
    found = {(symbol.name, symbol.version): symbol for symbol in elf.symbols(library)}
    kinds = {key: (symbol.type, symbol.binding) for key, symbol in found.items()}
    assert kinds["data", "V1"] == ("object", "global")
    assert kinds["alias", "V1"] == ("object", "weak")
    assert kinds["local", "V1"] == ("tls", "global")
    assert kinds["f", "V1"] == ("func", "global")
    assert found["data", "V1"].size == 4
    assert found["data", "V1"].value == found["alias", "V1"].value
    assert found["p", "V1"].visibility == "protected"
    assert [found["v", version].default for version in ("V1", "V2")] == [False, True]
    assert found["puts", "GLIBC_2.27"].section == elf.SHN_UNDEF
    assert kinds["maybe", ""] == ("notype", "weak")
    assert ("h", "") not in found
    assert elf.versions(library) == (
        elf.Version("libx.so.1", 1), elf.Version("V1", 0), elf.Version("V2", 0)
    )  # fmt: skip


def test_symbols_agree_with_readelf(library: Path) -> None:
    text = subprocess.run(
        ["riscv64-linux-gnu-readelf", "--dyn-syms", "--wide", library],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    theirs = set()
    for line in text.splitlines():
        words = line.split()
        if len(words) >= 8 and words[4] in ("GLOBAL", "WEAK"):
            name = words[7].replace("@@", "@")
            theirs.add((name, int(words[1], 16), int(words[2]), words[3].lower(), words[6]))
    ours = {
        (
            f"{symbol.name}@{symbol.version}".removesuffix(f"@{symbol.name}").removesuffix("@"),
            symbol.value, symbol.size, symbol.type,
            {0: "UND", 0xFFF1: "ABS"}.get(symbol.section, str(symbol.section)),
        )
        for symbol in elf.symbols(library)
    }  # fmt: skip
    assert ours == theirs
    assert len(ours) > 15


@pytest.mark.parametrize(
    ("options", "kind", "is_library"),
    [
        (("-pie",), "dyn", False),
        (("-nostdlib", "-static", "-fPIE", "-Wl,-pie,--no-dynamic-linker"), "dyn", False),
        (("-no-pie",), "exec", False),
        (("-c",), "rel", False),
        (("-shared", "-fPIC"), "dyn", True),
    ],
)
def test_programs_objects_and_libraries_are_told_apart(
    tmp_path: Path, options: tuple[str, ...], kind: str, is_library: bool
) -> None:
    out = gcc(tmp_path, "int main(void) { return 0; }", *options)
    frame = elf.read(out)
    assert (frame.kind, frame.library) == (kind, is_library)
    expected = "/lib/ld-linux-riscv64-lp64d.so.1" if options[0] in ("-pie", "-no-pie") else None
    assert frame.interp == expected


def test_a_c_library_that_can_be_run_is_a_library() -> None:
    path = subprocess.run(
        [GCC, "-print-file-name=libc.so.6"], capture_output=True, text=True, check=True
    ).stdout.strip()
    frame = elf.read(Path(path))
    assert frame.interp is not None
    assert frame.library
    symbols = {(symbol.name, symbol.default) for symbol in elf.symbols(Path(path))}
    assert ("environ", True) in symbols


@pytest.mark.parametrize(
    ("options", "bits"),
    [
        (("-march=rv32imac", "-mabi=ilp32", "-Wl,-melf32lriscv"), 32),
        (("-mbig-endian", "-Wl,-melf64briscv"), 64),
    ],
)
def test_other_widths_and_byte_orders_are_read_too(
    tmp_path: Path, options: tuple[str, ...], bits: int
) -> None:
    source = "int data[3]; int f(void) { return data[1]; }"
    out = gcc(tmp_path, source, "-shared", "-fPIC", "-nostdlib", "-Wl,-soname,x.so.1", *options)
    frame = elf.read(out)
    assert (frame.machine, frame.bits, frame.soname) == ("EM_RISCV", bits, "x.so.1")
    found = {symbol.name: (symbol.type, symbol.size) for symbol in elf.symbols(out)}
    assert found["data"] == ("object", 12)
    assert found["f"][0] == "func"


def test_is_elf(tmp_path: Path, library: Path) -> None:
    (tmp_path / "empty").touch()
    (tmp_path / "text").write_text("\x7fEL")
    assert elf.is_elf(library)
    assert not elf.is_elf(tmp_path / "empty")
    assert not elf.is_elf(tmp_path / "text")


def test_a_file_without_section_table_still_has_a_frame(tmp_path: Path, library: Path) -> None:
    data = bytearray(library.read_bytes())
    data[0x28:0x30] = bytes(8)  # e_shoff
    (tmp_path / "bare").write_bytes(data)
    frame = elf.read(tmp_path / "bare")
    assert frame.sections == ()
    assert frame.soname == "libx.so.1"
    assert elf.symbols(tmp_path / "bare") == ()


def test_debug_files_can_be_read(tmp_path: Path) -> None:
    out = gcc(tmp_path, "int main(void) { return 0; }", "-g")
    debug = tmp_path / "debug"
    subprocess.run(["riscv64-linux-gnu-objcopy", "--only-keep-debug", out, debug], check=True)
    assert elf.read(debug).build_id == elf.read(out).build_id != ""


def test_malformed_files_are_one_kind_of_error(tmp_path: Path, library: Path) -> None:
    """Cut off and altered at random: an answer or `bad-elf`, never anything else, and quickly."""
    data = library.read_bytes()
    rolls = random.Random(1)
    variants = [data[:size] for size in (0, 3, 4, 15, 16, 63, 64, 100, 200, len(data) - 1)]
    for _ in range(250):
        changed = bytearray(data)
        for _ in range(rolls.choice((1, 1, 4, 40))):
            at = rolls.choice((rolls.randrange(64), rolls.randrange(len(data))))
            changed[at] = rolls.choice((0, 1, 0x7F, 0x80, 0xFF, rolls.randrange(256)))
        variants.append(bytes(changed))
    path = tmp_path / "file"
    bad = 0
    for variant in variants:
        path.write_bytes(variant)
        try:
            frame = elf.read(path)
            elf.symbols(path)
            elf.versions(path)
            for section in frame.sections:
                if section.type != elf.SHT_NOBITS:
                    elf.contents(path, section)
        except QuardError as error:
            assert error.reason == "bad-elf"
            bad += 1
    assert bad > 20


def test_a_big_library_is_read_in_a_moment(tmp_path: Path) -> None:
    names = [f"a_function_with_a_long_name_{number}" for number in range(5000)]
    (tmp_path / "many.s").write_text("\n".join(f".globl {name}\n{name}: ret" for name in names))
    out = gcc(tmp_path, "int x;", "-shared", "-fPIC", "many.s")
    started = time.process_time()
    assert len(elf.symbols(out)) > 5000
    assert time.process_time() - started < 1.0, "measured: 0.06 s"


def test_an_object_file_has_named_sections_and_symbols(tmp_path: Path) -> None:
    source = """
        __attribute__((section(".words"), used)) static const char words[] = "a=1";
        __attribute__((section(".later"), used)) int a_first; int a_second, other;
        static int a_local; int use(void) { return a_local++ + a_second; }
    """
    with mapped(gcc(tmp_path, source, "-c")) as view:
        table = view.typed(elf.SHT_SYMTAB)
        assert table is not None
        assert view.named(".words") == b"a=1\0"
        assert view.named(".bss") == b"", "it has a size and no bytes"
        assert view.named(".missing") == b""
        assert set(view.symbol_names(table, b"a_")) == {"a_first", "a_second", "a_local"}
        assert {"words", "other", "use"} <= set(view.symbol_names(table, b""))


def test_a_symbol_with_its_name_outside_of_the_strings_is_malformed(tmp_path: Path) -> None:
    path = gcc(tmp_path, "int a_symbol;", "-c")
    with mapped(path) as view:
        table = view.typed(elf.SHT_SYMTAB)
        assert table is not None
    with path.open("r+b") as file:
        file.seek(table.offset + table.size - 24)
        file.write(b"\xff\xff\xff\x7f")
    with pytest.raises(QuardError) as caught, mapped(path) as view:
        list(view.symbol_names(table, b"a_"))
    assert (caught.value.reason, "string" in caught.value.detail) == ("bad-elf", True)


def test_machines_are_named_as_in_elf_h() -> None:
    """The C compiler reads the numbers of its own elf.h: none of ours may be another one's."""
    text = "#include <elf.h>\n" + "".join(f"int a{n} = {name};\n" for n, name in MACHINES.items())
    argv = [GCC, "-E", "-P", "-x", "c", "-"]
    lines = subprocess.run(argv, input=text, capture_output=True, text=True, check=True).stdout
    found = re.findall(r"int a(\d+) = (\w+);", lines)
    assert len(found) == len(MACHINES)
    assert all(int(number) == int(value, 0) for number, value in found)


def test_a_string_of_any_length_is_read(tmp_path: Path) -> None:
    name = "lib" + "n" * 700 + ".so.1"
    frame = elf.read(gcc(tmp_path, "int x;", "-shared", "-fPIC", f"-Wl,-soname,{name}"))
    assert frame.soname == name


LINKED: dict[str, tuple[str, bool]] = {
    "now": ("bind_now", True),
    "lazy": ("bind_now", False),
    "execstack": ("execstack", True),
    "noexecstack": ("execstack", False),
}


@pytest.mark.parametrize("option", LINKED)
def test_what_the_linker_was_told_is_in_the_frame(tmp_path: Path, option: str) -> None:
    fact, wanted = LINKED[option]
    frame = elf.read(gcc(tmp_path, "int x;", "-shared", "-fPIC", f"-Wl,-z,{option}"))
    assert getattr(frame, fact) is wanted


@pytest.mark.parametrize(("section", "flags"), [(".text", "ax"), (".data", "aw")])
def test_relocation_of_code_is_seen(tmp_path: Path, section: str, flags: str) -> None:
    source = ADDRESS.format(section, flags)
    frame = elf.read(gcc(tmp_path, source, "-shared", "-fPIC", "-Wl,-z,notext"))
    assert (frame.textrel, frame.marked_textrel) == ((section == ".text"),) * 2
