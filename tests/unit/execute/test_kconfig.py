"""Kconfig: what is asked for is laid over, and a line that vanished is named with its cause."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from quard.base.errors import QuardError
from quard.execute.kconfig import (
    RELIED,
    ConfigLine,
    check,
    lay_over,
    merge,
    modular,
    parse,
    relied,
    unsatisfied,
    vanished,
)

TOP = Path(__file__).resolve().parents[3]
CONFIG = """\
#
# Automatically generated file; DO NOT EDIT.
#
CONFIG_A=y
# CONFIG_B is not set
CONFIG_NAME="old name"
CONFIG_AB=m
"""


def asked(*lines: str, origin: str = "x.fragment") -> dict[str, ConfigLine]:
    return merge(parse("\n".join(lines), origin))


def test_a_fragment_has_settings_unset_lines_comments_and_empty_lines() -> None:
    text = '# why\n\nCONFIG_A=y\n  CONFIG_B="a b=c"  \n# CONFIG_C is not set\nCONFIG_D=0x10\n#\n'
    assert parse(text, "f") == (
        ConfigLine("CONFIG_A", "y", "f"),
        ConfigLine("CONFIG_B", '"a b=c"', "f"),
        ConfigLine("CONFIG_C", None, "f"),
        ConfigLine("CONFIG_D", "0x10", "f"),
    )


def test_n_is_another_way_of_saying_not_set() -> None:
    assert parse("CONFIG_A=n", "f") == (ConfigLine("CONFIG_A", None, "f"),)
    assert str(parse("CONFIG_A=n", "f")[0]) == "# CONFIG_A is not set"


@pytest.mark.parametrize(
    "line", ["CONFIG_A", "A=y", "CONFIG_A = y", "CONFIG_=y", "CONFIG_A y", "config_a=y"]
)
def test_another_line_is_refused_with_its_number(line: str) -> None:
    with pytest.raises(QuardError) as caught:
        parse(f"CONFIG_X=y\n{line}\n", "x.fragment")
    assert caught.value.reason == "bad-fragment"
    assert caught.value.message == "x.fragment is not a configuration fragment"
    assert caught.value.detail == f"line 2: {line}"


def test_a_configuration_is_modular_if_anything_is_a_module_or_can_be_loaded() -> None:
    assert modular(CONFIG)
    assert modular("CONFIG_A=y\nCONFIG_MODULES=y\n")
    assert not modular("CONFIG_A=y\n# CONFIG_MODULES is not set\n")
    assert not modular(CONFIG.replace("CONFIG_AB=m", 'CONFIG_AB="m"\n# CONFIG_M=m'))
    assert not modular("")


def test_the_last_request_for_a_symbol_counts() -> None:
    merged = merge((*parse("CONFIG_A=y\nCONFIG_B=y", "one"), *parse("CONFIG_A=m", "two")))
    assert list(merged) == ["CONFIG_A", "CONFIG_B"]
    assert merged["CONFIG_A"] == ConfigLine("CONFIG_A", "m", "two")


def test_requests_take_the_place_of_the_lines_for_their_symbols_only() -> None:
    laid = lay_over(CONFIG, asked("CONFIG_A=n", "CONFIG_B=m", 'CONFIG_NEW="x"'))
    lines = laid.splitlines()
    assert lines.count("# CONFIG_A is not set") == 1
    assert lines.count("CONFIG_B=m") == 1
    assert 'CONFIG_NEW="x"' in lines
    assert 'CONFIG_NAME="old name"' in lines
    assert "CONFIG_AB=m" in lines
    assert "CONFIG_A=y" not in lines
    assert "# CONFIG_B is not set" not in lines
    assert "# Automatically generated file; DO NOT EDIT." in lines
    assert laid.endswith("\n")


def test_what_was_laid_over_is_never_reported_as_vanished() -> None:
    random_ = random.Random(5)
    for _ in range(200):
        lines = []
        for letter in random_.sample("ABCDEFG", 4):
            value = random_.choice(("y", "m", "n", '"text"', "7"))
            lines.append(f"CONFIG_{letter}={value}")
        requests = asked(*lines)
        laid = lay_over(CONFIG, requests)
        assert vanished(laid, requests) == ()
        assert lay_over(laid, requests) == laid


def test_a_line_that_vanished_is_named_with_origin_and_cause(tmp_path: Path) -> None:
    (tmp_path / "Kconfig").write_text("config GONE\n\tbool\n\tdepends on B && C # both\n")
    requests = asked("CONFIG_A=y", "CONFIG_B=y", "CONFIG_GONE=y", 'CONFIG_NAME="new"')
    with pytest.raises(QuardError) as caught:
        check(CONFIG, requests, "busybox", tmp_path)
    assert caught.value.reason == "kconfig-line-vanished"
    assert caught.value.message == (
        "busybox: 3 requested configuration lines are not in the result"
    )
    assert caught.value.detail.splitlines() == [
        "x.fragment: CONFIG_B=y",
        "  found: # CONFIG_B is not set",
        "x.fragment: CONFIG_GONE=y",
        "  found: no such line: it depends on (B && C)",
        'x.fragment: CONFIG_NAME="new"',
        '  found: CONFIG_NAME="old name"',
    ]


def test_one_line_that_vanished_is_told_in_the_singular(tmp_path: Path) -> None:
    with pytest.raises(QuardError) as caught:
        check(CONFIG, asked("CONFIG_B=y"), "linux", tmp_path)
    assert caught.value.message == "linux: 1 requested configuration line is not in the result"


def test_a_symbol_that_is_absent_fulfils_a_wish_to_have_it_off() -> None:
    assert vanished(CONFIG, asked("# CONFIG_NOWHERE is not set", "CONFIG_ELSE=n")) == ()


def test_a_symbol_that_is_on_does_not_fulfil_a_wish_to_have_it_off() -> None:
    ((request, found),) = vanished(CONFIG, asked("# CONFIG_A is not set"))
    assert (request.symbol, found) == ("CONFIG_A", "CONFIG_A=y")


def test_a_fulfilled_configuration_passes(tmp_path: Path) -> None:
    check(CONFIG, asked("CONFIG_A=y", 'CONFIG_NAME="old name"', "CONFIG_B=n"), "x", tmp_path)


@pytest.mark.parametrize(
    "path", sorted(TOP.glob("packages/*/*.fragment")), ids=lambda path: path.parent.name
)
def test_the_projects_fragments_are_read_and_ask_for_each_symbol_once(path: Path) -> None:
    requests = parse(path.read_text(encoding="utf-8"), path.name)
    assert requests
    symbols = [request.symbol for request in requests]
    assert [symbol for symbol in symbols if symbols.count(symbol) > 1] == []


def test_what_packages_rely_on_is_met_by_a_module_unless_it_must_be_built_in() -> None:
    assert vanished("CONFIG_A=m\n", merge([relied("A")])) == ()
    assert vanished("CONFIG_A=y\n", merge([relied("A")])) == ()
    ((request, shown),) = vanished("CONFIG_A=m\n", merge([relied("A=y")]))
    assert (str(request), request.origin, shown) == ("CONFIG_A=y", RELIED, "CONFIG_A=m")
    assert vanished("# CONFIG_A is not set\n", merge([relied("A=n")])) == ()


@pytest.mark.parametrize("config", ["", "# CONFIG_A is not set\n"])
def test_an_option_that_packages_rely_on_and_that_is_not_there_is_named(
    config: str, tmp_path: Path
) -> None:
    with pytest.raises(QuardError) as caught:
        check(config, merge([relied("A")]), "linux 6", tmp_path)
    assert caught.value.reason == "kconfig-line-vanished"
    assert caught.value.detail.startswith(f"{RELIED}: CONFIG_A=y\n")


def test_a_module_in_the_base_configuration_stays_one_if_that_is_enough() -> None:
    requests = merge([relied("A"), relied("B"), relied("C=y")])
    base = "CONFIG_A=m\nCONFIG_C=m\n"
    assert lay_over(base, unsatisfied(base, requests)) == "CONFIG_A=m\nCONFIG_B=y\nCONFIG_C=y\n"
