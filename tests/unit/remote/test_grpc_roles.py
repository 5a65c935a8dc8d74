"""nginx before buildbox-casd, as docs/remote-cache.md shows it: who may read, and who write."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import casd
import grpc
import nginx
import pytest
from cache_machine import KEY, LIBS, Machine
from casd import Casd, needs_casd
from nginx import Nginx

import company
from quard.base.files import file_sha256

pytestmark = needs_casd
LARGE = os.urandom(3 << 20)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = company.found(tmp_path_factory.mktemp("authority"))
    company.client(folder, "writer", "/O=write/CN=ci")
    company.client(folder, "reader", "/O=team/CN=desk")
    company.client(folder, "schemer", "/O=team/CN=x,O=write")
    company.client(folder, "odd", "/O=write/CN=x,y")
    return folder


@pytest.fixture(autouse=True)
def trusting(authority: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    company.trust(authority, monkeypatch)


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


@dataclass(frozen=True)
class Front:
    """An nginx and the server behind it."""

    nginx: Nginx
    behind: Casd
    authority: Path

    def call(self, client: str, method: str, *fields: bytes) -> grpc.StatusCode:
        """Make a call with the first fields of a message, each a text; return its status."""
        ca, key, pair = (
            (self.authority / name).read_bytes()
            for name in ("ca.pem", f"{client}.key", f"{client}.crt")
        )
        request = b"".join(
            bytes((number << 3 | 2, len(data) & 0x7F | 0x80, len(data) >> 7)) + data
            for number, data in enumerate(fields, 1)
        )
        trust = grpc.ssl_channel_credentials(ca, key, pair)
        with grpc.secure_channel(f"127.0.0.1:{self.nginx.port}", trust) as channel:
            try:
                ask: Any = channel.unary_unary(f"/{method}")
                ask(request, timeout=20)
            except grpc.RpcError as error:
                return cast("grpc.Call", error).code()
        return grpc.StatusCode.OK


@pytest.fixture(params=[nginx.grpc_block, nginx.execution_block], ids=["cache", "execution"])
def shown(request: pytest.FixtureRequest, authority: Path, tmp_path: Path) -> Iterator[Front]:
    """Each of the pages' servers."""
    with casd.running(tmp_path / "casd", instance="main") as behind:
        block = partial(request.param, authority, behind.port)
        with nginx.running(tmp_path / "nginx", block) as found:
            yield Front(found, behind, authority)


SERVICES = "build.bazel.remote.execution.v2"
FILES = "build.buildgrid.LocalContentAddressableStorage"


@pytest.mark.parametrize("client", ["reader", "writer"])
def test_files_of_the_servers_machine_cannot_be_reached(
    shown: Front, tmp_path: Path, client: str
) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(LARGE[:100])
    said = shown.call(client, f"{FILES}/CaptureFiles", b"main", os.fsencode(secret))
    assert said is grpc.StatusCode.PERMISSION_DENIED
    assert not shown.behind.blob(file_sha256(secret)).exists()
    said = shown.call(client, f"{SERVICES}.Capabilities/GetCapabilities", b"main")
    assert said is grpc.StatusCode.OK


def test_a_comma_in_a_name_makes_nobody_a_writer(shown: Front) -> None:
    method = f"{SERVICES}.ContentAddressableStorage/BatchUpdateBlobs"
    for name in ("reader", "schemer"):
        assert shown.call(name, method, b"main") is grpc.StatusCode.PERMISSION_DENIED
    for name in ("writer", "odd"):
        assert shown.call(name, method, b"main") is grpc.StatusCode.OK
