"""quard.remote.cas: blobs of buildbox-casd, and of a server that fails."""

from __future__ import annotations

import hashlib
import io
import itertools
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import casd
import grpc
import grpc_client
import pytest
import reapi_server
from casd import Casd, needs_casd
from grpc_client import FAST, USUAL
from reapi_server import State, first

from quard.remote.cas import Blob, Cas
from quard.remote.link import Limits, Unusable

SMALL, LARGE = os.urandom(1000), os.urandom(3 << 20)


class Client(grpc_client.Client):
    def __init__(self, base: str, limits: Limits = USUAL) -> None:
        super().__init__(base, limits=limits)
        self.cas = Cas(self.channel)

    def read(self, sha256: str, size: int) -> bytes | None:
        out = io.BytesIO(b"leftover of an earlier attempt")
        return out.getvalue() if self.cas.read(sha256, size, out) else None


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Casd]:
    with casd.running(tmp_path_factory.mktemp("casd") / "x") as found:
        yield found


@pytest.fixture
def state() -> Iterator[State]:
    with reapi_server.running() as found:
        yield found


@pytest.fixture
def client(state: State) -> Client:
    return Client(state.base)


@needs_casd
@pytest.mark.parametrize("size", [0, 1, 1000, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 20 << 20])
def test_a_blob_of_any_size_is_written_and_read(real: Casd, tmp_path: Path, size: int) -> None:
    client, blob = Client(real.address), Blob.of(os.urandom(size))
    (tmp_path / "x").write_bytes(blob.content if isinstance(blob.content, bytes) else b"")
    if size:
        assert client.cas.missing({blob.sha256: size}) == {blob.sha256}
    assert client.cas.write([blob._replace(content=tmp_path / "x")])
    assert client.cas.missing({blob.sha256: size}) == frozenset()
    assert client.read(blob.sha256, size) == blob.content
    assert client.cas.write([blob]), "it is there already"
    assert client.said == []


@needs_casd
def test_many_blobs_are_written_in_few_requests(real: Casd) -> None:
    client = Client(real.address)
    blobs = [Blob.of(os.urandom(100 << 10)) for _ in range(100)]
    assert client.cas.write(blobs)
    sizes = {blob.sha256: blob.size for blob in blobs}
    assert client.cas.missing({**sizes, "a" * 64: 5}) == {"a" * 64}
    assert [client.read(blob.sha256, blob.size) for blob in blobs] == [b.content for b in blobs]


@needs_casd
def test_five_thousand_blobs_are_one_question(real: Casd) -> None:
    client = Client(real.address)
    sizes = {hashlib.sha256(b"no %d" % number).hexdigest(): number for number in range(5000)}
    assert client.cas.missing(sizes) == sizes.keys()


@needs_casd
@pytest.mark.parametrize("size", [1000, 3 << 20])
def test_a_blob_that_is_not_there_is_false(real: Casd, size: int) -> None:
    client = Client(real.address)
    assert client.read("b" * 64, size) is None
    assert client.said == []


@needs_casd
def test_another_instance_is_an_outage(real: Casd) -> None:
    client = Client(real.address + "x")
    with pytest.raises(Unusable):
        client.read("b" * 64, 3)
    assert "quardx" in client.said[0]


@needs_casd
def test_several_threads_use_one_channel(real: Casd) -> None:
    client = Client(real.address)
    blobs = [Blob.of(os.urandom(2 << 20)) for _ in range(8)]
    found: list[bytes | None] = []

    def work(blob: Blob) -> None:
        client.cas.write([blob])
        found.append(client.read(blob.sha256, blob.size))

    threads = [threading.Thread(target=work, args=(blob,)) for blob in blobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(bytes, filter(None, found))) == sorted(blob.read() for blob in blobs)


def test_small_blobs_respect_the_limit_of_the_server(state: State, client: Client) -> None:
    state.capabilities.cache_capabilities.max_batch_total_size_bytes = 5000
    blobs = [Blob.of(os.urandom(1000)) for _ in range(10)] + [Blob.of(os.urandom(6000))]
    assert client.cas.write(blobs)
    assert (state.count("BatchUpdateBlobs"), state.count("Write")) == (4, 1)
    assert state.blobs == {blob.sha256: blob.content for blob in blobs}
    assert client.read(blobs[-1].sha256, 6000) == blobs[-1].content
    assert state.count("Read") == 1


@pytest.mark.parametrize("content", [SMALL, LARGE], ids=["small", "large"])
def test_a_failure_that_passes_is_not_noticed(state: State, client: Client, content: bytes) -> None:
    client.channel.capabilities()
    state.fault = first(2, grpc.StatusCode.UNAVAILABLE)
    assert client.cas.write([Blob.of(content)])
    state.fault = first(2, grpc.StatusCode.INTERNAL)
    assert client.read(Blob.of(content).sha256, len(content)) == content
    assert client.said == []


