"""Placeholders in files beside a recipe."""

from __future__ import annotations

import pytest

from quard.base.filling import filled, names

VALUES = {"version": "1.2", "prefix": "/usr", "openssl.target": "linux64"}


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        ("Version: {version}\n", "Version: 1.2\n"),
        ("prefix={prefix}\nlibdir=${prefix}/lib", "prefix=/usr\nlibdir=${prefix}/lib"),
        ("{openssl.target}-{version}{version}", "linux64-1.21.2"),
        ("{{version}} is {version}", "{version} is 1.2"),
        ("{{anything}} {{{prefix}}}", "{anything} {{prefix}}"),
        ("${{version}}", "${version}"),
        ('{"version": {version}}', '{"version": 1.2}'),
        (
            "int f(void) { return 0; }\nawk { print }\n",
            "int f(void) { return 0; }\nawk { print }\n",
        ),
        ("{0} {} {a b} {a-b} {\n}", "{0} {} {a b} {a-b} {\n}"),
        ("", ""),
    ],
)
def test_names_in_braces_are_replaced_and_nothing_else(content: str, wanted: str) -> None:
    assert filled(content.encode(), VALUES).decode() == wanted


def test_other_bytes_stay_as_they_are() -> None:
    content = b"\xff\xfe {version}\r\n\0\x0c\x85 no end of line"
    assert filled(content, VALUES) == content.replace(b"{version}", b"1.2")


def test_a_value_is_not_replaced_again() -> None:
    assert filled(b"{version}", {"version": "{prefix}", "prefix": "/usr"}) == b"{prefix}"


def test_names_are_found_with_their_lines() -> None:
    content = b"{version}\n{{no}} ${no} {x y}\n\n{PREFIX} {openssl.target}\n"
    assert names(content) == ((1, "version"), (4, "PREFIX"), (4, "openssl.target"))


def test_all_that_is_replaced_is_found() -> None:
    """So that no name without a value reaches a build."""
    with pytest.raises(KeyError):
        filled(b"{strange}", VALUES)
    assert names(b"{strange}") == ((1, "strange"),)
