"""quard.sites: what named sites stand for, and that the table of them is in order."""

from __future__ import annotations

import re

import pytest

from quard import sites


def test_an_address_on_a_site_is_one_on_each_of_its_bases() -> None:
    assert sites.expand("gnu:bash/bash-5.3.tar.gz", {}) == tuple(
        f"{base}/bash/bash-5.3.tar.gz" for base in sites.bases()["gnu"]
    )
    assert sites.expand("gnu:/x", {})[0] == "https://ftp.gnu.org/gnu/x"


@pytest.mark.parametrize("address", ["https://a/b:c", "file:///a", "debian:pool/x", "pypi:six/x"])
def test_other_addresses_stand_for_themselves(address: str) -> None:
    assert sites.expand(address, {}) == (address,)


def test_the_site_of_a_repository_is_expanded_too() -> None:
    assert sites.expand("git+github:o/n.git#x", {}) == ("git+https://github.com/o/n.git#x",)


def test_an_unknown_site_is_an_error() -> None:
    with pytest.raises(KeyError):
        sites.expand("nowhere:x", {})


@pytest.mark.parametrize(
    "address", ["https://a/b/c.tar", "gnu:b/c.tar", "gnu:c.tar", "file:///c.tar"]
)
def test_a_files_name_is_what_follows_the_last_folder_or_the_site(address: str) -> None:
    assert sites.file_name(address) == "c.tar"


def test_the_table_has_complete_addresses_without_a_slash_at_their_end() -> None:
    found = sites.bases()
    assert list(found)[:-2] == sorted(list(found)[:-2])
    for name, bases in found.items():
        assert re.fullmatch("[a-z0-9]+", name)
        assert bool(bases) != (name in (sites.DEBIAN, sites.PYPI))
        for base in bases:
            assert re.fullmatch(r"https://[^\s]+[^/\s]", base)
        assert len(set(bases)) == len(bases)
