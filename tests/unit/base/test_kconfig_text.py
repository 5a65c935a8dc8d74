"""The lines of Kconfig fragments."""

from __future__ import annotations

import pytest

from quard.base.errors import QuardError
from quard.base.kconfig_text import settings


def test_symbols_and_values_are_returned_in_order() -> None:
    text = "# why\n\nCONFIG_B=m\n# CONFIG_A is not set\nCONFIG_C=n\n"
    assert settings(text, "f") == [("CONFIG_B", "m"), ("CONFIG_A", None), ("CONFIG_C", None)]


def test_another_line_is_refused_with_the_file_and_the_number() -> None:
    with pytest.raises(QuardError) as caught:
        settings("CONFIG_X=y\nVLAN=y\n", "acme:configs/x.fragment")
    assert caught.value.reason == "bad-fragment"
    assert caught.value.message == "acme:configs/x.fragment is not a configuration fragment"
    assert caught.value.detail == "line 2: VLAN=y"
