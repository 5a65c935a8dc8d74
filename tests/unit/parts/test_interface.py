"""Interfaces: what dependants cannot notice changes nothing, what they can notice always does."""

import itertools
import json
import os
import random
import subprocess
from pathlib import Path
from typing import Any

import pytest

from quard.base.canonical import canonical
from quard.base.errors import QuardError
from quard.ledger.basis import RECORD
from quard.parts.interface import difference, interface

GCC = "riscv64-linux-gnu-gcc"
LIB = "usr/lib/libx.so.1"
BASE = """
int object[4] = { 1, 2, 3, 4 };
int zero;
const int constant[2] = { 5, 6 };
static int hidden = 7;
int *const pointer = &hidden;
__thread int local = 8;
extern int weak_alias[4] __attribute__((weak, alias("object")));
extern int puts(const char *);
int f(int x) { BODY return x + hidden + local; }
int g(int x) { return f(x) * 2 + puts("g"); }
"""
FORM = (
    5,
    '{"abi":["EM_RISCV",64,0,5],"audit":[],"exports":{"f":"func global","g":"func global",'
    '"object":"object global size=16 align=8","zero":"object global size=4 align=4 zero'
    ' section-align=4"},"imports":{"puts@GLIBC_2.27":"func global"},"needed":["libc.so.6"],'
    '"rpath":null,"runpath":null,"soname":"libx.so.1","versions":[]}',
)
DEPENDANT = """
extern int object[4], zero, weak_alias[4], *const pointer;
extern const int constant[2];
extern __thread int local;
extern int f(int), g(int);
int (*table[])(int) = { f, g };
int use(int x) {
    return table[0](x) + g(x) + object[1] + weak_alias[2] + zero + constant[0] + *pointer + local;
}
int main(void) { return use(1); }
"""


def library(
    folder: Path, source: str = BASE, *options: str, body: str = "", script: str = ""
) -> Path:
    """Build a library as a package would install it; return the folder to take as root."""
    place = folder / LIB
    place.parent.mkdir(parents=True, exist_ok=True)
    if script:
        (folder / "script").write_text(script)
        options += (f"-Wl,--version-script={folder / 'script'}",)
    argv = [GCC, "-O1", "-fPIC", "-shared", "-xc", "-", f"-DBODY={body}", *options]
    if not any("-soname" in option for option in options):
        argv.append("-Wl,-soname,libx.so.1")
    argv += ["-o", str(place)]
    subprocess.run(argv, input=source.encode(), check=True)
    link = place.with_name("libx.so")
    if not link.exists():
        link.symlink_to(place.name)
    return folder


def seen(root: Path) -> dict[str, Any]:
    return interface(root, [LIB, "usr/lib/libx.so"])


def dependants(root: Path, source: str = DEPENDANT) -> tuple[bytes, ...]:
    """Link a dependant in every way that reads a library differently; return the outputs."""
    (root / "dependant.c").write_text(source)
    outputs = []
    ways = (
        ("-no-pie", "-fno-pie"),
        ("-pie", "-fPIE", "-rdynamic", "-Wl,-z,now"),
        ("-shared", "-fPIC", "-Wl,--as-needed"),
    )
    for options in ways:
        argv = [GCC, "-O1", *options, "dependant.c", "-Lusr/lib", "-lx", "-o", "out"]
        subprocess.run(argv, cwd=root, check=True)
        outputs.append((root / "out").read_bytes())
    return tuple(outputs)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return library(tmp_path_factory.mktemp("base"))


@pytest.mark.parametrize(
    "body",
    ["x ^= 12345;", 'for (int i = 0; i < x; i++) { hidden += i; __asm__ volatile(""); }'],
)
def test_a_changed_body_leaves_interface_and_dependants_as_they_are(
    base: Path, tmp_path: Path, body: str
) -> None:
    changed = library(tmp_path, body=body)
    assert (base / LIB).read_bytes() != (changed / LIB).read_bytes()
    assert seen(base) == seen(changed)
    assert difference(seen(base), seen(changed)) == ()
    assert dependants(base) == dependants(changed)


