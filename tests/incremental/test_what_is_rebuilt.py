"""The table of what a change rebuilds: each row with its exact set, and equal to a clean build."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from incremental.conftest import ALL, GREET_C, GREET_H, HELLO_C
from incremental.project import Project, Ran, ok

Change = Callable[[Project], object]


def rebuilds(
    project: Project, change: Change, packages: list[str], *, images: bool | None = True
) -> Ran:
    """Build, change, build: hold what was built, and the image against a build from nothing.

    images -- whether they are made anew; None where that hangs on the compiler
    """
    ok(project.run())
    change(project)
    ran = ok(project.run())
    assert ran.built == packages
    assert images is None or ("rootfs.tar" in ran.summary["images"]) is images
    found = project.image(), project.image("manifest.json")
    assert ok(project.run()).built == []
    shutil.rmtree(project.folder / "out")
    project.cache = project.cache.with_name("clean-cache")
    ok(project.run())
    assert (project.image(), project.image("manifest.json")) == found
    return ran


def greet(code: str = GREET_C, header: str = GREET_H, link: str = "", **files: str) -> Change:
    """Return the change to another state of the library."""
    further = {name.replace("_", "."): text for name, text in files.items()}
    return lambda project: project.library("greet", code, header, link=link, files=further)


def recipe(old: str, new: str, name: str = "greet") -> Change:
    return lambda project: project.edit(f"packages/{name}/recipe.py", old, new)


def write(path: str, text: str) -> Change:
    def change(project: Project) -> None:
        (project.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (project.folder / path).write_text(text)

    return change


def several(*changes: Change) -> Change:
    return lambda project: [change(project) for change in changes]


def relink(project: Project) -> None:
    link = project.folder / "rootfs/etc/link"
    link.unlink()
    link.symlink_to("issue")


PATCH = """\
--- a/greet.c
+++ b/greet.c
@@ -1,2 +1,2 @@
 #include "greet.h"
