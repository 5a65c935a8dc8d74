"""The compiler's drivers at work: the real cross compiler builds and links in a work folder."""

from __future__ import annotations

import dataclasses
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import driver_parts
import pytest
from sandbox_parts import MODES, Place

from quard.base import canonical
from quard.base.errors import QuardError
from quard.base.programs import Programs
from quard.execute import drivers, sysroot
from quard.execute.toolchain import Toolchain, find
from quard.hardening import Hardening
from quard.parts import elf
from quard.plan.plan import EXECUTOR, Plan
from quard.process.sandbox import INSIDE, Mode, Work
from quard.process.system import MACHINE, System

TRIPLE = "riscv64-linux-gnu"
ALL = Hardening().built
PATH = os.environ["PATH"]


class Described(Toolchain):
    """A toolchain whose compiler is not there to be asked."""

    is_machines_own = False
    libraries = (Path("/opt/x/x/lib"),)


@pytest.fixture(scope="module")
def toolchain(tmp_path_factory: pytest.TempPathFactory) -> Toolchain:
    memory = Programs(tmp_path_factory.mktemp("toolchain") / "memory.json")
    return find(f"{TRIPLE}-", None, PATH, memory)


def planned(*hardening: str) -> Plan:
    return Plan(name="thing", version="1.0", triple=TRIPLE, hardening=hardening)


def make(folder: Path, toolchain: Toolchain, *hardening: str) -> Work:
    """Return a work folder with its tools. Its name has a space, as a checkout's may have."""
    made = Work(folder / "a work {folder}")
    made.make()
    sysroot.tools(made, (), PATH, str(made.root), MACHINE)
    drivers.write_drivers(made, toolchain, planned(*hardening), str(made.root))
    (made.sysroot / "usr/lib").mkdir(parents=True)
    return made


@pytest.fixture
def work(tmp_path: Path, toolchain: Toolchain) -> Work:
    return make(tmp_path, toolchain, *ALL)


def driver(work: Work, *arguments: str, name: str = "gcc") -> subprocess.CompletedProcess[str]:
    return driver_parts.run(work, f"{TRIPLE}-{name}", *arguments)


def build(work: Work, *arguments: str, name: str = "gcc") -> None:
    """Run the driver, which has to do it without a word."""
    done = driver(work, *arguments, name=name)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def library(work: Work, name: str, text: str, *arguments: str, compiler: str = "gcc") -> None:
    """Put a library libNAME.so with its SONAME libNAME.so.1 into the sysroot."""
    source = f"{name}.c" if compiler == "gcc" else f"{name}.cc"
    (work.src / source).write_text(text)
    made = work.sysroot / f"usr/lib/lib{name}.so.1"
    shared = ("-shared", "-fPIC", "-O1", f"-Wl,-soname,lib{name}.so.1", "-o", str(made))
    build(work, *shared, source, *arguments, name=compiler)
    made.with_suffix("").symlink_to(made.name)


def test_the_drivers_give_the_compiler_the_sealed_sysroot_and_plain_names(tmp_path: Path) -> None:
    work = Work(tmp_path / "work")
    work.make()
    commands = {"gcc": Path("/opt/x/bin/x-gcc"), "ld": Path("/opt/x/bin/x-ld")}
    described = Described("x-", commands, None, None, "12", "f" * 64)
    drivers.write_drivers(work, described, planned(), INSIDE)
    driver = work.tools / f"{TRIPLE}-gcc"
    assert os.access(driver, os.X_OK)
    assert driver.read_text().splitlines() == [
        "#!/bin/sh",
        "exec /opt/x/bin/x-gcc --sysroot=/quard/sysroot"
        " -specs=/quard/tools/lib/driver.specs"
        " -ffile-prefix-map=/quard/src=/usr/src/thing-1.0"
        ' -ffile-prefix-map=/quard/sysroot= "$@"',
    ]
    assert (work.tools / f"{TRIPLE}-ld").readlink() == Path("/opt/x/bin/x-ld")
    given = [f"{TRIPLE}-gcc", f"{TRIPLE}-ld"]
    assert sorted(path.name for path in work.tools.iterdir()) == sorted(["lib", *given])
    assert (work.tools / "lib/driver.specs").read_text().splitlines() == [
        "*link:",
        "+ -rpath-link /quard/sysroot/usr/lib -rpath-link /quard/sysroot/lib"
        " -rpath-link /opt/x/x/lib",
        "",
    ]