def test_debug_information_and_stripping_of_it_do_not_show_in_dependants(
    base: Path, tmp_path: Path
) -> None:
    changed = library(tmp_path, BASE, "-g", body="x ^= 1;")
    subprocess.run(["riscv64-linux-gnu-strip", "--strip-debug", changed / LIB], check=True)
    assert seen(base) == seen(changed)
    assert dependants(base) == dependants(changed)


def test_new_private_functions_and_data_do_not_show(base: Path, tmp_path: Path) -> None:
    source = BASE + 'static int more; __attribute__((visibility("hidden"))) int own(void) '
    changed = library(tmp_path, source + "{ return more++; }", body="extern int own(); x += own();")
    assert seen(base) == seen(changed)
    assert dependants(base) == dependants(changed)


CHANGES: list[tuple[str, str, tuple[str, ...], str, str]] = [
    ("new function", BASE + "int h(void) { return 1; }", (), "", "+ symbol h"),
    ("function gone", BASE.replace("int g(int x)", "static int g(int x)"), (), "", "- symbol g"),
    ("size of an object", BASE.replace("int zero", "int zero[4]"), (), "",
     "object size of zero 4 -> 16"),
    ("alignment of an object",
     BASE.replace("int zero", "__attribute__((aligned(64))) int zero"), (), "",
     "object align of zero 4 -> 64"),
    ("size of a thread-local", BASE.replace("__thread int local", "__thread long local"), (), "",
     "tls size of local 4 -> 8"),
    ("no longer thread-local", BASE.replace("__thread int local", "int local"), (), "",
     "symbol local: tls global"),
    ("read-only becomes writable", BASE.replace("const int constant", "int constant"), (), "",
     "symbol constant: object global size=8"),
    ("relocated read-only becomes writable", BASE.replace("int *const", "int *"), (), "",
     "symbol pointer: object global size=8 align=8 read-only -> object global size=8 align=8"),
    ("binding", BASE.replace("int g(", "__attribute__((weak)) int g("), (), "",
     "symbol g: func global -> func weak"),
    ("visibility", BASE.replace("int g(", "__attribute__((visibility(\"protected\"))) int g("), (),
     "", "symbol g: func global -> func global protected"),
    ("function becomes data", BASE.replace("int zero", "int zero(void) { return 1; } int z"), (),
     "", "symbol zero: object global size=4 align=4 zero section-align=4 -> func global"),
    ("alias goes elsewhere", BASE.replace('alias("object")', 'alias("other")')
     + "int other[4] = { 1 };", (), "", "object alias"),
    ("alias becomes strong", BASE.replace("weak, alias", "alias"), (), "",
     "symbol weak_alias: object weak"),
    ("use of a function", BASE + "", ("-Wl,-u,fflush", "-DEXTRA"), "", "+ use of fflush"),
    ("versions", BASE, (), "V1 { global: *; };", "+ symbol f@@V1"),
    ("SONAME", BASE, ("-Wl,-soname,libx.so.2",), "", "SONAME libx.so.1 -> libx.so.2"),
    ("NEEDED", BASE, ("-Wl,--no-as-needed", "-lm"), "", 'NEEDED ["libc.so.6'),
    ("RUNPATH", BASE, ("-Wl,-rpath,/opt/lib",), "", "RUNPATH none -> /opt/lib"),
    ("zero data becomes initialised", BASE.replace("int zero", "int zero = 1"), (), "",
     "symbol zero: object global size=4 align=4 zero section-align=4"
     " -> object global size=4 align=4"),
    ("alignment of all zero data",
     BASE + "static char own[9] __attribute__((aligned(64))); char *get(void) { return own; }", (),
     "", "object section-align of zero 4 -> 64"),
    ("absolute symbol", BASE, ("-Wl,--defsym=absolute=0x1234",), "",
     "+ symbol absolute"),
    ("warning",
     BASE + 'static const char w[] __attribute__((used, section(".gnu.warning.f"))) = "mind";',
     (), "", "attributes"),
    ("instruction set", BASE, ("-march=rv64gc_zba",), "", "attributes"),
    ("floating-point ABI", BASE.replace("#include", ""), ("-mabi=lp64", "-nostdlib"), "",
     'machine and ABI ["EM_RISCV",64'),
]  # fmt: skip