def test_wrong_bytes_are_handed_on_and_no_more_than_one_too_many(
    state: State, client: Client
) -> None:
    sha256, size = state.add(LARGE), len(LARGE)
    state.send = lambda _sha256: [b"x" * 100]
    assert client.read(sha256, size) == b"x" * 100
    state.send = lambda _sha256: itertools.repeat(bytes(1 << 20))
    assert client.read(sha256, size) == bytes(size + 1)
    assert state.ended.wait(60), "the call is cancelled"
    state.blobs[Blob.of(SMALL).sha256] = SMALL + b"xx"
    assert client.read(Blob.of(SMALL).sha256, len(SMALL)) == SMALL + b"x"


def test_a_stream_that_stalls_is_an_outage(state: State) -> None:
    client = Client(state.base, replace(FAST, slack=20))

    def stall() -> Iterator[bytes]:
        yield b"x"
        time.sleep(1)

    state.send = lambda _sha256: stall()
    with pytest.raises(Unusable):
        client.read(state.add(LARGE), len(LARGE))
    assert state.count("Read") == 3 and "no more data arrived" in client.said[0]


def test_bytes_that_trickle_are_an_outage(state: State) -> None:
    client = Client(state.base, FAST)

    def trickle() -> Iterator[bytes]:
        for _ in range(30):
            yield b"x"
            time.sleep(0.1)

    state.send = lambda _sha256: trickle()
    with pytest.raises(Unusable):
        client.read(state.add(LARGE), len(LARGE))
    assert "too slow" in client.said[0]


def test_a_stream_that_breaks_is_read_again(state: State, client: Client) -> None:
    attempts = itertools.count()

    def broken() -> Iterator[bytes]:
        yield LARGE[:1000]
        if next(attempts) == 0:
            raise OSError("the test breaks the stream")
        yield LARGE[1000:2000]
        yield LARGE[2000:]

    state.send = lambda _sha256: broken()
    assert client.read(state.add(LARGE), len(LARGE)) == LARGE


def test_a_stream_that_is_not_taken_whole_is_an_outage(state: State, client: Client) -> None:
    state.committed = 5
    with pytest.raises(Unusable):
        client.cas.write([Blob.of(LARGE)])
    assert f"took 5 of {len(LARGE)} bytes" in client.said[0]


def test_an_answer_before_the_end_of_a_stream_is_accepted(state: State, client: Client) -> None:
    """A server that has the blob says so at once."""
    blob = Blob.of(os.urandom(20 << 20))
    state.early = blob.size
    for _ in range(10):  # the answer and what is still sent race
        assert client.cas.write([blob])
    assert client.said == []


def test_a_write_that_is_not_read_is_an_outage(state: State) -> None:
    client = Client(state.base, FAST)
    state.fault = lambda method, _call: time.sleep(1) if method == "Write" else None
    with pytest.raises(Unusable):
        client.cas.write([Blob.of(os.urandom(20 << 20))])
    assert len(client.said) == 1


def test_an_answer_without_the_blob_is_an_outage(state: State, client: Client) -> None:
    state.forgetful = True
    with pytest.raises(Unusable):
        client.read(state.add(SMALL), len(SMALL))
    other = Client(state.base)
    with pytest.raises(Unusable):
        other.cas.write([Blob.of(SMALL)])


def test_a_file_that_is_gone_is_an_error_of_this_machine(client: Client, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        client.cas.write([Blob("a" * 64, 10, tmp_path / "none")])
    with pytest.raises(FileNotFoundError):
        client.cas.write([Blob("a" * 64, 10 << 20, tmp_path / "none")])
    assert client.said == []


def test_a_refusal_is_given_to_the_caller(state: State, client: Client) -> None:
    state.fault = first(9, grpc.StatusCode.PERMISSION_DENIED, "Write")
    assert not client.cas.write([Blob.of(LARGE)], client.link.refused)
    assert "PERMISSION_DENIED" in client.link.read_only and client.said == []
    assert client.cas.missing({}) == frozenset()


@pytest.mark.parametrize("content", [SMALL, LARGE], ids=["small", "large"])
def test_a_transfer_ends_when_the_run_is_stopped(state: State, content: bytes) -> None:
    client = Client(state.base)
    client.channel.capabilities()
    sha256 = state.add(content)
    grpc_client.ends_when_stopped(state, client.channel, lambda: client.read(sha256, len(content)))
