"""nginx before buildbox-casd, as docs/remote-cache.md shows it: who may read, and who write."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import casd
import nginx
import pytest
from cache_machine import KEY, LIBS, Machine
from casd import needs_casd
from nginx import Nginx

import company

pytestmark = needs_casd
LARGE = os.urandom(3 << 20)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = company.found(tmp_path_factory.mktemp("authority"))
    company.client(folder, "writer", "/O=write/CN=ci")
    company.client(folder, "reader", "/O=team/CN=desk")
    return folder


@pytest.fixture(autouse=True)
def trusting(authority: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority / "ca.pem"))


@pytest.fixture
def front(authority: Path, tmp_path: Path) -> Iterator[Nginx]:
    with casd.running(tmp_path / "casd", instance="quardroot") as behind:
        block = partial(nginx.grpc_block, authority, behind.port)
        with nginx.running(tmp_path / "nginx", block) as found:
            yield found


def address(front: Nginx) -> str:
    return f"grpcs://127.0.0.1:{front.port}/quardroot"


@pytest.mark.parametrize("libs", [LIBS, LARGE], ids=["small", "large"])
def test_writers_send_and_readers_take(
    front: Nginx, authority: Path, tmp_path: Path, libs: bytes
) -> None:
    writer = Machine(tmp_path / "a", address(front), certificate=authority / "writer.pem")
    record = writer.build(libs)
    assert writer.remote.finish().startswith("sent 1 results")
    reader = Machine(tmp_path / "b", address(front), certificate=authority / "reader.pem")
    assert reader.stores.record(KEY) == record
    found = reader.stores.blob(record["blobs"]["libs"])
    assert found and found.read_bytes() == libs
    assert writer.said == reader.said == []


@pytest.mark.parametrize("libs", [LIBS, LARGE], ids=["small", "large"])
def test_readers_send_nothing_and_are_told_why(
    front: Nginx, authority: Path, tmp_path: Path, libs: bytes
) -> None:
    reader = Machine(tmp_path / "b", address(front), certificate=authority / "reader.pem")
    reader.build(libs)
    said = reader.remote.finish()
    assert "takes no results: PERMISSION_DENIED" in said and reader.said == []
    writer = Machine(tmp_path / "a", address(front), certificate=authority / "writer.pem")
    assert writer.stores.record(KEY) is None and writer.said == []


def test_others_may_not_even_read(front: Nginx, tmp_path: Path) -> None:
    stranger = Machine(tmp_path / "c", address(front))
    assert stranger.stores.record(KEY) is None
    assert len(stranger.said) == 1 and "not used any more" in stranger.said[0]


def test_a_server_behind_that_is_gone_is_an_outage(authority: Path, tmp_path: Path) -> None:
    block = partial(nginx.grpc_block, authority, 9)
    with nginx.running(tmp_path / "nginx", block) as alone:
        one = Machine(tmp_path / "d", address(alone), certificate=authority / "reader.pem")
        assert one.stores.record(KEY) is None
        assert len(one.said) == 1 and "502" in one.said[0]