@pytest.mark.parametrize(
    ("source", "options", "script", "line"),
    [pytest.param(*change[1:], id=change[0]) for change in CHANGES],
)
def test_what_a_linker_reads_counts_and_is_named(
    base: Path, tmp_path: Path, source: str, options: tuple[str, ...], script: str, line: str
) -> None:
    root = library(tmp_path, source, *options, script=script)
    changed = difference(seen(base), seen(root))
    assert any(line in text for text in changed), changed
    assert difference(seen(root), seen(base)) != ()
    assert difference(seen(root), seen(root)) == ()


def test_default_version_of_a_symbol_counts(tmp_path: Path) -> None:
    source = """
    int one(void) { return 1; } int two(void) { return 2; }
    __asm__(".symver one, f@%s"); __asm__(".symver two, f@%s");
    """
    script = "V1 { global: f; }; V2 { global: f; } V1;"
    first = library(tmp_path / "a", source % ("V1", "@V2"), script=script)
    second = library(tmp_path / "b", source % ("@V1", "V2"), script=script)
    assert difference(seen(first), seen(second)) == (
        "libx.so.1: + symbol f@@V1",
        "libx.so.1: - symbol f@@V2",
        "libx.so.1: - symbol f@V1",
        "libx.so.1: + symbol f@V2",
    )


def test_a_body_does_not_show_beside_a_weak_alias_of_two_symbols(tmp_path: Path) -> None:
    source = BASE + 'extern int strong[4] __attribute__((alias("object")));'
    first = library(tmp_path / "a", source)
    second = library(tmp_path / "b", source, body="x ^= 1;")
    assert (first / LIB).read_bytes() != (second / LIB).read_bytes()
    assert seen(first) == seen(second)
    assert dependants(first) == dependants(second)


def test_flags_for_the_loader_do_not_show(base: Path, tmp_path: Path) -> None:
    changed = library(tmp_path, BASE, "-Wl,-Bsymbolic", "-Wl,-z,nodelete")
    assert (base / LIB).read_bytes() != (changed / LIB).read_bytes()
    assert seen(base) == seen(changed)
    assert dependants(base) == dependants(changed)


@pytest.mark.parametrize(
    "changed",
    [
        "int common[2] = { 0, 1 };",
        "int common[2]; static char own[9] __attribute__((aligned(64)));"
        " char *get(void) { return own; }",
    ],
    ids=["initialised", "alignment of its section"],
)
def test_zero_data_shows_in_programs_with_a_common_symbol(tmp_path: Path, changed: str) -> None:
    """Why the two facts of zero data are there: ld merges it with the program's own."""
    before = "int common[2]; static char own[9]; char *get(void) { return own; }"
    first = library(tmp_path / "a", before)
    second = library(tmp_path / "b", changed)
    program = tmp_path / "program.c"
    program.write_text("char pad; int common[2]; int main(void) { return common[0] + pad; }")
    outputs = []
    for root in (first, second):
        argv = [
            GCC,
            "-fcommon",
            "-Wl,--no-as-needed",
            "-Lusr/lib",
            "-lx",
            str(program),
            "-o",
            "out",
        ]
        subprocess.run(argv, cwd=root, check=True)
        outputs.append((root / "out").read_bytes())
    assert outputs[0] != outputs[1]
    assert any("common" in line for line in difference(seen(first), seen(second)))


