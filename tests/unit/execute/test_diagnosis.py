"""Commands that a build does not have, as the sandbox, make, shells and env report them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from sandbox_parts import MODES, Place

from quard.execute.diagnosis import Diagnosis, diagnose
from quard.execute.musl import refusal

OTHERS = "quard-no-such-tool"


@pytest.fixture(params=MODES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return Place(tmp_path, request.param)


@pytest.fixture
def search(tmp_path: Path) -> str:
    """The machine's PATH, with a command that no build sees unless its recipe names it."""
    folder = tmp_path / "machine"
    folder.mkdir()
    for name in ("undeclared", "gperf-undeclared"):
        (folder / name).write_text("#!/bin/sh\n")
        (folder / name).chmod(0o755)
    return f"{os.environ['PATH']}:{folder}"


def found(place: Place, search: str, *argv: str) -> Diagnosis | None:
    """Run a command that fails and return why."""
    status, text = place.run(*argv)
    assert status != 0
    return diagnose(argv, status, text.encode(), place.work, search, place.box.inside)


def test_a_kernel_that_loads_no_modules_is_named(place: Place, search: str) -> None:
    why = found(place, search, "tar", "-xf", f"{place.box.folders['sysroot']}/usr/src/kernel.tar")
    assert why is not None
    assert (why.reason, why.certain) == ("kernel-without-modules", True)
    assert "CONFIG_MODULES=y" in why.text


def test_a_steps_own_command_that_is_not_declared_is_named(place: Place, search: str) -> None:
    why = found(place, search, "undeclared", "-x")
    assert why == Diagnosis(
        "undeclared-tool",
        "not among the commands of this build: undeclared",
        'name it in the recipe\'s `tools`: tools=("undeclared",)',
        certain=True,
    )


def test_a_command_that_the_machine_lacks_is_to_be_installed_first(
    place: Place, search: str
) -> None:
    why = found(place, search, OTHERS)
    assert why is not None
    assert "not on the build machine either" in why.text
    assert why.hint.startswith(f"install {OTHERS} on the build machine; name it in")


INNER = {
    "sh": ("sh", "-c", "undeclared x"),
    "bash": ("bash", "-c", "undeclared x"),
    "exec": ("sh", "-c", "exec undeclared"),
    "script": ("sh", "./script"),
    "make": ("make",),
    "make with a shell": ("make", "shell"),
    "make in make": ("make", "inner"),
    "env": ("env", "undeclared"),
    "env line": ("./env-script",),
    "perl": ("perl", "-we", 'exit 1 if system("undeclared", "x")'),
}


def fill(src: Path) -> None:
    rules = (
        "all:\n\tundeclared x\n",
        "shell:\n\ttrue && undeclared x\n",
        "inner:\n\t$(MAKE) all\n",
    )
    (src / "Makefile").write_text("".join(rules))
    (src / "script").write_text("echo begins\nundeclared x\nexit 1\n")
    (src / "env-script").write_text("#!/usr/bin/env undeclared\n")
    (src / "env-script").chmod(0o755)


@pytest.mark.parametrize("argv", INNER.values(), ids=INNER)
def test_a_command_that_something_inside_did_not_find_is_named(
    place: Place, search: str, argv: tuple[str, ...]
) -> None:
    fill(place.work.src)
    why = found(place, search, *argv)
    assert why is not None
    assert why.reason == "undeclared-tool"
    assert why.text == "not among the commands of this build: undeclared"
    assert why.hint.startswith(
        "if the build needs a command that it did not find, name it in the recipe's"
    )
    assert not why.certain


LOGS = {
    "busybox": b"sh: undeclared: not found\n",
    "dash in make": b"/bin/sh: 1: undeclared: not found\nmake: *** [Makefile:2: all] Error 127\n",
    "configure": b"./configure: line 20: undeclared: command not found\n",
    "autoconf": b"checking for undeclared... no\nconfigure: error: undeclared is required\n",
    "meson": b"meson.build:5:0: ERROR: Program 'undeclared' not found or not executable\n",
}


@pytest.mark.parametrize("log", LOGS.values(), ids=LOGS)
def test_words_of_other_programs_are_known(tmp_path: Path, search: str, log: bytes) -> None:
    place = Place(tmp_path, "none")
    why = diagnose(("make",), 2, b"before\n" + log, place.work, search, place.box.inside)
    assert why is not None
    assert why.text == "not among the commands of this build: undeclared"