ROOT = "#include <math.h>\ndouble root(double x) { return cbrt(x); }\n"
MAIN = "double root(double); int main(void) { return (int) root(27); }\n"


def test_a_program_links_a_library_that_needs_one_of_the_toolchain(work: Work) -> None:
    library(work, "root", ROOT, "-lm")
    assert "libm.so.6" in elf.read(work.sysroot / "usr/lib/libroot.so.1").needed
    (work.src / "main.c").write_text(MAIN)
    build(work, "-O1", "main.c", "-lroot", "-o", "main")
    program = elf.read(work.src / "main")
    assert program.needed == ("libroot.so.1", "libc.so.6")
    assert (program.rpath, program.runpath) == (None, None)


def test_it_links_a_library_that_needs_another_one_of_the_sysroot(work: Work) -> None:
    library(work, "root", ROOT, "-lm")
    library(
        work, "twice", "double root(double); double twice(double x){return 2*root(x);}", "-lroot"
    )
    (work.src / "main.c").write_text("double twice(double); int main(void) { return twice(8); }\n")
    build(work, "-O1", "main.c", "-ltwice", "-o", "main")
    assert elf.read(work.src / "main").needed == ("libtwice.so.1", "libc.so.6")


def test_a_c_program_links_a_cxx_library(work: Work, toolchain: Toolchain) -> None:
    if "g++" not in toolchain.commands:
        pytest.skip("the toolchain has no C++ compiler (Debian: g++-riscv64-linux-gnu)")
    text = (
        '#include <string>\nextern "C" int size(const char *s) { return std::string(s).size(); }\n'
    )
    library(work, "size", text, compiler="g++")
    assert "libstdc++.so.6" in elf.read(work.sysroot / "usr/lib/libsize.so.1").needed
    (work.src / "main.c").write_text('int size(const char *); int main(void){return size("x");}\n')
    build(work, "-O1", "main.c", "-lsize", "-o", "main")
    program = elf.read(work.src / "main")
    assert program.needed == ("libsize.so.1", "libc.so.6")
    assert (program.rpath, program.runpath) == (None, None)


QUESTIONS = ["-v", "--version", "-dumpmachine", "-dumpspecs", "-print-search-dirs", "--help"]


@pytest.mark.parametrize("name", ["gcc", "cpp"])
@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_is_answered_without_a_link(work: Work, name: str, question: str) -> None:
    """As configure scripts ask first of all, to see whether there is a compiler."""
    done = driver(work, question, name=name)
    assert done.returncode == 0, done.stderr
    assert "undefined reference" not in done.stderr


def test_what_is_really_missing_is_still_an_error(work: Work) -> None:
    library(work, "root", ROOT, "-lm")
    library(
        work, "twice", "double root(double); double twice(double x){return 2*root(x);}", "-lroot"
    )
    (work.sysroot / "usr/lib/libroot.so.1").unlink()
    (work.src / "main.c").write_text("double twice(double); int main(void) { return twice(8); }\n")
    done = driver(work, "-O1", "main.c", "-ltwice", "-o", "main")
    assert done.returncode == 1
    assert "libroot.so.1, needed by" in done.stderr


LOOKS = """\
#include <stdio.h>
#include <string.h>
static __thread int own = 40;
const char *const names[] = {"one", "two"};
int main(int count, char **words) {
    char text[8];
    if (count > 1) { strcpy(text, words[1]); puts(text); }
    printf("%s %d\\n", names[1], own + 2);
    return 0;
}
"""
"""What each defence has something to do for; a text of 8 bytes and more overruns a buffer."""


def frame(work: Work, *arguments: str, text: str = LOOKS, optimize: str = "-O2") -> elf.Elf:
    """Compile and link a program, without a word, and return its frame."""
    (work.src / "looks.c").write_text(text)
    build(work, "-Wall", optimize, "looks.c", *arguments, "-o", "looks")
    return elf.read(work.src / "looks")