def test_the_one_known_exception(base: Path, tmp_path: Path) -> None:
    """ld gives a program's own function without a size that of the library's: see the module."""
    own = (
        '__asm__(".globl g\\n.type g,@function\\ng: ret"); int f(int); int main(void){return f(1);}'
    )
    changed = library(tmp_path, BASE.replace("* 2", "* 2 / (x + 1)"))
    assert seen(base) == seen(changed)
    assert dependants(base, own)[0] != dependants(changed, own)[0]
    sized = own.replace(": ret", ": ret\\n.size g,.-g")
    assert dependants(base, sized) == dependants(changed, sized)


def some_library(rolls: random.Random) -> tuple[str, str]:
    """Return the parts of a random library that dependants see, and a body that they do not."""
    types = ("int", "long", "char", "short", "const int", "const char *const", "__thread int")
    lines, private = [], []
    for number in range(rolls.randrange(3, 9)):
        kind, size = rolls.choice(types), rolls.choice((1, 1, 2, 5, 33))
        attributes = rolls.choice(("", "", "__attribute__((aligned(32))) ",
                                   '__attribute__((visibility("protected"))) '))  # fmt: skip
        lines.append(f"{attributes}{kind} v{number}[{size}] = {{ 0 }};")
        if rolls.random() < 0.3:
            lines.append(
                f'extern {kind} a{number}[{size}] __attribute__((weak, alias("v{number}")));'
            )
    for number in range(rolls.randrange(2, 6)):
        lines.append(f"{rolls.choice(('', '', '__attribute__((weak)) '))}int f{number}(int x) "
                     "{ BODY return x; }")  # fmt: skip
    for number in range(rolls.randrange(4)):
        private.append(
            f"static int p{number} = {rolls.randrange(9)}; p{number} += x; x ^= p{number};"
        )
    return "\n".join(lines), " ".join(private) + f" x += {rolls.randrange(1, 999)};"


def user_of(source: str) -> str:
    """Return a dependant that refers to everything in a random library."""
    declared, used = [], []
    for line in source.splitlines():
        head = line.split("=")[0].replace("extern ", "").split("{")[0]
        for attribute in ("aligned(32)", 'visibility("protected")', "weak"):
            head = head.replace(f"__attribute__(({attribute})) ", "")
        if "alias(" in head:
            head = head.split("__attribute__")[0]
        declared.append(f"extern {head.strip()};")
        name = head.split("(")[0].split("[")[0].split()[-1]
        used.append(f"(long){name}")
    return "\n".join(declared) + f"\nlong main(void) {{ return {' ^ '.join(used)}; }}"


@pytest.mark.parametrize("seed", range(4))
def test_equal_interfaces_of_random_libraries_mean_equal_dependants(
    tmp_path: Path, seed: int
) -> None:
    """Bodies change at random; when only they do, neither interface nor dependants may."""
    rolls = random.Random(seed)
    source, body = some_library(rolls)
    first = library(tmp_path / "a", source, body=body)
    second = library(tmp_path / "b", source, body=some_library(rolls)[1])
    assert (first / LIB).read_bytes() != (second / LIB).read_bytes()
    assert difference(seen(first), seen(second)) == ()
    assert dependants(first, user_of(source)) == dependants(second, user_of(source))


def other_files(root: Path) -> list[str]:
    contents = {
        "usr/include/x.h": "int f(int);",
        "usr/lib/pkgconfig/x.pc": "Name: x",
        "usr/lib/libx.a": "!<arch>\n",
        "usr/bin/x-config": "#!/bin/sh",
    }
    for path, text in contents.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    (root / "usr/bin/x-config").chmod(0o755)
    (root / "usr/lib/libx.so").symlink_to("libx.so.1")
    (root / "usr/include/empty").mkdir()
    return [*contents, "usr/lib/libx.so", "usr/include/empty"]


