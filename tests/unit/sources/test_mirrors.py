"""quard.sources.mirrors: what `debian:` and the user's mirrors mean on this machine."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from quard import sites
from quard.sources import mirrors
from quard.sources.attempt import Failed
from quard.sources.mirrors import Locations, expand


@pytest.fixture
def apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make the machine's apt a script of ours: its output is in `targets`, each run in `runs`."""
    monkeypatch.setattr(mirrors, "_ARCHIVE", mirrors._Archive())
    script = tmp_path / "bin" / "apt-get"
    script.parent.mkdir()
    script.write_text(
        f'#!/bin/sh\ncd {tmp_path}\necho "$@" >> runs\ncat targets\nexit $(cat status)\n'
    )
    script.chmod(0o755)
    (tmp_path / "status").write_text("0")
    monkeypatch.setenv("PATH", f"{script.parent}:/usr/bin:/bin")
    return tmp_path


def test_each_base_of_debians_archive_gives_one_address(apt: Path) -> None:
    (apt / "targets").write_text(
        "Debian\thttp://one/debian/\thttp://one/debian\n"
        "Debian\thttp://one/debian/\thttp://one/debian\n"
        "Other\thttp://other/\thttp://other\n"
        "\thttp://unread/\thttp://unread\n"
        "Debian\t$(REPO_URI)\thttps://two/debian\n"
    )
    assert expand("debian:pool/main/z/zlib/zlib_1.3.orig.tar.gz", {}) == (
        "http://one/debian/pool/main/z/zlib/zlib_1.3.orig.tar.gz",
        "https://two/debian/pool/main/z/zlib/zlib_1.3.orig.tar.gz",
    )


def test_apt_is_asked_once_for_all_addresses(apt: Path) -> None:
    (apt / "targets").write_text("Debian\thttp://one/debian/\t\n")
    assert expand("debian:a", {}) == ("http://one/debian/a",)
    assert expand("debian:/b", {}) == ("http://one/debian/b",)
    assert len((apt / "runs").read_text().splitlines()) == 1


def test_apt_is_not_asked_for_other_addresses(apt: Path) -> None:
    assert expand("https://example.org/a", {}) == ("https://example.org/a",)
    assert not (apt / "runs").exists()


def test_methods_of_apt_that_others_do_not_have_are_translated_or_left_out(apt: Path) -> None:
    listed = apt / "mirror list"
    listed.write_text("# ours\n\nhttp://near/debian/\tpriority:1\nftp://far/debian\n")
    (apt / "targets").write_text(
        f"Debian\tmirror+file:{listed}/\t\n"
        "Debian\tmirror+file:/no/such/list/\t\n"
        "Debian\tfile:/srv/de bian/\t\n"
        "Debian\tcdrom://x/\t\n"
    )
    assert expand("debian:a", {}) == ("http://near/debian/a", "file:///srv/de%20bian/a")


def test_a_machine_without_apt_has_no_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirrors, "_ARCHIVE", mirrors._Archive())
    monkeypatch.setenv("PATH", str(tmp_path))
    assert expand("debian:a", {}) == ()


def test_an_apt_that_fails_or_has_read_no_index_gives_no_archive(
    apt: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (apt / "targets").write_text("")
    assert expand("debian:a", {}) == ()
    monkeypatch.setattr(mirrors, "_ARCHIVE", mirrors._Archive())
    (apt / "targets").write_text("Debian\thttp://one/debian/\t\n")
    (apt / "status").write_text("100")
    assert expand("debian:a", {}) == ()


def test_the_machines_own_apt_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    if not shutil.which("apt-get"):
        pytest.skip("no apt on this machine")
    monkeypatch.setattr(mirrors, "_ARCHIVE", mirrors._Archive())
    answer = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(ORIGIN)"], capture_output=True, check=True
    )
    if b"Debian" not in answer.stdout.splitlines():
        pytest.skip("this machine's apt knows no archive of Debian")
    addresses = expand("debian:pool/x", {})
    assert addresses
    assert len(set(addresses)) == len(addresses)
    for address in addresses:
        assert address.endswith("/pool/x")
        assert "//pool" not in address


def test_mirrors_hold_files_side_by_side() -> None:
    where = Locations(mirrors=("http://a/src/", "file:///srv/b"))
    assert where.mirrored("zlib_1.3.dfsg+really~1 x.tar.gz") == (
        "http://a/src/zlib_1.3.dfsg+really~1%20x.tar.gz",
        "file:///srv/b/zlib_1.3.dfsg+really~1%20x.tar.gz",
    )


def test_the_settings_bases_of_a_site_come_before_the_known_ones() -> None:
    where = Locations(sites={"gnu": ("https://near/gnu/",)}, debian=("https://deb",))
    first, *others = where.expand("gnu:x/x-1.tar.gz")
    assert first == "https://near/gnu/x/x-1.tar.gz"
    assert others == [f"{base}/x/x-1.tar.gz" for base in sites.bases()["gnu"]]


def test_the_settings_bases_of_debian_come_before_those_of_the_tools(apt: Path) -> None:
    (apt / "targets").write_text("Debian\thttp://one/debian/\t\n")
    where = Locations(sites={"debian": ("https://near",)}, debian=("https://tools",))
    assert where.expand("debian:pool/x") == (
        "https://near/pool/x",
        "https://tools/pool/x",
        "http://one/debian/pool/x",
    )


def test_an_unknown_site_is_a_failure_of_its_address() -> None:
    with pytest.raises(Failed, match="unknown site 'nowhere'"):
        Locations().expand("nowhere:x/y.tar")


def test_sites_of_product_trees_are_known_and_come_before_quardroots() -> None:
    trees = {"acme": ("https://acme/src", "https://two"), "gnu": ("https://near",)}
    where = Locations(sites={"acme": ("file:///srv",)}, trees=trees)
    assert where.expand("acme:x.tar") == (
        "file:///srv/x.tar",
        "https://acme/src/x.tar",
        "https://two/x.tar",
    )
    assert where.expand("gnu:x.tar") == ("https://near/x.tar",)