def imports(work: Work, name: str = "looks") -> set[str]:
    return {symbol.name for symbol in elf.symbols(work.src / name) if not symbol.section}


def test_a_program_has_every_defence(work: Work) -> None:
    program = frame(work)
    assert program.kind == "dyn"
    assert program.flags_1 & elf.DF_1_PIE
    assert program.bind_now
    assert program.relro != (0, 0)
    assert not program.execstack
    assert {"__stack_chk_fail", "__strcpy_chk"} <= imports(work)


def test_a_static_program_has_every_defence_and_no_loader(work: Work) -> None:
    program = frame(work, "-static")
    assert (program.kind, program.interp, program.needed) == ("dyn", None, ())
    assert program.flags_1 & elf.DF_1_PIE
    assert program.bind_now
    assert program.relro != (0, 0)
    assert not program.execstack
    assert not program.textrel


def test_a_shared_library_has_those_that_apply(work: Work) -> None:
    program = frame(work, "-shared", "-fPIC")
    assert program.library
    assert not program.flags_1 & elf.DF_1_PIE
    assert program.bind_now
    assert program.relro != (0, 0)


OFF: dict[str, Callable[[Work], bool]] = {
    "bind_now": lambda work: not elf.read(work.src / "looks").bind_now,
    "fortify=3": lambda work: "__strcpy_chk" not in imports(work),
    "stack_protector": lambda work: "__stack_chk_fail" not in imports(work),
}


@pytest.mark.parametrize("word", OFF)
def test_each_can_be_turned_off(tmp_path: Path, toolchain: Toolchain, word: str) -> None:
    work = make(tmp_path, toolchain, *(other for other in ALL if other != word))
    frame(work)
    assert OFF[word](work)
    for other, off in OFF.items():
        assert off(work) == (other == word)


def test_nothing_is_added_without_hardening(tmp_path: Path, toolchain: Toolchain) -> None:
    work = make(tmp_path, toolchain)
    assert frame(work, "-static").kind == "exec"
    assert (work.tools / f"{TRIPLE}-ld").is_symlink()
    assert [path.name for path in (work.tools / "lib").iterdir()] == ["driver.specs"]


@dataclasses.dataclass(frozen=True)
class Made:
    """What became of a program."""

    frame: elf.Elf
    imports: set[str]


GIVEN: dict[str, tuple[tuple[str, ...], Callable[[Made], bool]]] = {
    "no-pie": (("-no-pie",), lambda made: made.frame.kind == "exec"),
    "no-pie and objects for it": (("-fno-pie", "-no-pie"), lambda made: made.frame.kind == "exec"),
    "static without pie": (("-static", "-no-pie"), lambda made: made.frame.kind == "exec"),
    "static objects without pie": (("-static", "-fno-pie"), lambda made: made.frame.kind == "exec"),
    "static-pie": (
        ("-static-pie",),
        lambda made: made.frame.kind == "dyn" and made.frame.interp is None,
    ),
    "static and pie": (
        ("-static", "-pie"),
        lambda made: made.frame.kind == "dyn" and made.frame.interp is None,
    ),
    "lazy": (("-Wl,-z,lazy",), lambda made: not made.frame.bind_now),
    "norelro": (("-Wl,-z,norelro",), lambda made: made.frame.relro == (0, 0)),
    "execstack": (("-Wl,-z,execstack",), lambda made: made.frame.execstack),
    "no protector": (
        ("-fno-stack-protector",),
        lambda made: "__stack_chk_fail" not in made.imports,
    ),
    "no fortify": (("-U_FORTIFY_SOURCE",), lambda made: "__strcpy_chk" not in made.imports),
    "fortify 0": (("-D_FORTIFY_SOURCE=0",), lambda made: "__strcpy_chk" not in made.imports),
    "fortify for cpp": (
        ("-Wp,-D_FORTIFY_SOURCE=0",),
        lambda made: "__strcpy_chk" not in made.imports,
    ),
    "fortify by another road": (
        ("-Wp,-U_FORTIFY_SOURCE,-D_FORTIFY_SOURCE=2",),
        lambda made: "__strcpy_chk" in made.imports,
    ),
    "word of its own": (
        ("-D", "_FORTIFY_SOURCE=0"),
        lambda made: "__strcpy_chk" not in made.imports,
    ),
}


