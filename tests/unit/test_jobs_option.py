"""Which numbers of jobs are refused."""

from __future__ import annotations

import pytest

from quard.base.errors import QuardError
from site_tools.quardroot.jobs import require


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
    ],
)
def test_others_are_refused(words: list[str], value: str) -> None:
    with pytest.raises(QuardError) as caught:
        require(words)
    assert caught.value.reason == "bad-jobs"
    assert caught.value.message == f"-j{value} is not a number of jobs"
