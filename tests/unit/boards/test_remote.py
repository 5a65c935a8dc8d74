"""[remote] in local.toml."""

from __future__ import annotations

from pathlib import Path

import pytest

from quard.base.errors import QuardError
from quard.boards import settings
from quard.boards.remote import Remote

URL = "grpcs://build.example/main"


def load(project: Path, **arguments: str) -> Remote | None:
    named = {f"remote.{key}": text for key, text in arguments.items()}
    return settings.load(project, named, None).remote


def refused(project: Path, **arguments: str) -> str:
    with pytest.raises(QuardError) as caught:
        load(project, **arguments)
    assert caught.value.reason == "bad-setting"
    return caught.value.message


def test_nothing_is_built_elsewhere_unless_that_is_asked_for(tmp_path: Path) -> None:
    assert load(tmp_path) is None
    assert load(tmp_path, url=URL) is None
    assert load(tmp_path, url=URL, execute="no") is None


def test_workers_are_described(tmp_path: Path) -> None:
    expected = Remote(url=URL, jobs=4, queue=120, certificate=None)
    assert load(tmp_path, url=f"{URL}/", execute="true") == expected
    (tmp_path / "me.pem").touch()
    text = f'[remote]\nurl = "{URL}"\nexecute = true\njobs = 9\nqueue = 7\ncertificate = "me.pem"\n'
    (tmp_path / "local.toml").write_text(text)
    assert load(tmp_path) == Remote(url=URL, jobs=9, queue=7, certificate=tmp_path / "me.pem")


@pytest.mark.parametrize(
    "url", ["https://build.example", "grpc://build.example", "grpcs://", "build.example:1"]
)
def test_an_address_is_one_of_the_protocol(tmp_path: Path, url: str) -> None:
    assert "remote.url is not an address" in refused(tmp_path, url=url, execute="true")


@pytest.mark.parametrize(
    ("key", "text"), [("jobs", "0"), ("jobs", "1001"), ("queue", "0"), ("queue", "x")]
)
def test_numbers_have_limits(tmp_path: Path, key: str, text: str) -> None:
    assert f"remote.{key} must be" in refused(tmp_path, url=URL, **{key: text})


def test_execution_needs_an_address(tmp_path: Path) -> None:
    assert "remote.execute needs the address" in refused(tmp_path, execute="true")
