"""The remote cache whose server removes blobs while they are read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import cache_server
import grpc
import pytest
import reapi_server
from cache_machine import KEY, Machine
from cache_server import CacheServer
from reapi_server import State

LARGE = os.urandom(4 << 20)


@pytest.fixture
def http() -> Iterator[CacheServer]:
    with cache_server.running() as found:
        yield found


@pytest.fixture
def remote() -> Iterator[State]:
    with reapi_server.running() as found:
        yield found


def reader(folder: Path, address: str) -> tuple[Machine, str, str]:
    """Return a machine that has hit a result, and the digests of its libs and its log."""
    sender = Machine(folder / "sender", address)
    record = sender.build(LARGE)
    assert sender.remote.finish().startswith("sent 1 results")
    machine = Machine(folder / "reader", address)
    assert machine.stores.record(KEY) == record
    return machine, record["blobs"]["libs"], record["blobs"]["log"]


def is_missing(machine: Machine, sha256: str, log: str) -> None:
    """Assert that one blob is missing, nothing of it is kept, and the next one is read."""
    assert not machine.stores.extract(sha256, machine.shared.root / "never")
    assert machine.stores.blob(sha256) is None and not machine.shared.has(sha256)
    assert machine.stores.blob(log), "the server is still used"
    assert machine.said == []
    left = [path.name for path in (machine.shared.root / "tmp").iterdir()]
    assert left == [".lock"]
    assert "thing is rebuilt" in machine.stores.lost(KEY, "thing", "libs", sha256)
    assert machine.stores.record(KEY) is None
    machine.build(LARGE)
    assert machine.remote.finish().startswith("sent 1 results")


def test_a_body_that_is_removed_while_it_is_read_is_missing(
    http: CacheServer, tmp_path: Path
) -> None:
    machine, libs, log = reader(tmp_path, http.base)
    http.cut = 100_000

    def remove(method: str, path: str) -> None:
        if method == "GET" and http.asked.count((method, path)) == 2:
            http.files.pop(path)
            http.cut = None

    http.fault = remove
    is_missing(machine, libs, log)
    assert http.files[f"/cas/{libs}"] == LARGE


def test_a_stream_that_ends_with_not_found_is_missing(remote: State, tmp_path: Path) -> None:
    machine, libs, log = reader(tmp_path, remote.base)
    calls: list[grpc.ServicerContext] = []

    def remove(method: str, call: grpc.ServicerContext) -> None:
        if method == "Read":
            calls.append(call)
            del remote.blobs[libs]

    def send(_sha256: str) -> Iterator[bytes]:
        yield LARGE[:100_000]
        calls[-1].abort(grpc.StatusCode.NOT_FOUND, "it has just been removed")

    remote.fault, remote.send = remove, send
    is_missing(machine, libs, log)
    assert remote.blobs[libs] == LARGE


def test_what_goes_between_two_reads_is_missing(http: CacheServer, tmp_path: Path) -> None:
    machine, libs, log = reader(tmp_path, http.base)
    assert machine.stores.blob(log)
    del http.files[f"/cas/{libs}"]
    is_missing(machine, libs, log)


def test_what_goes_between_two_reads_over_grpc_is_missing(remote: State, tmp_path: Path) -> None:
    machine, libs, log = reader(tmp_path, remote.base)
    assert machine.stores.blob(log)
    del remote.blobs[libs]
    is_missing(machine, libs, log)
