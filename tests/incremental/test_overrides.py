"""Local source trees: each build goes on in the folder of the one before, and gives what a build
from nothing gives."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from incremental.project import Project, Ran

MAKEFILE = """\
UNITS = $(sort $(wildcard *.c))
libgreet.so.1: $(UNITS:.c=.o) lib/names.txt
\t$(CC) $(CFLAGS) -shared -Wl,-soname,libgreet.so.1 -o $@ $(UNITS:.c=.o)
%.o: %.c
\t@echo compiling $<
\t$(CC) $(CFLAGS) -fPIC -c -o $@ $<
"""
FILES = {
    "COPYING": "MIT\n",
    "Makefile": MAKEFILE,
    "greet.h": "#define VALUE 42\nint greet(void);\n",
    "one.h": "#define EXTRA 1\n",
    "two.h": "#define EXTRA 2\n",
    "greet.c": '#include "greet.h"\n#include "extra.h"\nint greet(void) { return VALUE; }\n',
    "wave.c": '#include "part.c"\nint wave(void) { return part(); }\n',
    "part.c": "static inline int part(void) { return 5; }\n",
    "lib/names.txt": "a\n",
}


class Checkout:
    """A developer's tree of the library greet, and the project that it overrides a package of."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.folder = project.folder.parent / "greet-checkout"
        (self.folder / "lib").mkdir(parents=True)
        for name, text in FILES.items():
            self.write(name, text)
        (self.folder / "extra.h").symlink_to("one.h")

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    def build(self, *arguments: str) -> Ran:
        return self.project.run(f"override.greet={self.folder}", *arguments)

    def first(self) -> None:
        ran = self.build()
        assert ran.status == 0, ran.text

    @property
    def log(self) -> str:
        return (self.project.folder / "out/tiny/logs/greet.log").read_text()

    @property
    def compiled(self) -> list[str]:
        lines = self.log.splitlines()
        return sorted(line.split()[1] for line in lines if line.startswith("compiling "))

    @property
    def result(self) -> tuple[str, str]:
        path = self.project.folder / "out/tiny/units/greet.json"
        parts = json.loads(path.read_text())["parts"]
        return parts["libs"], parts["interface"]

    def goes_on(self, compiled: list[str], built: tuple[str, ...] = ("greet",)) -> None:
        """Hold a build against what it should do, and against a build from nothing."""
        ran = self.build()
        assert ran.status == 0, ran.text
        assert ran.built == sorted(built)
        assert "==> update" in self.log
        assert self.compiled == compiled
        self._equals_a_clean_build()

    def starts_anew(self) -> None:
        """Hold that a build starts from nothing, and gives what another such build gives."""
        ran = self.build()
        assert ran.status == 0, ran.text
        assert "greet" in ran.built
        assert self.compiled == sorted(p.name for p in self.folder.glob("*.c"))
        self._equals_a_clean_build()

    def _equals_a_clean_build(self) -> None:
        found = self.result
        again = self.build("greet-rebuild")
        assert again.status == 0, again.text
        assert "==> update" not in self.log
        assert self.result == found


@pytest.fixture
def checkout(greeting: Project) -> Checkout:
    return Checkout(greeting)


def test_an_edited_unit_is_the_only_one_compiled(checkout: Checkout) -> None:
    checkout.first()
    checkout.write("wave.c", FILES["wave.c"].replace("return part()", "return 1 + part()"))
    checkout.goes_on(["wave.c"])


def test_nothing_edited_builds_nothing_even_if_all_is_touched(checkout: Checkout) -> None:
    checkout.first()
    for path in checkout.folder.rglob("*"):
        path.touch()
    assert checkout.build().built == []


def test_an_edited_header_compiles_all_and_reaches_dependants(checkout: Checkout) -> None:
    checkout.first()
    checkout.write("greet.h", FILES["greet.h"].replace("42", "43"))
    checkout.goes_on(["greet.c", "part.c", "wave.c"], ("greet", "hello"))


def test_a_unit_that_another_includes_counts_as_a_header(checkout: Checkout) -> None:
    checkout.first()
    checkout.write("part.c", FILES["part.c"].replace("5", "6"))
    checkout.goes_on(["greet.c", "part.c", "wave.c"])


def test_an_added_unit_is_in_the_library(checkout: Checkout) -> None:
    checkout.first()
    checkout.write("more.c", "int more(void) { return 1; }\n")
    checkout.goes_on(["greet.c", "more.c", "part.c", "wave.c"], ("greet", "hello"))


def test_a_deleted_unit_is_gone_from_the_library(checkout: Checkout) -> None:
    checkout.write("more.c", "int more(void) { return 1; }\n")
    checkout.first()
    (checkout.folder / "more.c").unlink()
    checkout.starts_anew()


def test_a_program_of_a_deleted_source_is_not_installed_again(greeting: Project) -> None:
    """No makefile tells what it has made of a file that is gone."""
    tree = greeting.folder.parent / "alone-checkout"
    tree.mkdir()
    for name in ("alone.c", "other.c"):
        (tree / name).write_text("int main(void) { return 0; }\n")
    (tree / "Makefile").write_text(
        "PROGRAMS := $(patsubst %.c,%,$(wildcard *.c))\n"
        "all: $(PROGRAMS)\n%: %.c\n\t$(CC) $(CFLAGS) -o $@ $<\n"
    )
    greeting.edit("packages/alone/recipe.py", 'make=("alone",)', 'make=("all",)')
    override = f"override.alone={tree}"
    assert greeting.run(override).status == 0
    (tree / "alone.c").unlink()
    ran = greeting.run(override)
    assert ran.status == 2
    assert "reason: install-failed" in ran.err


