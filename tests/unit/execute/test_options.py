"""Options that CMake and Meson report as unknown, in their own words."""

from __future__ import annotations

from pathlib import Path

import pytest

from quard.base.errors import QuardError
from quard.execute.buildlog import BuildLog
from quard.execute.options import require_known
from quard.plan.plan import Plan

PLAN = Plan(name="thing", version="1", triple="t")
CMAKE = """\
-- Configuring done (0.1s)
-- Generating done (0.0s)
CMake Warning:
  Manually-specified variables were not used by the project:

    NOT_LOUD
    SMALL


-- Build files have been written to: /quard/src/quardroot-build
"""
MESON = 'meson.build:1:0: ERROR: Unknown option: "loud"\n'
CACHE = "//a mark\nLOUD:BOOL=OFF\n\n//Ignored\nNOT_LOUD:UNINITIALIZED=ON\n"


def require(tmp_path: Path, argv: tuple[str, ...], text: str, before: str = "") -> None:
    path = tmp_path / "log"
    path.write_text(before + text)
    with path.open("rb") as file:
        require_known(PLAN, argv, BuildLog(file, "out/log"), len(before.encode()), tmp_path)


@pytest.mark.parametrize(
    ("argv", "text", "lines"),
    [
        (("cmake", "-S", "."), CMAKE, ["NOT_LOUD", "SMALL"]),
        (("meson", "setup"), MESON, ["loud"]),
        (("meson", "setup"), 'ERROR: Unknown options: "a, b"\n', ["a", "b"]),
    ],
)
def test_each_unknown_option_is_named(
    tmp_path: Path, argv: tuple[str, ...], text: str, lines: list[str]
) -> None:
    with pytest.raises(QuardError) as found:
        require(tmp_path, argv, text)
    assert found.value.reason == "unknown-build-option"
    assert found.value.detail.splitlines()[: len(lines) + 1] == [
        *lines,
        f"command: {' '.join(argv)}",
    ]


def test_a_similar_option_of_the_project_is_suggested(tmp_path: Path) -> None:
    (tmp_path / "CMakeCache.txt").write_text(CACHE)
    with pytest.raises(QuardError) as found:
        require(tmp_path, ("cmake",), CMAKE)
    assert found.value.detail.splitlines()[:2] == ["NOT_LOUD: did you mean LOUD?", "SMALL"]


@pytest.mark.parametrize(
    ("argv", "text"),
    [
        (("cmake",), CMAKE.partition("CMake Warning")[0]),
        (("./configure",), CMAKE),
        (("meson", "setup"), "meson.build:4:0: ERROR: Dependency not found\n"),
    ],
)
def test_other_output_says_nothing_about_options(
    tmp_path: Path, argv: tuple[str, ...], text: str
) -> None:
    require(tmp_path, argv, text)


def test_what_an_earlier_command_printed_is_not_read(tmp_path: Path) -> None:
    require(tmp_path, ("cmake",), "-- Configuring done\n", before=CMAKE)