@pytest.mark.parametrize(("arguments", "holds"), GIVEN.values(), ids=GIVEN)
def test_what_a_package_says_itself_holds(
    work: Work, arguments: tuple[str, ...], holds: Callable[[Made], bool]
) -> None:
    assert holds(Made(frame(work, "-Werror", *arguments), imports(work)))


def test_options_in_a_response_file_are_options(work: Work) -> None:
    (work.src / "options").write_text("-static -no-pie\n")
    assert frame(work, "@options").kind == "exec"
    (work.src / "options").write_text("-static\n")
    assert frame(work, "@options").kind == "dyn"


@pytest.mark.parametrize("optimize", ["-O0", "-O2 -O0", "-DX"])
def test_fortify_keeps_out_where_nothing_is_optimized(work: Work, optimize: str) -> None:
    """glibc warns of it there, which is an error under -Werror."""
    first, *others = optimize.split()
    frame(work, "-Werror", *others, optimize=first)
    assert "__strcpy_chk" not in imports(work)


def test_freestanding_code_is_left_in_peace(work: Work) -> None:
    text = (
        "int f(char *); int _start(void) { char a[64] = {1}; return f(a); }"
        "int f(char *a) { return *a; }"
    )
    bare = ("-ffreestanding", "-nostdlib", "-static", "-Wno-main")
    assert frame(work, *bare, text=text).kind == "exec"
    assert (
        driver(work, "-O2", "-ffreestanding", "-dM", "-E", "looks.c").stdout.count("FORTIFY") == 0
    )


@pytest.mark.parametrize("how", ["-c", "-S", "-E", "-r", "-M", "-fsyntax-only"])
@pytest.mark.parametrize("more", [(), ("-static",), ("-shared",), ("-fno-pie",)])
def test_what_does_not_link_a_program_says_nothing(
    work: Work, how: str, more: tuple[str, ...]
) -> None:
    if (how, more) == ("-r", ("-shared",)):
        pytest.skip("ld takes no -shared with -r")
    (work.src / "looks.c").write_text(LOOKS)
    output = () if how == "-fsyntax-only" else ("-o", "out")
    build(work, "-O2", "-Wall", "-Werror", how, *more, "looks.c", *output)


def test_other_languages_compile_as_before(work: Work) -> None:
    (work.src / "a.S").write_text("#ifdef __riscv\n .globl f\nf: ret\n#endif\n")
    (work.src / "b.s").write_text(" .globl g\ng: ret\n")
    (work.src / "c.text").write_text("int h(void) { return 1; }\n")
    build(work, "-O2", "-c", "a.S")
    build(work, "-O2", "-c", "b.s")
    build(work, "-O2", "-c", "-x", "assembler-with-cpp", "a.S", "-o", "d.o")
    build(work, "-O2", "-c", "-x", "c", "c.text")
    text = "void f(void); void g(void); int h(void); int main(void) { f(); g(); return h(); }\n"
    assert frame(work, "a.o", "b.o", "c.o", text=text).flags_1 & elf.DF_1_PIE
    done = driver(work, "-P", "a.S", name="cpp")
    assert (done.returncode, done.stderr) == (0, "")
    assert "FORTIFY" not in done.stdout


def test_the_linker_called_by_itself_is_hardened_too(work: Work) -> None:
    (work.src / "a.c").write_text("int f(void) { return 1; }\n")
    build(work, "-O2", "-c", "a.c")
    build(work, "-r", "a.o", "-o", "b.o", name="ld")
    assert elf.read(work.src / "b.o").kind == "rel"
    build(work, "-shared", "b.o", "-o", "b.so", name="ld")
    library = elf.read(work.src / "b.so")
    assert library.bind_now
    assert not library.execstack
    build(work, "-shared", "-z", "lazy", "b.o", "-o", "c.so", name="ld")
    assert not elf.read(work.src / "c.so").bind_now


