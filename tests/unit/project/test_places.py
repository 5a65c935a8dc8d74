"""The folders that a build writes to: which they are, and that they are tried."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from quard.base.errors import QuardError
from quard.project import places
from quard.store.local import Store

PASSWD = Path(pwd.getpwuid(os.getuid()).pw_dir)


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be a user that passwd(5) does not have, as in many containers."""
    monkeypatch.setattr(os, "getuid", lambda: 3_999_999_999)


@pytest.mark.parametrize("environ", [{}, {"HOME": ""}, {"HOME": "relative"}, {"HOME": "."}])
def test_without_a_home_in_the_environment_passwd_has_the_word(environ: dict[str, str]) -> None:
    assert places.home(environ) == PASSWD
    assert places.home({"HOME": "/somewhere"}) == Path("/somewhere")


@pytest.mark.usefixtures("nobody")
def test_a_user_whom_nothing_gives_a_home_has_none() -> None:
    assert places.home({}) is None
    assert places.home({"HOME": ""}) is None
    assert places.home({"HOME": "/somewhere"}) == Path("/somewhere")


def test_the_cache_is_the_users_own_and_never_in_the_checkout_by_accident(tmp_path: Path) -> None:
    home = Path("/home/me")
    for environ, wanted in (
        ({}, "/home/me/.cache/quardroot"),
        ({"XDG_CACHE_HOME": "/var/cache/me"}, "/var/cache/me/quardroot"),
        ({"XDG_CACHE_HOME": "relative"}, "/home/me/.cache/quardroot"),
        ({"XDG_CACHE_HOME": ""}, "/home/me/.cache/quardroot"),
        ({"CI": "true"}, f"{tmp_path}/.cache"),
        ({"CI": "false"}, "/home/me/.cache/quardroot"),
    ):
        assert places.cache(tmp_path, environ, home) == Path(wanted)
    assert places.cache(tmp_path, {"CI": "1"}, None) == tmp_path / ".cache"


def test_without_a_home_the_setting_that_names_a_cache_is_told(tmp_path: Path) -> None:
    with pytest.raises(QuardError) as caught:
        places.cache(tmp_path, {"HOME": ""}, None)
    assert caught.value.reason == "no-home"
    assert "cache.dir=" in caught.value.hint and "local.toml" in caught.value.hint


def test_folders_that_can_be_written_are_made_and_nothing_is_left_in_them(tmp_path: Path) -> None:
    out, store = tmp_path / "out", Store(tmp_path / "cache/store")
    places.require_out(out, "tiny")
    places.require(out, "tiny", ("one",), (store, Store(out / "store")), ())
    places.require_sources(tmp_path / "cache/sources", ("one",))
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == [
        store.root / "tmp/.lock",
        out / "store/tmp/.lock",
    ]


def test_a_file_in_the_place_of_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("")
    with pytest.raises(QuardError) as caught:
        places.require(tmp_path / "out", "tiny", (), (Store(tmp_path / "cache/store"),), ())
    assert caught.value.reason == "not-writable"
    assert f"{tmp_path}/cache" in caught.value.detail and "cache.dir=" in caught.value.detail
    with pytest.raises(QuardError) as caught:
        places.require_sources(tmp_path / "cache/sources", ())
    assert "cache.dir=" in caught.value.detail


def test_an_out_folder_that_is_a_link_to_nowhere_is_named(tmp_path: Path) -> None:
    (tmp_path / "out").symlink_to("elsewhere")
    with pytest.raises(QuardError) as caught:
        places.require_out(tmp_path / "out", "tiny")
    assert (caught.value.reason, caught.value.hint) == (
        "not-writable",
        "create that folder, or remove the link",
    )
    (tmp_path / "elsewhere").mkdir()
    places.require_out(tmp_path / "out", "tiny")