def test_other_files_count_by_content_kind_and_executability(tmp_path: Path) -> None:
    paths = other_files(tmp_path)
    before = interface(tmp_path, paths)
    assert interface(tmp_path, paths[::-1]) == before
    for path in paths[:4]:
        os.utime(tmp_path / path, (1, 1))
    (tmp_path / "usr/include/x.h").chmod(0o600)
    assert interface(tmp_path, paths) == before

    (tmp_path / "usr/include/x.h").write_text("int f(long);")
    (tmp_path / "usr/bin/x-config").chmod(0o644)
    (tmp_path / "usr/lib/libx.so").unlink()
    (tmp_path / "usr/lib/libx.so").symlink_to("libx.so.2")
    (tmp_path / "usr/lib/libx.a").write_text("!<arch>\nx")
    (tmp_path / "usr/include/new.h").touch()
    paths.remove("usr/lib/pkgconfig/x.pc")
    after = interface(tmp_path, [*paths, "usr/include/new.h"])
    assert difference(before, after) == (
        "file usr/bin/x-config changed",
        "header usr/include/new.h added",
        "header usr/include/x.h changed",
        "static library usr/lib/libx.a changed",
        "file usr/lib/libx.so changed",
        "pkg-config file usr/lib/pkgconfig/x.pc removed",
    )


def test_libraries_come_and_go(base: Path) -> None:
    with_it, without = seen(base), interface(base, ["usr/lib/libx.so"])
    assert difference(without, with_it) == (f"library {LIB} added",)
    assert difference(with_it, without) == (f"library {LIB} removed",)


def test_interfaces_are_canonical_and_tell_changes_after_a_round_trip(
    base: Path, tmp_path: Path
) -> None:
    text = canonical(seen(base))
    assert json.loads(text) == seen(base)
    assert str(base) not in text
    changed = seen(library(tmp_path, BASE + "int h;"))
    assert "libx.so.1: + symbol h" in difference(json.loads(text), changed)


def test_another_form_of_interfaces_has_another_version_of_records(tmp_path: Path) -> None:
    """Stores keep interfaces: raise RECORD in quard.ledger.basis whenever this text changes."""
    source = "int object[4] = { 1 }; int zero; int f(int x) { return x; }\n"
    source += "extern int puts(const char *); int g(void) { return puts(0); }"
    found = seen(library(tmp_path, source))
    known = found["libraries"][LIB]
    for name in ("digest", "notes", "order", "sections"):  # the compiler's own
        assert known.pop(name)
    known["imports"] = {name: known["imports"][name] for name in ("puts@GLIBC_2.27",)}
    assert (RECORD, canonical(known)) == FORM


def test_programs_and_unreadable_libraries_count_by_content(tmp_path: Path) -> None:
    (tmp_path / "tool.c").write_text("int main(void) { return 0; }")
    subprocess.run([GCC, "tool.c", "-o", "tool-config"], cwd=tmp_path, check=True)
    assert list(interface(tmp_path, ["tool-config"])["files"]) == ["tool-config"]
    library(tmp_path)
    data = bytearray((tmp_path / LIB).read_bytes())
    data[0x28:0x30] = bytes(8)  # no section table: ld would not take it
    (tmp_path / LIB).write_bytes(data)
    assert LIB in seen(tmp_path)["files"]
    (tmp_path / LIB).write_bytes(data[:100])
    with pytest.raises(QuardError) as caught:
        seen(tmp_path)
    assert caught.value.reason == "bad-elf"


def test_every_difference_has_a_line(base: Path, tmp_path: Path) -> None:
    found = [seen(base)]
    for number, change in enumerate(CHANGES[:6]):
        found.append(seen(library(tmp_path / str(number), change[1], *change[2], script=change[3])))
    for one, other in itertools.product(found, found):
        assert (difference(one, other) == ()) == (one == other)
