"""Answers for configure scripts: the real cross compiler is asked, and a real script takes them."""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from sandbox_parts import COMPILER, MODES, PREFIX, Place

from quard.base import canonical
from quard.boards import native
from quard.execute import answers, drivers, questions, sysroot
from quard.execute.answers import Answers, Book
from quard.execute.toolchain import COMMANDS, Toolchain
from quard.plan.plan import ANSWERS, Plan
from quard.process.sandbox import Mode, Sandbox, Work
from quard.process.system import MACHINE

TRIPLE = PREFIX.rstrip("-")
PLAN = Plan(name="thing", version="1", triple=TRIPLE, cflags="-O2", answers=True)
VERSIONS = {1: "d25f0ba8868198fe133dd92c62c04f089f715be5339440ee61a8479adaae464e"}
"""Version of the questions -> digest of everything that decides the answers."""
SCRIPT = """\
AC_INIT([thing], [1])
AC_CONFIG_SRCDIR([configure.ac])
AC_PROG_CC
AC_C_CONST
AC_C_INLINE
AC_C_VOLATILE
AC_C_BIGENDIAN
"""


def asked(place: Place, plan: Plan = PLAN, toolchain: Toolchain = COMPILER) -> Answers:
    """Return what a new book answers."""
    book = Book()
    book.write(plan, toolchain, place.box)
    return found(place.work)


def found(work: Work) -> Answers:
    """Return the answers in the site file of a work folder, as a shell understands them."""
    site = work.tools / sysroot.SITE
    done = subprocess.run(
        ("sh", "-c", f"host_alias={TRIPLE}; . '{site}'; set"),
        env={"PATH": os.defpath},
        capture_output=True,
        text=True,
        check=True,
    )
    lines = (line.partition("=") for line in done.stdout.splitlines() if line.startswith("ac_cv_"))
    return {name: value.strip("'") for name, _, value in lines}


@pytest.mark.parametrize("mode", MODES)
def test_the_compiler_and_its_c_library_are_asked_in_the_builds_own_sandbox(
    tmp_path: Path, mode: Mode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`revoke` is in glibc, but marked as one that always fails."""
    monkeypatch.setattr(answers, "FUNCTIONS", ("getline", "no_such_thing", "revoke", "write"))
    monkeypatch.setattr(answers, "HEADERS", ("no/such.h", "sys/un.h"))
    place = Place(tmp_path, mode)
    told = asked(place)
    assert told["ac_cv_func_getline"] == told["ac_cv_header_sys_un_h"] == "yes"
    assert told["ac_cv_type_long_long"] == told["ac_cv_prog_cc_g"] == "yes"
    assert (told["ac_cv_sizeof_long"], told["ac_cv_sizeof_void_p"]) == ("8", "8")
    assert told["ac_cv_c_bigendian"] == "no"
    assert not [name for name in told if "revoke" in name or "such" in name]
    assert not [*place.work.src.iterdir(), *place.work.sysroot.iterdir()]


def test_what_the_compiler_refuses_as_a_whole_has_no_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The linker does not name a function that is declared and is no function."""
    monkeypatch.setattr(answers, "FUNCTIONS", ("getline", "main"))
    monkeypatch.setattr(answers, "HEADERS", ("sys/un.h",))
    told = asked(Place(tmp_path, "none"))
    assert "ac_cv_header_sys_un_h" in told
    assert not [name for name in told if name.startswith("ac_cv_func_")]


def test_a_compiler_that_does_not_work_has_no_answers(tmp_path: Path) -> None:
    place = Place(tmp_path, "none")
    (place.work.tools / f"{TRIPLE}-gcc").unlink()
    assert asked(place) == {}


def test_a_compiler_is_asked_once_for_equal_flags(tmp_path: Path) -> None:
    book = Book()
    book.write(PLAN, COMPILER, Place(tmp_path / "first", "none").box)
    later = Place(tmp_path / "later", "none")
    (later.work.tools / f"{TRIPLE}-gcc").unlink()
    assert "answers" in book.write(dataclasses.replace(PLAN, name="x"), COMPILER, later.box)
    assert found(later.work) == found(Work(tmp_path / "first/a folder"))
    book.write(dataclasses.replace(PLAN, cflags="-Os"), COMPILER, later.box)
    assert found(later.work) == {}


def test_a_compiler_of_the_build_machine_is_asked_as_well(tmp_path: Path) -> None:
    own = {name: Path(shutil.which(name) or "missing") for name in COMMANDS}
    toolchain = dataclasses.replace(COMPILER, prefix="", commands=own)
    work = Work(tmp_path / "work")
    work.make()
    triple = native.triple(os.uname().machine)
    plan = dataclasses.replace(PLAN, triple=triple, native=True)
    sysroot.tools(work, (), os.environ["PATH"], str(work.root), MACHINE)
    drivers.write_drivers(work, toolchain, plan, str(work.root))
    Book().write(plan, toolchain, Sandbox(mode="none", work=work))
    assert "ac_cv_func_getline=yes" in (work.tools / sysroot.SITE).read_text()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (f"host_alias={TRIPLE}", "yes"),
        (f"host_alias={TRIPLE}; ac_cv_func_x=no", "no"),
        ("host_alias=", ""),
        ("host_alias=x86_64-pc-linux-gnu", ""),
    ],
)
def test_a_script_takes_answers_for_its_machine_that_it_was_not_given(
    tmp_path: Path, before: str, after: str
) -> None:
    site = tmp_path / "config.site"
    site.write_text(answers.site(TRIPLE, {"ac_cv_func_x": "yes"}))
    shell = f'unset ac_cv_func_x; {before}; . "$1"; printf %s "$ac_cv_func_x"'
    assert subprocess.check_output(("sh", "-c", shell, "-", str(site)), text=True) == after


