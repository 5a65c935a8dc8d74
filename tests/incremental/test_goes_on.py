"""After a failed install, finish or split step the compile is not repeated, and what comes out is
what a build from nothing gives."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from waiting import within

from incremental.conftest import GREET_C, GREET_H
from incremental.project import Project, Ran

RECIPE = "packages/greet/recipe.py"
INSTALL_H = 'Install("greet.h", "usr/include/greet.h"),'
MAKEFILE = """\
libgreet.so.1: greet.c greet.h
\t@echo compiling greet.c
\t$(CC) $(CFLAGS) -fPIC -shared -Wl,-soname,libgreet.so.1 -o $@ greet.c
install: libgreet.so.1
\techo relinked > installed-files
\tmkdir -p lists && echo x > lists/one
\tcp libgreet.so.1 libgreet.so.1T && mv libgreet.so.1 U && mv U libgreet.so.1
\tmkdir -p $(DESTDIR)/usr/share/greet && cp installed-files $(DESTDIR)/usr/share/greet
"""
"""Its installation writes into the source folder, as libtool's does."""


class Package:
    """A library whose recipe ends in a step that fails."""

    def __init__(self, project: Project) -> None:
        self.project = project
        project.library("greet", GREET_C, GREET_H, files={"Makefile": MAKEFILE})
        self.edit('make=("libgreet.so.1",),', 'make=("libgreet.so.1",), install=(INSTALL),')
        self.edit("INSTALL", '"DESTDIR={stage}", "install"')
        self.edit("import Install", "import Install, Run")
        self.good = project.recipe("greet").read_text()

    def edit(self, old: str, new: str) -> None:
        self.project.edit(RECIPE, old, new)

    def finish(self, steps: str) -> None:
        """Give the recipe further steps at the end."""
        text = self.good.replace(INSTALL_H, f"{INSTALL_H} {steps}")
        self.project.recipe("greet").write_text(text)

    def build(self, *arguments: str) -> Ran:
        return self.project.run("greet", *arguments)

    def fails(self, reason: str, *arguments: str) -> None:
        ran = self.build(*arguments)
        assert (ran.status, f"reason: {reason}\n" in ran.err) == (2, True), ran.text

    @property
    def log(self) -> str:
        return (self.project.folder / "out/tiny/logs/greet.log").read_text()

    @property
    def work(self) -> Path:
        return self.project.folder / "out/tiny/work/greet"

    @property
    def result(self) -> dict[str, object]:
        text = (self.project.folder / "out/tiny/units/greet.record.json").read_text()
        record = json.loads(text)
        del record["local"], record["blobs"]["log"]
        return dict(record)

    def goes_on(self, *arguments: str) -> None:
        """Build, without compiling, what a build from nothing gives."""
        ran = self.build(*arguments)
        assert ran.status == 0, ran.text
        begins = self.log.index("==> update: continues where the last build was about to install")
        assert "compiling greet.c" in self.log[:begins]
        assert "compiling" not in self.log[begins:]
        self._equals_a_clean_build(*arguments)

    def starts_anew(self, *arguments: str) -> None:
        ran = self.build(*arguments)
        assert ran.status == 0, ran.text
        assert self.log.count("compiling greet.c\n") == 1
        assert "==> update" not in self.log
        self._equals_a_clean_build(*arguments)

    def _equals_a_clean_build(self, *arguments: str) -> None:
        found = self.result
        assert self.project.run("greet-rebuild", *arguments).status == 0
        assert "==> update" not in self.log
        assert self.result == found


@pytest.fixture
def package(project: Project) -> Package:
    return Package(project)


@pytest.mark.parametrize(
    ("broken", "reason", "good"),
    [
        ('Run("false"),', "install-failed", 'Run("true"),'),
        ('Install("gret.h", "usr/include/x.h"),', "install-failed", ""),
        ('Run("sh", "-c", "echo {src} > {stage}/usr/x"),', "path-leak", ""),
        (
            'Run("sh", "-c", "mkdir {stage}/lib && touch {stage}/lib/libgreet.so.1"),',
            "file-collision",
            "",
        ),
    ],
    ids=["finish", "typo", "leak", "collision"],
)
def test_a_changed_end_of_the_recipe_repeats_no_compile(
    package: Package, broken: str, reason: str, good: str
) -> None:
    package.finish(broken)
    package.fails(reason)
    package.finish(good)
    package.goes_on()


def test_without_the_sandbox_the_compile_is_not_repeated_either(package: Package) -> None:
    package.finish('Run("false"),')
    package.fails("install-failed", "sandbox.mode=none")
    package.finish("")
    package.goes_on("sandbox.mode=none")


def test_another_list_of_what_is_dropped_repeats_no_compile(package: Package) -> None:
    package.edit('license="MIT"', 'license="MIT", drop=("usr/nothing",)')
    package.fails("drop-unused")
    package.edit("usr/nothing", "usr/share/greet")
    package.goes_on()


def test_the_same_recipe_again_fails_at_once(package: Package) -> None:
    package.finish('Run("false"),')
    package.fails("install-failed")
    package.fails("install-failed")
    assert package.log.count("compiling greet.c\n") == 1
    assert package.log.count("==> update: continues") == 1
    package.finish("")
    package.goes_on()


