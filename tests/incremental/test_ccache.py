"""Builds with ccache: the same results, and compilations that are taken from its folder."""

from __future__ import annotations

import os
import shutil
import subprocess

import cache_server

from incremental.project import Project, ok

MAKEFILE = """\
libgreet.so.1: greet.o start.o
\t$(CC) -shared -Wl,-soname,$@ -o $@ greet.o start.o
greet.o: greet.c greet.h own.h
\t$(CC) $(CFLAGS) -Iinclude -I. -fPIC -c greet.c
start.o: start.S
\t$(CC) -c start.S
"""
GREET_C = '#include "greet.h"\n#include <own.h>\nint greet(void) { return OWN + __LINE__; }\n'
ON = "compiler.launcher=ccache"


def library(project: Project) -> None:
    own = {"Makefile": MAKEFILE, "own.h": "#define OWN 1\n", "start.S": '.include "data.s"\n'}
    own["data.s"] = ".data\n.long 1\n"
    project.library("greet", GREET_C, "int greet(void);\n", files=own)
    project.board(["greet", "libc"])


def forget(project: Project) -> None:
    """Remove all results, so that everything is built again."""
    shutil.rmtree(project.folder / "out")
    shutil.rmtree(project.cache / "store")


def again(project: Project, *arguments: str) -> str:
    """Build everything again; return what the log says about ccache."""
    forget(project)
    assert "greet" in ok(project.run(*arguments)).built
    log = (project.folder / "out/tiny/logs/greet.log").read_text().splitlines()
    return next((line for line in log if line.startswith("==> ccache")), "")


def results(project: Project) -> str:
    return (project.folder / "out/tiny/units/greet.json").read_text()


def statistics(project: Project) -> dict[str, int]:
    done = subprocess.run(
        ("ccache", "--print-stats"),
        env={**os.environ, "CCACHE_DIR": str(project.cache / "ccache/greet")},
        capture_output=True,
        text=True,
        check=True,
    )
    return {name: int(value) for name, value in map(str.split, done.stdout.splitlines())}


def _elsewhere(project: Project) -> None:
    """Go on in another checkout of the same user."""
    other = project.folder.parent / "elsewhere" / "another name"
    shutil.copytree(project.folder, other, symlinks=True)
    project.folder = other


def test_results_are_the_same_with_and_without_it(project: Project) -> None:
    library(project)
    ok(project.run())
    plain, image = results(project), project.image()
    assert again(project, ON) == "==> ccache: 0 of 1 compilations were there"
    assert (results(project), project.image()) == (plain, image)
    _elsewhere(project)
    assert again(project, ON) == "==> ccache: 1 of 1 compilations were there"
    assert (results(project), project.image()) == (plain, image)
    found = statistics(project)
    assert (found["preprocessed_cache_hit"], found["cache_miss"]) == (1, 1)


def test_another_machine_compiles_nothing_that_is_on_the_server(project: Project) -> None:
    library(project)
    with cache_server.running() as state:
        shared = f"compiler.storage={state.base}/c"
        ok(project.run(ON, shared))
        made = results(project)
        shutil.rmtree(project.cache / "ccache")
        assert again(project, ON, shared) == "==> ccache: 1 of 1 compilations were there"
        assert results(project) == made
        shutil.rmtree(project.cache / "ccache")
        assert again(project, ON, shared, "sources.offline=1").startswith("==> ccache: 0 of 1")


def test_the_setting_rebuilds_nothing(project: Project) -> None:
    library(project)
    ok(project.run())
    ran = ok(project.run(ON))
    assert (ran.built, ran.summary["restored"]) == ([], [])
    assert not (project.cache / "ccache").exists()


def test_without_it_there_is_one_error(project: Project) -> None:
    library(project)
    project.program("alone", "int main(void) { return 0; }\n")
    project.board(["alone", "greet", "libc"])
    project.own_engine()
    # No machine has a program of this name.
    project.edit("site_scons/quard/boards/launching.py", '"ccache"', '"ccache-0"')
    ran = project.run("compiler.launcher=ccache-0", "-j2")
    assert ran.status != 0
    assert ran.err.count("error: ") == 1, ran.text
    assert "error: the compiler launcher ccache-0 is missing" in ran.err
    assert "reason: tool-missing" in ran.err
    assert "Traceback" not in ran.text


def test_builds_that_are_not_sealed_do_without_it(project: Project) -> None:
    library(project)
    ran = ok(project.run(ON, "sandbox.mode=none"))
    assert ran.text.count("ccache is not used: builds are not sealed") == 1
    assert "greet" in ran.built
    assert not (project.cache / "ccache").exists()


def test_an_unfinished_build_goes_on_when_it_is_switched_off(project: Project) -> None:
    """The drivers in its work folder would start a program that is no longer visible."""
    library(project)
    good = project.recipe("greet").read_text()
    project.edit("packages/greet/recipe.py", 'Install("greet.h"', 'Install("gret.h"')
    assert project.run(ON).status != 0
    project.recipe("greet").write_text(good)
    ran = ok(project.run())
    log = (project.folder / "out/tiny/logs/greet.log").read_text()
    assert "greet" in ran.built and "ccache" not in log