def test_assembler_without_a_note_gives_no_executable_stack(work: Work) -> None:
    (work.src / "note.s").write_text(" .globl g\ng: ret\n")
    build(work, "-c", "note.s")
    assert not frame(work, "note.o").execstack


def test_an_older_compiler_gets_the_level_that_it_knows(
    tmp_path: Path, toolchain: Toolchain
) -> None:
    work = make(tmp_path, dataclasses.replace(toolchain, version="11.3.0"), *ALL)
    assert "_FORTIFY_SOURCE 2\n" in (work.tools / "lib/fortify.h").read_text()


def test_a_compiler_that_does_not_compile_the_start_file_is_an_error(
    tmp_path: Path, toolchain: Toolchain
) -> None:
    broken = tmp_path / "gcc"
    broken.write_text("#!/bin/sh\ncase $* in *-print*) echo x ;; *) echo no >&2; exit 1 ;; esac\n")
    broken.chmod(0o755)
    commands = {**toolchain.commands, "gcc": broken}
    with pytest.raises(QuardError) as caught:
        make(tmp_path, dataclasses.replace(toolchain, commands=commands), *ALL)
    assert (caught.value.reason, caught.value.detail) == ("compiler-failed", "no")


def test_the_start_file_is_compiled_by_the_programs_of_the_pinned_system(
    tmp_path: Path, toolchain: Toolchain
) -> None:
    """Its dynamic loader starts gcc and all that gcc starts; here a script stands for it."""
    libraries = tmp_path / "tools/usr/lib/x86_64-linux-gnu"
    loader = tmp_path / "tools/usr/lib64/ld-linux-x86-64.so.2"
    loader.parent.mkdir(parents=True)
    noted = tmp_path / "noted"
    loader.write_text(
        f"#!/bin/sh\n[ \"$1 $2\" = '--library-path {libraries}' ] || exit 9\n"
        f'shift 2\necho "${{1##*/}}" >>"{noted}"\nexec "$@"\n'
    )
    loader.chmod(0o755)
    pinned = dataclasses.replace(toolchain, system=System(tmp_path / "tools"))
    source = Path(drivers.__file__).parent / "start/riscv64.c"
    with_loader = drivers._start_file(pinned.system, pinned.commands["gcc"], source)
    gcc = pinned.commands["gcc"].name
    assert noted.read_text().split() == [gcc, "cc1", "as"]
    assert with_loader == drivers._start_file(MACHINE, pinned.commands["gcc"], source)


@pytest.mark.parametrize("mode", MODES)
def test_builds_find_all_that_the_drivers_refer_to(tmp_path: Path, mode: Mode) -> None:
    place = Place(tmp_path, mode, hardening=ALL)
    (place.work.src / "looks.c").write_text(LOOKS)
    assert place.sh(f"{TRIPLE}-gcc -O2 -Wall -static looks.c -o looks 2>&1") == ""
    program = elf.read(place.work.src / "looks")
    assert (program.kind, program.interp, program.bind_now) == ("dyn", None, True)
    (place.work.src / "a.c").write_text("int f(void) { return 1; }\n")
    place.sh(f"{TRIPLE}-gcc -O2 -c a.c && {TRIPLE}-ld -shared a.o -o a.so")
    assert elf.read(place.work.src / "a.so").bind_now


GIVEN_TO_ALL = (2, "97c4793fe16e922923da5680760463137bd9fddd3689ab64c3ee56d2d11dfddb")
"""The executor's version, and the digest of what the drivers give the compiler."""


def test_what_the_drivers_give_has_another_version_when_it_changes(tmp_path: Path) -> None:
    """It is in no plan: raise EXECUTOR in quard.plan.plan whenever this digest changes."""
    work = Work(tmp_path / "work")
    work.make()
    described = Described("x-", {"gcc": Path("/opt/x/bin/x-gcc")}, None, None, "12", "f" * 64)
    described.__dict__["static_pie"] = True
    drivers.write_drivers(work, described, planned(*ALL), INSIDE)
    source = Path(drivers.__file__).parent / "start/riscv64.c"
    texts = [path.read_text() for path in sorted((work.tools / "lib").iterdir())]
    assert (EXECUTOR, canonical.digest([*texts, source.read_text()])) == GIVEN_TO_ALL