def test_a_failed_make_install_goes_on(package: Package) -> None:
    package.edit('"DESTDIR={stage}", "install"', '"DESTDIR={stage}", "instal"')
    package.fails("install-failed")
    package.finish("")
    package.goes_on()


def test_a_recipe_file_that_only_the_end_names_may_be_another(package: Package) -> None:
    script = package.project.folder / "packages/greet/start"
    script.write_text("{stage}")
    package.finish('Install("{files}/start", "etc/start"), Run("test", "!", "-e", "{stage}/etc"),')
    package.fails("install-failed")
    script.write_text("#!/bin/sh\n")
    package.finish('Install("{files}/start", "etc/start", mode="0755"),')
    package.goes_on()


CHANGES: dict[str, Callable[[Package], object]] = {
    "flag": lambda package: package.edit('"CC={cross}gcc"', '"CC={cross}gcc -O1"'),
    "environment": lambda package: package.edit(
        'license="MIT"', 'license="MIT", env=(("A", "1"),)'
    ),
    "tool": lambda package: package.edit('license="MIT"', 'license="MIT", tools=("bc",)'),
    "patch": lambda package: (package.project.folder / "packages/greet/1.patch").write_text(
        "--- a/greet.h\n+++ b/greet.h\n@@ -1 +1,2 @@\n int greet(void);\n+int more(void);\n"
    ),
    "preparation": lambda package: package.edit(
        'license="MIT"', 'license="MIT", prepare=(Run("true"),)'
    ),
    "edited file": lambda package: (package.work / "src/greet.h").write_text("int greet(void); "),
    "removed file": lambda package: (package.work / "src/COPYING").unlink(),
    "removed object": lambda package: (package.work / "src/libgreet.so.1").unlink(),
    "mode": lambda package: (package.work / "src/greet.c").chmod(0o755),
    "removed command": lambda package: (package.work / "tools/sed").unlink(),
    "killed while it listed": lambda package: (package.work / "compiled.json").unlink(),
    "damaged list": lambda package: os.truncate(package.work / "compiled.json", 60),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_the_compile_depends_on_starts_the_build_from_nothing(
    package: Package, change: Callable[[Package], object]
) -> None:
    package.finish('Run("false"),')
    package.fails("install-failed")
    package.finish("")
    change(package)
    package.starts_anew()


def test_an_installation_that_changes_the_source_starts_from_nothing(package: Package) -> None:
    append = 'Run("sh", "-c", "echo // >> greet.h; cp greet.h {stage}/usr/share/greet"),'
    package.finish(append + ' Run("false"),')
    package.fails("install-failed")
    package.finish(append)
    package.starts_anew()


def test_a_build_that_staged_something_before_starts_from_nothing(package: Package) -> None:
    early = 'prepare=(Run("sh", "-c", "echo early > {stage}/early"),),'
    package.edit('license="MIT",', f'license="MIT", {early}')
    package.good = package.project.recipe("greet").read_text()
    package.finish('Run("false"),')
    package.fails("install-failed")
    package.finish("")
    package.starts_anew()


def test_what_an_installation_left_is_not_there_for_the_next(package: Package) -> None:
    look = 'Run("sh", "-c", "cp -r lists {stage}/usr/lists; rm -r {stage}/usr/lists/one"),'
    package.finish('Run("sh", "-c", "echo y > lists/two; chmod 0 lists; false"),')
    package.fails("install-failed")
    package.finish(look)
    package.goes_on()


def test_a_local_tree_goes_on_unless_it_was_edited(package: Package) -> None:
    tree = package.project.folder.parent / "tree"
    tree.mkdir()
    for name, text in {"Makefile": MAKEFILE, "greet.c": GREET_C, "greet.h": GREET_H}.items():
        (tree / name).write_text(text)
    override = f"override.greet={tree}"
    package.finish('Run("false"),')
    package.fails("install-failed", override)
    package.finish("")
    package.goes_on(override)
    package.finish('Run("false"),')
    package.fails("install-failed", override)
    (tree / "greet.c").write_text(GREET_C + "int wave(void) { return 1; }\n")
    package.finish("")
    package.starts_anew(override)


def test_a_shell_in_the_folder_has_the_next_build_start_from_nothing(package: Package) -> None:
    package.finish('Run("false"),')
    package.fails("install-failed")
    assert (package.work / "compiled.json").exists()
    package.project.run("greet-shell")
    package.finish("")
    if (package.work / "compiled.json").exists():
        package.goes_on()  # no terminal, no shell
    else:
        package.starts_anew()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_build_that_is_ended_while_it_installs_goes_on(package: Package, how: int) -> None:
    project = package.project
    package.finish('Run("sh", "-c", "touch half lists/half; sleep 4071"),')
    run = subprocess.Popen(
        project.command("greet"),
        cwd=project.folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    half = package.work / "src/half"
    assert within(60, lambda: half.exists() or run.poll() is not None)
    assert run.poll() is None
    run.send_signal(how)
    run.wait(timeout=60)
    package.finish("")
    package.goes_on()