-int greet(void) { return 42; }
+int greet(void) { volatile int a = 42; return a; }
"""


@pytest.fixture
def overlay(greeting: Project) -> Project:
    (greeting.folder / "rootfs/etc/issue").write_text("old\n")
    (greeting.folder / "rootfs/etc/link").symlink_to("motd")
    return greeting


@pytest.mark.parametrize(
    "change",
    [
        write("rootfs/etc/new", "new\n"),
        write("rootfs/etc/motd", "other\n"),
        lambda project: (project.folder / "rootfs/etc/issue").unlink(),
        lambda project: (project.folder / "rootfs/etc/motd").chmod(0o755),
        relink,
        lambda project: (project.folder / "rootfs/etc/empty").mkdir(),
    ],
    ids=["added", "edited", "removed", "mode", "link", "folder"],
)
def test_a_change_of_the_overlay_makes_the_images_only(overlay: Project, change: Change) -> None:
    rebuilds(overlay, change, [])


@pytest.mark.parametrize(
    ("change", "images"),
    [
        (write("packages/greet/0001-inside.patch", PATCH), True),
        (greet(GREET_C.replace("return 42", "volatile int a = 42; return a")), True),
        (recipe('"CC={cross}gcc"', '"CC={cross}gcc -O0"'), True),
        (recipe("    \n)", '    env=(("NEW", "1"),),\n)'), False),
        (lambda project: project.library("greet", GREET_C, GREET_H, version="2"), True),
        (greet(GREET_C + "/* only the hash is another one */\n"), False),
    ],
    ids=["patch", "code", "flag", "env", "version", "hash"],
)
def test_a_change_of_a_package_that_keeps_its_interface_rebuilds_it_alone(
    greeting: Project, change: Change, images: bool
) -> None:
    """The images follow where the package's installed bytes are others, and only then.

    A version is in the names of the sources that the debug file gives, and its checksum is in the
    installed file.
    """
    rebuilds(greeting, change, ["greet"], images=images)


@pytest.mark.parametrize(
    "change",
    [
        greet(GREET_C + "int wave(void) { return 1; }\n"),
        greet(header=GREET_H + "static inline int more(void) { return 1; }\n"),
        several(
            greet(link="-Wl,-soname,libgreet.so.2"),
            recipe('usr/lib/libgreet.so.1"', 'usr/lib/libgreet.so.2"'),
            recipe(
                '"usr/lib/libgreet.so", "libgreet.so.1"', '"usr/lib/libgreet.so", "libgreet.so.2"'
            ),
        ),
        greet(link="-Wl,--version-script=greet.map", greet_map="GREET_1 { global: greet; };\n"),
        greet(GREET_C + "int data[4];\n"),
    ],
    ids=["symbol", "header", "soname", "version-script", "data"],
)
def test_a_changed_interface_rebuilds_the_dependants_too(greeting: Project, change: Change) -> None:
    rebuilds(greeting, change, ["greet", "hello"], images=None)


def test_a_library_that_needs_another_one_rebuilds_its_dependants(greeting: Project) -> None:
    greeting.edit("packages/libc/recipe.py", '"libc.so.6",', '"libc.so.6", "libm.so.6",')
    rebuilds(greeting, greet(link="-Wl,--no-as-needed -lm"), ["greet", "hello"])


def test_the_size_of_an_object_rebuilds_the_dependants(greeting: Project) -> None:
    greet(GREET_C + "int data[4];\n")(greeting)
    rebuilds(greeting, greet(GREET_C + "int data[8];\n"), ["greet", "hello"])


def test_a_static_librarys_content_rebuilds_the_dependants(greeting: Project) -> None:
    build = 'make=("libgreet.so.1", "libgreet.a"),'
    install = 'Install("libgreet.a", "usr/lib/libgreet.a"),\n        Install("greet.h"'
    rule = "include Makefile\nlibgreet.a: greet.o\n\triscv64-linux-gnu-ar rcD $@ $<\n"

    def makefile(project: Project, code: str) -> None:
        project.library("greet", code, GREET_H, files={"GNUmakefile": rule})
        recipe('make=("libgreet.so.1",),', build)(project)
        recipe('Install("greet.h"', install)(project)

    makefile(greeting, GREET_C)
    inside = GREET_C.replace("return 42", "volatile int a = 42; return a")
    rebuilds(greeting, lambda project: makefile(project, inside), ["greet", "hello"])


def test_a_feature_rebuilds_its_package(greeting: Project) -> None:
    greeting.recipe("alone").write_text(
        greeting.recipe("alone").read_text().replace("    \n)", FEATURE + ")")
    )

    def on(project: Project) -> None:
        project.board(["alone", "hello", "libc"], more="[features]\nalone.fast = true\n")

    ran = rebuilds(greeting, on, ["alone"])
    assert "feature fast: off -> on" in ran.summary["built"][0]["why"]


FEATURE = """\
    features=(
        Feature("fast", summary="fast", on=("CFLAGS=-O3 -DFAST",), off=()),
    ),
