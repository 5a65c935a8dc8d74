"""A board with a named root: what is built once, what twice, and what a change affects."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tarfile

import pytest
from sleepers import own, sleeping
from terminal_parts import Terminal
from waiting import within

from incremental.menu import menu
from incremental.pausing import PAUSE, go_on
from incremental.project import Project, Ran

OWN = ("alone", "hello", "libc")
LOUD = """\
features=(Feature("loud", "speaks up", on=("LOUD=1",), off=("LOUD=0",)),),
"""
INITRAMFS = """\
[roots.initramfs]
packages = [{packages}]
overlays = [{overlays}]
image.formats = ["squashfs"]
{more}
"""


def rooted(
    project: Project,
    packages: list[str],
    more: str = "",
    own: str = "",
    overlays: tuple[str, ...] = ("early",),
    board: tuple[str, ...] = OWN,
) -> None:
    """Write the board with the root `initramfs`."""
    (project.folder / "early/usr/bin").mkdir(parents=True, exist_ok=True)
    (project.folder / "early/usr/bin/false").touch(mode=0o755)
    root = INITRAMFS.format(
        packages=", ".join(f'"{package}"' for package in packages),
        overlays=", ".join(f'"{overlay}"' for overlay in overlays),
        more=more,
    )
    project.board([*board], more=f"{own}\n{root}", formats='"squashfs"')


def ran(project: Project, *arguments: str) -> Ran:
    found = project.run(*arguments)
    assert found.status == 0, found.text
    return found


def files(project: Project, root: str = "") -> set[str]:
    """Return the paths in a root file system, without folders."""
    with tarfile.open(project.folder / "out/tiny/images" / root / "rootfs.tar") as tar:
        return {info.name for info in tar if not info.isdir()}


def images(project: Project) -> set[str]:
    top = project.folder / "out/tiny/images"
    return {str(path.relative_to(top)) for path in top.rglob("*") if path.is_file()}


def rows(project: Project, *arguments: str) -> dict[str, str]:
    """Return what a build would do now: name -> action, of what is not up to date."""
    now = json.loads(ran(project, "why", "FORMAT=json", *arguments).out)["now"]
    found = [*now["packages"], *now["images"]]
    return {row["name"]: row["action"] for row in found if row["action"] != "none"}


@pytest.fixture
def loud(greeting: Project) -> Project:
    """The project with a feature of the program `hello`, which the board leaves off."""
    greeting.program(
        "hello",
        "#include <greet.h>\nint main(void) { return greet() - 42 + LOUD; }\n",
        "-lgreet -DLOUD=$(LOUD)",
        more='needs=("greet",),' + LOUD,
    )
    greeting.edit("packages/hello/recipe.py", "import Install", "import Feature, Install")
    return greeting


def test_an_equal_package_is_built_once_and_is_in_both_roots(greeting: Project) -> None:
    rooted(greeting, ["hello", "libc"])
    made = ran(greeting)
    assert made.built == ["alone", "greet", "hello", "libc"]
    assert made.summary["images"] == [
        "data.ext4", "initramfs/rootfs.squashfs", "initramfs/rootfs.tar",
        "rootfs.squashfs", "rootfs.tar", "run.sh",
    ]  # fmt: skip
    assert {"usr/bin/alone", "usr/bin/hello", "usr/lib/libgreet.so.1"} <= files(greeting)
    inner = files(greeting, "initramfs")
    assert {"usr/bin/hello", "usr/lib/libgreet.so.1"} <= inner and "usr/bin/alone" not in inner
    assert "everything is up to date" in ran(greeting).out
    assert rows(greeting) == {}


def test_a_package_with_another_feature_is_built_twice(loud: Project) -> None:
    rooted(loud, ["hello", "libc"], "features.hello.loud = true")
    made = ran(loud)
    assert made.built == ["alone", "greet", "hello", "initramfs/hello", "libc"]
    units = loud.folder / "out/tiny/units"
    assert (units / "initramfs/hello.json").exists()
    assert not (units / "initramfs/greet.json").exists()
    assert (loud.folder / "out/tiny/logs/initramfs/hello.log").exists()
    assert not (loud.folder / "out/tiny/work/initramfs/hello").exists()
    assert rows(loud) == {}
    # The same configuration: one unit again, and the root's image is made of it.
    rooted(loud, ["hello", "libc"])
    again = ran(loud)
    assert again.built == []
    assert again.summary["images"] == ["initramfs/rootfs.squashfs", "initramfs/rootfs.tar"]


@pytest.mark.parametrize("jobs", [1, 2])
def test_packages_with_one_key_in_two_roots_each_have_their_own_libraries(
    greeting: Project, jobs: int
) -> None:
    """The feature changes what is in the library, and not its interface."""
    greeting.library(
        "greet",
        '#include "greet.h"\nint greet(void) { return 42 + LOUD; }\n',
        "int greet(void);\n",
        link="-DLOUD=$(LOUD)",
        more=LOUD,
    )
    greeting.edit("packages/greet/recipe.py", "import Install", "import Feature, Install")
    rooted(greeting, ["hello", "libc"], "features.greet.loud = true")
    made = ran(greeting, f"-j{jobs}")
    done = sorted([*made.built, *made.summary["restored"]])
    assert done == ["alone", "greet", "hello", "initramfs/greet", "initramfs/hello", "libc"]
    if jobs == 1:
        assert len(made.summary["restored"]) == 1  # the second of the two that are equal
    keys, libraries = [], []
    for root in ("", "initramfs"):
        unit = greeting.folder / "out/tiny/units" / root / "hello.json"
        keys.append(json.loads(unit.read_bytes())["key"])
        with tarfile.open(greeting.folder / "out/tiny/images" / root / "rootfs.tar") as tar:
            file = tar.extractfile("usr/lib/libgreet.so.1")
            assert file is not None
            libraries.append(file.read())
    assert keys[0] == keys[1] and libraries[0] != libraries[1]
    assert ran(greeting).summary["images"] == [] and rows(greeting) == {}


def test_a_change_rebuilds_only_what_it_affects(loud: Project) -> None:
    rooted(loud, ["hello", "libc"], "features.hello.loud = true")
    ran(loud)
    loud.program("alone", "int main(void) { return 1; }\n")
    assert rows(loud) == {
        "alone": "build", "rootfs.tar": "maybe", "rootfs.squashfs": "maybe"
    }  # fmt: skip
    made = ran(loud)
    assert made.built == ["alone"]
    assert made.summary["images"] == ["rootfs.squashfs", "rootfs.tar"]
    rooted(loud, ["hello", "libc"], 'features.hello.loud = true\nflags.c = "-Os"')
    # Everything of the root is now built in its own way; the board's own root stays as it is.
    made = ran(loud)
    assert made.built == ["initramfs/greet", "initramfs/hello", "initramfs/libc"]
    assert not {"rootfs.tar", "rootfs.squashfs"} & {*made.summary["images"]}
    assert "initramfs/rootfs.tar" in made.summary["images"]


def test_an_overlay_of_one_root_concerns_no_other(greeting: Project) -> None:
    rooted(greeting, ["libc"], overlays=("early",))
    (greeting.folder / "early/only-here").write_text("1\n")
    ran(greeting)
    assert "only-here" in files(greeting, "initramfs") and "etc/motd" in files(greeting)
    assert "only-here" not in files(greeting) and "etc/motd" not in files(greeting, "initramfs")
    (greeting.folder / "early/only-here").write_text("2\n")
    assert set(rows(greeting)) == {"initramfs/rootfs.tar", "initramfs/rootfs.squashfs"}
    made = ran(greeting)
    assert made.summary["images"] == ["initramfs/rootfs.squashfs", "initramfs/rootfs.tar"]
    rooted(greeting, ["libc"], overlays=("rootfs",))
    ran(greeting)
    (greeting.folder / "rootfs/etc/motd").write_text("for both\n")
    assert ran(greeting).summary["images"] == [
        "initramfs/rootfs.squashfs", "initramfs/rootfs.tar", "rootfs.squashfs", "rootfs.tar"
    ]  # fmt: skip


def test_a_root_that_the_board_gives_up_leaves_nothing(loud: Project) -> None:
    rooted(loud, ["hello", "libc"], "features.hello.loud = true")
    ran(loud)
    out = loud.folder / "out/tiny"
    kept = {name: (out / "images" / name).stat().st_ino for name in ("rootfs.tar", "run.sh")}
    assert {"initramfs/rootfs.tar", "initramfs/rootfs.squashfs"} <= images(loud)
    loud.board([*OWN], formats='"squashfs"')
    made = ran(loud)
    assert made.built == [] and made.summary["images"] == []
    assert [path for path in out.rglob("*") if "initramfs" in path.name] == []
    assert {name: (out / "images" / name).stat().st_ino for name in kept} == kept
    rooted(loud, ["hello", "libc"], "features.hello.loud = true")
    again = ran(loud)
    assert again.built == [] and again.summary["restored"] == ["initramfs/hello"]
    assert "initramfs/rootfs.tar" in again.summary["images"]


def test_a_format_that_a_root_gives_up_leaves_no_file(greeting: Project) -> None:
    rooted(greeting, ["libc"])
    ran(greeting)
    greeting.edit("configs/tiny.toml", 'image.formats = ["squashfs"]', "image.formats = []")
    ran(greeting)
    assert "initramfs/rootfs.squashfs" not in images(greeting)
    assert {"initramfs/rootfs.tar", "rootfs.squashfs"} <= images(greeting)


def test_a_failed_package_of_a_root_is_named_with_it(loud: Project) -> None:
    rooted(loud, ["hello", "libc"], "features.hello.loud = true")
    loud.edit("packages/hello/recipe.py", '"LOUD=1"', '"LOUD=nothing"')
    failed = loud.run("-k")
    assert failed.status == 2
    assert failed.summary["failed"] == ["initramfs/hello"]
    assert "error: root initramfs: hello" in failed.err
    assert "out/tiny/logs/initramfs/hello.log" in failed.err
    assert "rootfs.tar" in failed.summary["images"]  # the board's own root needs none of it
    assert "initramfs/rootfs.tar" not in failed.summary["images"]
    assert "failed: initramfs/hello" in failed.text


def test_a_failed_image_of_a_root_is_named_with_it(greeting: Project) -> None:
    rooted(greeting, ["libc"])
    ran(greeting)
    (greeting.folder / "early/link").symlink_to("/usr/nowhere")
    failed = greeting.run()
    assert failed.status == 2
    assert "error: root initramfs: " in failed.err and "reason: dangling-link" in failed.err
    assert "unfinished" in images(greeting)
    assert "unfinished: initramfs/rootfs.tar" in failed.text
    assert not {"initramfs/rootfs.tar", "initramfs/rootfs.squashfs"} & images(greeting)
    (greeting.folder / "early/link").unlink()
    ran(greeting)
    assert "unfinished" not in images(greeting)
    assert {"initramfs/rootfs.tar", "initramfs/rootfs.squashfs"} <= images(greeting)


def test_an_error_in_a_roots_overlay_is_found_before_anything_is_built(greeting: Project) -> None:
    rooted(greeting, ["libc"])
    (greeting.folder / "early/etc").mkdir()
    (greeting.folder / "early/etc/hostname").write_text("mine\n")
    failed = greeting.run()
    assert failed.status == 2 and "reason: file-collision" in failed.err
    assert "error: root initramfs: " in failed.err
    assert not (greeting.folder / "out/tiny/units").exists()


@pytest.mark.parametrize(
    ("packages", "more", "reason"),
    [
        (["nothing"], "", "unknown-package"),
        (["hello"], "features.hello.nothing = true", "unknown-feature"),
        (["hello"], 'fragments.hello = ["x"]', "bad-board"),
        (["hello"], 'overlays = ["nowhere"]', "overlay-missing"),
    ],
)
def test_what_is_wrong_in_a_root_is_an_error_before_anything_is_built(
    greeting: Project, packages: list[str], more: str, reason: str
) -> None:
    overlays = () if "overlays" in more else ("early",)
    rooted(greeting, packages, more, overlays=overlays)
    if not overlays:
        greeting.edit("configs/tiny.toml", "overlays = []\n", "")
    failed = greeting.run()
    assert failed.status == 2 and f"reason: {reason}" in failed.err
    assert reason == "overlay-missing" or "error: root initramfs: " in failed.err
    assert failed.summary == {}


def test_a_package_of_a_root_is_asked_for_by_both_names(loud: Project) -> None:
    rooted(loud, ["hello", "libc"], "features.hello.loud = true")
    assert ran(loud, "initramfs/hello").built == ["greet", "initramfs/hello"]
    assert ran(loud, "hello").built == ["hello"]
    ran(loud)
    assert ran(loud, "initramfs/hello-rebuild").built == ["initramfs/hello"]
    assert ran(loud, "initramfs/libc-rebuild").built == ["libc"]  # the same package
    loud.edit("packages/hello/recipe.py", '"LOUD=1"', '"LOUD=2"')
    assert rows(loud, "hello") == rows(loud, "initramfs/hello")  # JSON has all of the board
    why = ran(loud, "why", "initramfs/hello").out
    assert "build  initramfs/hello  build: - LOUD=1, + LOUD=2" in why
    assert "would do nothing" in ran(loud, "why", "hello").out
    assert "initramfs/hello            build: - LOUD=1, + LOUD=2" in ran(loud, "-n").out
    assert ran(loud).built == ["initramfs/hello"]


def test_questions_know_the_packages_of_a_root(loud: Project) -> None:
    rooted(loud, ["hello", "libc"], "features.hello.loud = true")
    listed = [line.split()[0] for line in ran(loud, "list").out.splitlines()]
    assert listed == [
        "alone", "greet", "hello", "libc", "initramfs/greet", "initramfs/hello", "initramfs/libc"
    ]  # fmt: skip
    assert ran(loud, "depends", "initramfs/hello").out == "initramfs/greet\n"
    assert ran(loud, "rdepends", "initramfs/greet").out == "initramfs/hello\n"
    inner, own = (ran(loud, "info", name).out for name in ("initramfs/hello", "hello"))
    assert "name: initramfs/hello\n" in inner and "features: loud=on\n" in inner
    assert "features: loud=off\n" in own
    for words in (["info", "rescue/hello"], ["rescue/hello"]):
        failed = loud.run(*words)
        assert failed.status == 2 and "reason: unknown-root" in failed.err
    failed = loud.run("depends", "initramfs/alone")
    assert failed.status == 2 and "initramfs/alone is not on the board tiny" in failed.err
    failed = loud.run("initramfs/helo")
    assert "hint: did you mean 'initramfs/hello'?" in failed.err


def test_cleaning_takes_the_files_of_roots_too(loud: Project) -> None:
    rooted(loud, ["hello", "libc"], "features.hello.loud = true")
    ran(loud)
    gone = ran(loud, "-c").out
    assert "out/tiny/images/initramfs/rootfs.tar" in gone
    assert "out/tiny/units/initramfs/hello.json" in gone
    assert images(loud) == set()
    again = ran(loud)
    assert again.built == [] and "initramfs/hello" in again.summary["restored"]


def prepares(project: Project, command: str) -> None:
    """Have a command run before `hello` is built, in every root."""
    text = project.recipe("hello").read_text().replace("import Feature", "import Feature, Run")
    text = text.replace('license="MIT",', f'license="MIT",\n    prepare=({command},),')
    project.recipe("hello").write_text(text)


def test_a_build_of_a_root_that_was_killed_is_finished_by_the_next_one(loud: Project) -> None:
    rooted(loud, ["hello", "libc"], "features.hello.loud = true")
    ran(loud)
    before = {name: loud.image(name) for name in images(loud)}
    (loud.folder / "out/tiny/images/initramfs/rootfs.squashfs").unlink()
    seconds = own(61)
    prepares(loud, f'Run("sleep", "{seconds}")')
    with subprocess.Popen(
        loud.command("-j2"), cwd=loud.folder, stdout=subprocess.DEVNULL, start_new_session=True
    ) as build:
        work = loud.folder / "out/tiny/work/initramfs/hello"
        assert within(60, lambda: work.exists() and sleeping(seconds))
        os.killpg(build.pid, signal.SIGKILL)
    assert within(60, lambda: not sleeping(seconds))
    loud.edit("packages/hello/recipe.py", f'"{seconds}"', '"0.1"')
    made = ran(loud)
    assert made.built == ["hello", "initramfs/hello"]
    assert {name: loud.image(name) for name in images(loud)} == before
    assert not work.exists()


def test_the_view_names_a_package_with_its_root(loud: Project) -> None:
    rooted(loud, ["hello", "libc"], "features.hello.loud = true")
    ran(loud, "greet", "libc")
    prepares(loud, PAUSE)
    terminal = Terminal(loud.command("-j2"), folder=loud.folder, columns=100)

    def shown() -> set[str]:
        return {row.split()[0] for row in terminal.rows() if " prepare " in row}

    terminal.wait(lambda: {"hello", "initramfs/hello"} <= shown())
    go_on(loud, "hello", "initramfs/hello")
    assert terminal.end() == 0
    lines = [line for line in terminal.all() if "built in" in line]
    assert any(line.startswith("initramfs/hello 1: built in ") for line in lines)


def test_a_damaged_result_and_a_lost_file_of_a_root_are_made_again(loud: Project) -> None:
    rooted(loud, ["hello", "libc"], "features.hello.loud = true")
    ran(loud)
    before = {name: loud.image(name) for name in images(loud)}
    (loud.folder / "out/tiny/images/initramfs/rootfs.tar").unlink()
    (loud.folder / "out/tiny/units/initramfs/hello.json").write_bytes(b"cut o")
    assert rows(loud)["initramfs/rootfs.tar"] == "make"
    made = ran(loud)
    assert made.summary["restored"] == ["initramfs/hello"]
    assert {name: loud.image(name) for name in images(loud)} == before


def test_a_shell_of_a_roots_package_has_its_environment(loud: Project) -> None:
    rooted(loud, ["hello", "libc"], 'flags.c = "-Os -DINNER"')
    said = loud.in_shell("initramfs/hello", "make hello LOUD=3 CC='echo $CC' && pwd && ls\n")
    assert "a shell in out/tiny/shell/initramfs/hello/src" in said
    assert (loud.folder / "out/tiny/units/initramfs/greet.json").exists()


def test_a_configuration_edited_for_a_root_is_the_roots_alone(greeting: Project) -> None:
    menu(greeting)
    own = 'fragments.menu = ["configs/own.fragment"]'
    (greeting.folder / "configs/own.fragment").write_text("CONFIG_TRACE=y\nCONFIG_DEBUG=y\n")
    rooted(greeting, ["libc", "menu"], own=own, board=(*OWN, "menu"))
    assert ran(greeting).built == ["alone", "greet", "hello", "libc", "menu"]
    ran(greeting, "initramfs/menu-diffconfig")
    config = greeting.folder / "out/tiny/configure/initramfs/menu/src/.config"
    text = config.read_text()
    assert "CONFIG_TRACE=y" in text  # it begins with what the board has
    config.write_text(text.replace("CONFIG_TRACE=y", "CONFIG_TRACE=n"))
    said = ran(greeting, "initramfs/menu-savedefconfig").out
    kept = greeting.folder / "configs/tiny/initramfs/menu.fragment"
    assert kept.read_text().splitlines()[1:] == ["# CONFIG_TRACE is not set"]
    assert "initramfs/menu" in said
    made = ran(greeting)
    assert made.built == ["initramfs/menu"]
    assert made.summary["built"][0]["why"] == ["it has not been built here before"]
    # A list of its own takes the place of the board's.
    kept.unlink()
    rooted(greeting, ["libc", "menu"], "fragments.menu = []", own=own, board=(*OWN, "menu"))
    assert ran(greeting).built == ["initramfs/menu"]
    header = greeting.folder / "out/tiny/work/initramfs/menu/src/config.h"
    assert "DEBUG" not in header.read_text()


def test_a_lost_part_of_a_roots_package_is_made_again_and_no_other(loud: Project) -> None:
    rooted(loud, ["hello", "libc"], 'flags.c = "-Os"')
    ran(loud)
    units = loud.folder / "out/tiny/units"
    blobs = json.loads((units / "initramfs/greet.record.json").read_bytes())["blobs"]
    for store in (loud.cache, loud.folder / "out/store"):
        for path in store.rglob(blobs["dev"] + "*"):
            path.unlink()
    loud.edit("packages/hello/recipe.py", '"LOUD=0"', '"LOUD=3"')
    made = ran(loud)
    assert made.built == ["hello", "initramfs/greet", "initramfs/hello"]