def test_the_answers_are_those_that_a_script_finds_itself(tmp_path: Path) -> None:
    """Autoconf makes the script; asking everything takes a minute, so every 25th is asked."""
    place = Place(tmp_path, "bwrap")
    told = asked(place)
    source = place.work.src
    (source / "configure.ac").write_text(SCRIPT + _checks(25))
    subprocess.run(("autoconf",), cwd=source, check=True, capture_output=True)
    own = _configured(place, "/dev/null")
    same = _configured(place, f"{place.box.inside}/tools/{sysroot.SITE}")
    asks = {name for name in own if name in told}
    assert len(asks) > 30
    assert {name: told[name] for name in asks} == {name: own[name] for name in asks}
    assert own == {name: same[name] for name in own}
    assert int(place.sh("grep -c '(cached)' configure.out")) >= len(asks)


def _checks(step: int) -> str:
    lines = [f"AC_CHECK_HEADERS([{' '.join(questions.HEADERS[::step])}])"]
    lines.append(f"AC_CHECK_FUNCS([{' '.join(questions.FUNCTIONS[::step])}])")
    lines += (f"AC_CHECK_TYPES([{name}])" for name in questions.TYPES[::step])
    lines += (f"AC_CHECK_SIZEOF([{name}])" for name in questions.SIZED[::step])
    return "\n".join([*lines, "AC_OUTPUT", ""])


def _configured(place: Place, site: str) -> Mapping[str, str]:
    """Run the script and return what it remembers."""
    place.sh(
        f"rm -f config.cache; CONFIG_SITE='{site}' CFLAGS='-O2 -g'"
        f" ./configure -C --host={TRIPLE} >configure.out 2>&1"
    )
    kept = "sed -n 's/^\\(ac_cv_[A-Za-z0-9_]*\\)=${[A-Za-z0-9_]*=\\(.*\\)}$/\\1=\\2/p' config.cache"
    pairs = (line.partition("=") for line in place.sh(kept).splitlines())
    return {name: text.strip("'") for name, _, text in pairs if "_env_" not in name}


def test_no_question_is_one_that_a_script_answers_by_another_test() -> None:
    assert "strtod" not in questions.FUNCTIONS
    assert not {"off_t", "time_t", "ino_t"} & {*questions.SIZED}
    for table in (questions.HEADERS, questions.FUNCTIONS, questions.TYPES, questions.SIZED):
        assert len({*table}) == len(table)


def test_other_questions_have_another_version() -> None:
    """Otherwise a result that was made with the old answers would be taken for one of today."""
    sized = (questions.SIZED, questions.DEFAULT, questions.COMPILER)
    tables = (questions.HEADERS, questions.FUNCTIONS, questions.TYPES, *sized)
    texts = (answers._questions(), answers._calls(("f",)), answers._uses())
    assert VERSIONS[ANSWERS] == canonical.digest([*tables, *texts])
