"""What of a Kconfig fragment a build sees."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from quard.base.errors import QuardError
from quard.base.kconfig_lines import lines, settings

FRAGMENT = b"""\
# The network.
CONFIG_NET=y

  # CONFIG_IPV6 is not set
CONFIG_CMDLINE="a # b"
# CONFIG_NET=n is a remark, and # CONFIG_USB is not set
# CONFIG_USB is not set any more
CONFIG_NAME="\xff"
"""
SETTINGS = b'CONFIG_NET=y\n# CONFIG_IPV6 is not set\nCONFIG_CMDLINE="a # b"\nCONFIG_NAME="\xff"\n'


def test_settings_stay_in_their_order_with_every_byte_of_their_values() -> None:
    assert settings(FRAGMENT, "x") == SETTINGS


def test_settings_are_the_lines_that_a_build_merges() -> None:
    found = lines(FRAGMENT.decode("latin-1"), "x")
    assert "".join(f"{line}\n" for line in found).encode("latin-1") == SETTINGS


@pytest.mark.parametrize(
    "edit",
    [
        lambda text: b"# A remark.\n" + text,
        lambda text: text.replace(b"\n", b"\n\n"),
        lambda text: text.replace(b"\n", b"\r\n"),
        lambda text: text.replace(b"\n", b" \n"),
        lambda text: text.rstrip(),
    ],
    ids=["comment", "empty lines", "CRLF", "blanks", "no newline at the end"],
)
def test_comments_and_blanks_are_not_seen(edit: Callable[[bytes], bytes]) -> None:
    assert settings(edit(FRAGMENT), "x") == SETTINGS


@pytest.mark.parametrize("line", [b"CONFIG_A", b"A=y", b"CONFIG_A = y", b"acme,pins = <1>;"])
def test_another_line_is_refused_with_its_number_in_the_file(line: bytes) -> None:
    with pytest.raises(QuardError) as caught:
        settings(FRAGMENT + line, "packages/linux/x.fragment")
    assert caught.value.reason == "bad-fragment"
    assert caught.value.message == "packages/linux/x.fragment is not a configuration fragment"
    assert caught.value.detail == f"line 9: {line.decode()}"
