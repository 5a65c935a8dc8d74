"""Which numbers of jobs are refused."""

from __future__ import annotations

import importlib

import pytest

from quard.base.errors import QuardError
from site_tools.quardroot.jobs import LONG_WITH_VALUE, WITH_VALUE, require, values


@pytest.mark.parametrize(
    "words",
    [
        *(
            ["-j1"],
            ["-j", "2"],
            ["--jobs=3"],
            ["--jobs", "4"],
            ["-j", "8", "zlib"],
            ["zlib", "-j8"],
        ),
        *(["-kj2"], ["-kj", "2"], ["-C", "-jx"], ["-Cjx"], ["--directory", "-jx"], ["--", "-jx"]),
        *(["-kC", "-jx"], ["--debug=-jx"], ["-k", "--tree", "--jobs=x"]),
        *(["-j010"], ["-j0x10"], ["-j0b11"], ["-j", "2", "-j", "3"], ["-k", "list"], ["x=-j0"]),
    ],
)
def test_numbers_that_scons_reads_pass(words: list[str]) -> None:
    require(words)


@pytest.mark.parametrize(
    ("words", "value"),
    [
        (["-j"], ""),
        (["-jx"], "x"),
        (["-j", "x"], "x"),
        (["-j", "zlib", "x=y"], "zlib"),
        (["--jobs=x"], "x"),
        (["--jobs="], ""),
        (["--jobs"], ""),
        (["--jobs", "-1"], "-1"),
        (["-j0"], "0"),
        (["-j", "0"], "0"),
        (["-j-1"], "-1"),
        (["-j08"], "08"),
        (["-j1.5"], "1.5"),
        (["-j2", "zlib", "-jx"], "x"),
        (["-j" + 5000 * "9"], 5000 * "9"),
        (["-kjx"], "x"),
        (["-kj", "x"], "x"),
        (["-kj"], ""),
        (["-skj0"], "0"),
        (["-C", "folder", "-jx"], "x"),
        (["--directory=folder", "-jx"], "x"),
        (["-k", "-jx", "--"], "x"),
    ],
)
def test_others_are_refused(words: list[str], value: str) -> None:
    with pytest.raises(QuardError) as caught:
        require(words)
    assert caught.value.reason == "bad-jobs"
    assert caught.value.message == f"-j{value} is not a number of jobs"


def test_the_options_with_a_value_are_those_of_scons() -> None:
    parsing = importlib.import_module("SCons.Script.SConsOptions")
    options = [each for each in parsing.Parser("1").option_list if each.takes_value()]
    assert {f"-{letter}" for letter in WITH_VALUE} == {n for o in options for n in o._short_opts}
    required = [each for each in options if each.nargs != "?"]
    assert {*LONG_WITH_VALUE} == {name for each in required for name in each._long_opts}


def test_a_request_for_one_job_is_found_among_other_letters() -> None:
    assert [*values(["-kj1", "--jobs=2", "-j", "3"])] == ["1", "2", "3"]
    assert [*values(["zlib", "-k", "x=-j1"])] == []