def test_all_commands_that_were_not_found_are_named_once(place: Place, search: str) -> None:
    why = found(place, search, "sh", "-c", "undeclared; gperf-undeclared; undeclared; false")
    assert why is not None
    assert why.text.endswith(": gperf-undeclared, undeclared")
    assert why.hint.endswith('tools=("gperf-undeclared", "undeclared")')


QUIET = {
    "another failure": ("sh", "-c", "echo wrong; exit 3"),
    "a status of its own": ("sh", "-c", "exit 127"),
    "a file, not a command": ("cat", "undeclared"),
    "a command that it has": ("sh", "-c", "echo sed: not found; echo 'sh: sed: not found'; exit 1"),
    "no rule": ("make", "-f", "/dev/null", "undeclared"),
    "only looked for": ("sh", "-c", "echo 'checking for undeclared... no'; exit 1"),
}


@pytest.mark.parametrize("argv", QUIET.values(), ids=QUIET)
def test_other_failures_are_left_alone(place: Place, search: str, argv: tuple[str, ...]) -> None:
    assert found(place, search, *argv) is None


# A source that does not have what its style runs


@pytest.mark.parametrize(
    ("files", "hint"),
    [
        (("configure.ac",), "the source has configure.ac: set autoreconf=True"),
        (("configure.in",), "the source has configure.in"),
        (("src/configure",), "the source has src/configure: use Custom"),
        (("CMakeLists.txt", "Makefile"), "the source has CMakeLists.txt: use CMake"),
        (("meson.build",), "the source has meson.build: use Meson"),
        (("pyproject.toml",), "the source has pyproject.toml: use Python"),
        (("setup.py",), "the source has setup.py: use Python"),
        (("GNUmakefile",), "use Make, or Custom"),
        ((), "docs/adding-a-package.md"),
    ],
)
def test_a_source_without_a_configure_script_says_what_it_has_instead(
    place: Place, search: str, files: tuple[str, ...], hint: str
) -> None:
    for name in files:
        (place.work.src / name).parent.mkdir(exist_ok=True)
        (place.work.src / name).touch()
    why = found(place, search, "./configure", "--prefix=/usr")
    assert why is not None
    assert (why.reason, why.certain) == ("missing-command", True)
    assert why.text == "the source has no ./configure"
    assert hint in why.hint


def test_a_script_that_may_not_be_executed_or_has_no_interpreter_is_told(
    place: Place, search: str
) -> None:
    script = place.work.src / "configure"
    script.write_text("#!/nowhere/bin/perl5 -w\n")
    why = found(place, search, "./configure")
    assert why is not None
    assert why.text == "./configure is not executable"
    script.chmod(0o755)
    why = found(place, search, "./configure")
    assert why is not None
    assert why.text == "./configure is a script for /nowhere/bin/perl5, which the build cannot see"
    script.unlink()
    script.mkdir()
    why = found(place, search, "./configure")
    assert why is not None
    assert why.text == "./configure is a folder"


def cxx(place: Place) -> None:
    """Give the build the compiler for C++ that builds for musl see."""
    compiler = place.work.tools / "riscv64-linux-musl-g++"
    compiler.write_text(f"#!/bin/sh\n{refusal(compiler.name)}")
    compiler.chmod(0o755)


def test_a_compiler_that_refuses_cxx_is_the_reason(place: Place, search: str) -> None:
    cxx(place)
    why = found(place, search, "sh", "-c", "riscv64-linux-musl-g++ -c x.cc || exit 2")
    assert why is not None
    assert (why.reason, why.certain) == ("no-cxx-library", True)


@pytest.mark.parametrize(
    ("said", "reason"),
    [("C++ compiler cannot create executables", "no-cxx-library"), ("no X11", None)],
)
def test_configure_that_stops_for_lack_of_cxx_is_explained_without_the_compilers_words(
    place: Place, search: str, said: str, reason: str | None
) -> None:
    cxx(place)
    script = f"riscv64-linux-musl-g++ 2>/dev/null; echo 'configure: error: {said}' >&2; exit 1"
    why = found(place, search, "sh", "-c", script)
    assert (why.reason if why else None) == reason


def test_a_broken_compiler_for_cxx_is_not_taken_for_one_that_refuses(
    place: Place, search: str
) -> None:
    message = "configure: error: C++ compiler cannot create executables"
    assert found(place, search, "sh", "-c", f"echo '{message}' >&2; exit 1") is None