"""


def test_a_removed_package_leaves_no_file(greeting: Project) -> None:
    rebuilds(greeting, lambda project: project.board(["alone", "libc"]), [])


def test_an_added_package_brings_its_missing_dependencies(greeting: Project) -> None:
    def add(project: Project) -> None:
        project.library("wave", "int wave(void) { return 1; }\n", "int wave(void);\n")
        project.program(
            "more", "int main(void) { return 0; }\n", "-lwave -lgreet",
            more='needs=("greet", "wave"),',
        )  # fmt: skip
        project.board(["alone", "hello", "libc", "more"])

    rebuilds(greeting, add, ["more", "wave"])


def test_a_flag_of_the_board_rebuilds_everything(greeting: Project) -> None:
    def flag(project: Project) -> None:
        project.board(["alone", "hello", "libc"], more='[flags]\nc = "-O1"\n')

    rebuilds(greeting, flag, ALL)


def test_a_defence_of_the_board_rebuilds_what_the_compiler_makes(greeting: Project) -> None:
    def bind(project: Project) -> None:
        project.board(["alone", "hello", "libc"], more="[hardening]\nbind_now = false\n")

    rebuilds(greeting, bind, [name for name in ALL if name != "libc"])


def test_a_defence_that_is_only_checked_remakes_the_image_alone(greeting: Project) -> None:
    def check(project: Project) -> None:
        project.board(["alone", "hello", "libc"], more="[hardening]\nno_rpath = false\n")

    rebuilds(greeting, check, [])


def toolchain(project: Project) -> Path:
    """Give the board an external toolchain: wrappers of the real one, a C library of its own."""
    folder = project.folder.parent / "toolchain"
    (folder / "bin").mkdir(parents=True)
    (folder / "lib").mkdir()
    library = Path("/usr/riscv64-linux-gnu/lib/libc.so.6")
    shutil.copyfile(library, folder / "lib/libc.so.6")
    for path in sorted(Path("/usr/bin").glob("riscv64-linux-gnu-*")):
        wrapper = folder / "bin" / path.name
        wrapper.write_text(
            "#!/bin/sh\n"
            f'[ "$1" = -print-file-name=libc.so.6 ] && exec echo {folder}/lib/libc.so.6\n'
            f'exec {path} "$@"\n'
        )
        wrapper.chmod(0o755)
    project.board(["alone", "hello", "libc"], more=f'[toolchain]\nfolder = "{folder}"\n')
    return folder


@pytest.mark.parametrize("part", ["bin/riscv64-linux-gnu-gcc", "lib/libc.so.6"])
def test_the_compiler_and_the_c_library_rebuild_everything(greeting: Project, part: str) -> None:
    folder = toolchain(greeting)
    ok(greeting.run())
    with (folder / part).open("ab") as file:
        file.write(b"# another one\n")
    ran = ok(greeting.run())
    assert ran.built == ALL
    assert all(row["why"] == ["the cross toolchain changed"] for row in ran.summary["built"])


def test_two_boards_build_a_package_of_equal_plans_once(greeting: Project) -> None:
    ok(greeting.run())
    greeting.program("more", "int main(void) { return 3; }\n")
    greeting.board(["hello", "libc", "more"], name="other")
    ran = ok(greeting.run(board="other"))
    assert ran.built == ["more"]
    assert ran.summary["restored"] == ["greet", "hello", "libc"]


def test_going_to_another_board_and_back_builds_nothing(greeting: Project) -> None:
    ok(greeting.run())
    greeting.board(["hello", "libc"], more='[flags]\nc = "-Os"\n', name="other")
    assert ok(greeting.run(board="other")).built == ["greet", "hello", "libc"]
    for board in ("tiny", "other"):
        back = ok(greeting.run(board=board))
        assert back.built == [] and back.summary["restored"] == []
        assert back.summary["images"] == []


def test_going_to_another_branch_and_back_builds_nothing_on_the_way_back(
    greeting: Project,
) -> None:
    ok(greeting.run())
    before = greeting.image()
    recipe('"CC={cross}gcc"', '"CC={cross}gcc -O1"')(greeting)
    greet(GREET_C + "int wave(void) { return 1; }\n")(greeting)
    assert ok(greeting.run()).built == ["greet", "hello"]
    greet()(greeting)
    back = ok(greeting.run())
    assert back.built == [] and back.summary["restored"] == ["greet", "hello"]
    assert greeting.image() == before


@pytest.mark.parametrize(
    ("arguments", "env"),
    [
        (("-j1",), {}),
        (("-j7",), {}),
        (("--debug=explain",), {}),
        ((), {"USER": "somebody", "LOGNAME": "somebody", "HOME": "/nonexistent"}),
        ((), {"TERM": "xterm-256color", "COLUMNS": "200", "NO_COLOR": "1"}),
        ((), {"CC": "false", "CFLAGS": "-O0", "MAKEFLAGS": "-k", "ARCH": "arm", "DESTDIR": "/x"}),
        ((), {"LANG": "de_DE.UTF-8", "LC_ALL": "C.UTF-8", "TZ": "Asia/Tokyo"}),
        ((), {"SOURCE_DATE_EPOCH": "1", "PYTHONHASHSEED": "7", "PYTHONOPTIMIZE": "1"}),
    ],
    ids=["j1", "j7", "verbose", "user", "terminal", "build-variables", "locale", "python"],
)
def test_what_is_no_input_rebuilds_nothing(
    greeting: Project, arguments: tuple[str, ...], env: dict[str, str]
) -> None:
    ok(greeting.run())
    ran = ok(greeting.run(*arguments, env=env))
    assert ran.built == [] and ran.summary["restored"] == [] and ran.summary["images"] == []


def test_another_command_on_the_path_rebuilds_nothing(greeting: Project) -> None:
    ok(greeting.run())
    tools = greeting.folder.parent / "bin"
    tools.mkdir()
    (tools / "unrelated").write_text("#!/bin/sh\n")
    (tools / "unrelated").chmod(0o755)
    ran = ok(greeting.run(env={"PATH": f"{tools}:{os.environ['PATH']}"}))
    assert ran.built == [] and ran.summary["images"] == []


def test_a_moved_checkout_builds_nothing(greeting: Project) -> None:
    ok(greeting.run())
    before = greeting.image()
    greeting.folder = greeting.folder.rename(greeting.folder.with_name("another place"))
    ran = ok(greeting.run())
    assert ran.built == []
    assert greeting.image() == before


def test_a_fresh_checkout_of_the_same_state_builds_nothing(greeting: Project) -> None:
    ok(greeting.run())
    before = greeting.image()
    copy = greeting.folder.with_name("fresh")
    # No times are kept, as git keeps none.
    shutil.copytree(
        greeting.folder, copy, symlinks=True, ignore=shutil.ignore_patterns("out"),
        copy_function=shutil.copyfile,
    )  # fmt: skip
    for path in (greeting.folder / "rootfs").rglob("*"):
        if path.is_file() and path.stat().st_mode & stat.S_IXUSR:
            (copy / path.relative_to(greeting.folder)).chmod(0o755)
    greeting.folder = copy
    ran = ok(greeting.run())
    assert ran.built == [] and ran.summary["restored"] == ALL
    assert greeting.image() == before


def test_a_changed_engine_rebuilds_nothing(greeting: Project) -> None:
    engine = greeting.own_engine()
    ok(greeting.run())
    for path in sorted(engine.rglob("*.py")):
        text = path.read_text()
        path.write_text(text + "\n\ndef _added() -> int:\n    return 1\n")
    builder = engine / "quard/execute/builder.py"
    old = "    def _modular(self) -> bool:\n"
    assert old in builder.read_text()
    builder.write_text(builder.read_text().replace(old, old + "        assert self\n"))
    ran = ok(greeting.run())
    assert ran.built == [] and ran.summary["restored"] == [] and ran.summary["images"] == []


def test_the_mode_of_a_file_that_the_build_runs_is_part_of_the_package(greeting: Project) -> None:
    greeting.program("gen", "int main(void) { return V; }\n", "`$(FILES)/made`")
    cross = '"CC={cross}gcc",'
    greeting.edit("packages/gen/recipe.py", cross, f'{cross} "FILES={{files}}",')
    made = greeting.recipe("gen").parent / "made"
    made.write_text("#!/bin/sh\necho -DV=1\n")
    made.chmod(0o755)
    greeting.board(["gen", "libc"])
    ok(greeting.run())
    made.chmod(0o644)
    assert "file made changed" in ok(greeting.run("why")).out
    ran = greeting.run()
    assert ran.status == 2 and "Permission denied" in ran.text
    made.chmod(0o755)
    assert ok(greeting.run()).summary["restored"] == ["gen"]


def test_another_name_of_the_machine_is_in_run_sh(greeting: Project) -> None:
    greeting.board(["alone", "libc"], formats='"ext4"')
    ok(greeting.run())
    machines = greeting.folder / "qemu"
    (machines / "other.toml").write_bytes((machines / "virt.toml").read_bytes())
    greeting.edit("configs/tiny.toml", 'machine = "virt"', 'machine = "other"')
    assert ok(greeting.run()).summary["images"] == ["run.sh"]
    text = (greeting.folder / "out/tiny/images/run.sh").read_text()
    assert "qemu/other.toml" in text and "qemu/virt.toml" not in text


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('summary="a program"', 'summary="one program"'),
        ('license="MIT"', 'license="ISC"'),
        ('provenance="made by the test"', 'provenance="made by this test"'),
    ],
    ids=["summary", "licence", "provenance"],
)
def test_texts_for_people_rebuild_nothing(greeting: Project, old: str, new: str) -> None:
    ok(greeting.run())
    recipe(old, new, "hello")(greeting)
    ran = ok(greeting.run())
    assert ran.built == [] and ran.summary["images"] == []


def test_a_program_that_is_changed_rebuilds_itself_alone(greeting: Project) -> None:
    def change(project: Project) -> None:
        code = HELLO_C.replace("42", "41")
        project.program("hello", code, "-lgreet", more='needs=("greet",),')

    rebuilds(greeting, change, ["hello"])