def test_a_link_to_an_older_file_is_followed(checkout: Checkout) -> None:
    checkout.write("greet.c", FILES["greet.c"].replace("return VALUE", "return VALUE + EXTRA"))
    checkout.first()
    (checkout.folder / "extra.h").unlink()
    (checkout.folder / "extra.h").symlink_to("two.h")
    checkout.goes_on(["greet.c", "part.c", "wave.c"])


def test_what_a_release_has_generated_is_not_generated_again(checkout: Checkout) -> None:
    """In the order of names, the file `aclocal.m4` is copied before what it is generated from."""
    rule = "aclocal.m4: configure.ac\n\t@echo not with these tools; exit 1\ngreet.o: aclocal.m4\n"
    checkout.write("Makefile", MAKEFILE + rule)
    checkout.write("aclocal.m4", "\n")
    checkout.write("configure.ac", "\n")
    checkout.first()


@pytest.mark.parametrize(
    "edit",
    [
        lambda folder: (folder / "Makefile").write_text(MAKEFILE.replace("-fPIC", "-fPIC -DX=1")),
        lambda folder: (folder / "lib/names.txt").write_text("b\n"),
        lambda folder: (folder / "COPYING").chmod(0o755),
        lambda folder: (
            (folder / "lib/names.txt").rename(folder / "lib/other.txt")
            and (folder / "Makefile").write_text(MAKEFILE.replace("names.txt", "other.txt"))
        ),
    ],
    ids=["makefile", "data", "mode", "rename"],
)
def test_what_is_no_source_code_starts_the_build_from_nothing(
    checkout: Checkout, edit: Callable[[Path], object]
) -> None:
    checkout.first()
    edit(checkout.folder)
    checkout.starts_anew()


def test_a_header_that_make_still_asks_for_starts_the_build_from_nothing(
    checkout: Checkout,
) -> None:
    tracking = MAKEFILE.replace("-fPIC -c", "-fPIC -MMD -c") + "-include $(wildcard *.d)\n"
    checkout.write("Makefile", tracking)
    checkout.first()
    checkout.write("greet.c", FILES["greet.c"].replace('#include "extra.h"\n', ""))
    for name in ("extra.h", "one.h"):
        (checkout.folder / name).unlink()
    checkout.starts_anew()
    assert "==> update" not in checkout.log


def test_after_a_compile_error_the_build_goes_on_where_it_was(checkout: Checkout) -> None:
    checkout.first()
    checkout.write("wave.c", FILES["wave.c"].replace("return", "retrun"))
    failed = checkout.build()
    assert failed.status == 2 and "reason: build-failed" in failed.err
    checkout.write("wave.c", FILES["wave.c"].replace("return part()", "return 2 * part()"))
    checkout.goes_on(["wave.c"])


def test_a_half_made_file_of_a_failed_build_is_not_used(checkout: Checkout) -> None:
    rule = "made.h:\n\t./make-header\ngreet.o: made.h\n"
    checkout.write("Makefile", MAKEFILE + rule)
    checkout.write("greet.c", '#include "made.h"\n' + FILES["greet.c"])
    checkout.write("make-header", "#!/bin/sh\necho '#define MADE 1' > made.h; exit 1\n")
    (checkout.folder / "make-header").chmod(0o755)
    assert checkout.build().status == 2
    checkout.write("wave.c", FILES["wave.c"] + "\n")
    assert checkout.build().status == 2, "make took the header of the failed build for whole"


def test_a_folder_that_a_killed_build_left_is_not_gone_on_with(checkout: Checkout) -> None:
    checkout.first()
    stamp = checkout.project.folder / "out/tiny/work/greet/kept.json"
    stamp.unlink()
    checkout.write("wave.c", FILES["wave.c"] + "\n")
    checkout.starts_anew()


def test_a_damaged_note_of_the_kept_folder_costs_a_build_from_nothing(checkout: Checkout) -> None:
    checkout.first()
    stamp = checkout.project.folder / "out/tiny/work/greet/kept.json"
    stamp.write_text(stamp.read_text()[:40])
    checkout.write("wave.c", FILES["wave.c"] + "\n")
    checkout.starts_anew()


def test_another_compiler_flag_starts_the_build_from_nothing(checkout: Checkout) -> None:
    checkout.first()
    checkout.project.board(["alone", "hello", "libc"], more='[flags]\nc = "-O1"\n')
    checkout.starts_anew()


def test_without_the_sandbox_the_folder_is_gone_on_with_too(checkout: Checkout) -> None:
    first = checkout.build("sandbox.mode=none")
    assert first.status == 0, first.text + checkout.log
    checkout.write("wave.c", FILES["wave.c"].replace("return part()", "return 1 + part()"))
    ran = checkout.build("sandbox.mode=none")
    assert ran.status == 0, ran.text
    assert "==> update" in checkout.log and checkout.compiled == ["wave.c"]


def test_a_tree_that_vanished_is_one_clear_block(checkout: Checkout) -> None:
    checkout.first()
    shutil.rmtree(checkout.folder)
    ran = checkout.build()
    assert ran.status == 2 and "reason: bad-setting" in ran.err


def test_a_link_that_a_build_left_in_place_of_a_folder_is_not_followed(checkout: Checkout) -> None:
    outside = checkout.folder.parent / "outside"
    outside.mkdir()
    last = "$(UNITS:.c=.o)\n%.o"
    leaving = f"$(UNITS:.c=.o)\n\trm -r lib\n\tln -s {outside} lib\n%.o"
    assert last in MAKEFILE
    checkout.write("Makefile", MAKEFILE.replace(last, leaving))
    checkout.write("lib/unused.c", "int unused;\n")
    checkout.first()
    checkout.write("lib/unused.c", "int other;\n")
    checkout.starts_anew()
    assert list(outside.iterdir()) == []
