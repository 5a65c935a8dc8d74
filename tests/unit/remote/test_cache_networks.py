"""The remote cache over what lies between two machines: old servers, IPv6, proxies, two runs."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import cache_server
import pytest
from cache_machine import KEY, LIBS, Machine
from cache_server import CacheServer, first

from quard.store.stores import EMPTY


def shares(folder: Path, address: str) -> Machine:
    """Send a result from one machine and use it on another one, which is returned."""
    one, two = Machine(folder / "one", address), Machine(folder / "two", address)
    record = one.build()
    assert one.remote.finish().startswith("sent 1 results"), one.said
    assert two.stores.record(KEY) == record, two.said
    found = two.stores.blob(record["blobs"]["libs"])
    assert found and found.read_bytes() == LIBS
    assert (one.said, two.said) == ([], [])
    return two


def test_a_server_that_closes_each_connection_is_used(tmp_path: Path) -> None:
    with cache_server.running(protocol="HTTP/1.0") as state:
        shares(tmp_path, f"{state.base}/x")


def test_a_server_has_an_address_of_ipv6(tmp_path: Path) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError as error:
        pytest.skip(f"this machine has no IPv6: {error.strerror}")
    with cache_server.running("::1") as state:
        two = shares(tmp_path, f"{state.base}/x")
        assert two.stores.origin(KEY).startswith("the cache at [::1]:")


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[CacheServer]:
    """A proxy that the environment names; it keeps under each address what it is asked for."""
    for name in ("http_proxy", "https_proxy", "no_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    with cache_server.running() as state:
        monkeypatch.setenv("http_proxy", state.base)
        yield state


def test_a_proxy_of_the_environment_is_used(proxy: CacheServer, tmp_path: Path) -> None:
    shares(tmp_path, "http://cache.invalid/x")
    assert f"http://cache.invalid/x/ac/{KEY}" in proxy.files


def test_no_proxy_is_used_for_hosts_that_the_environment_excludes(
    proxy: CacheServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "other.invalid,127.0.0.1")
    with cache_server.running() as state:
        shares(tmp_path, f"{state.base}/x")
    assert proxy.asked == []


def test_a_proxy_that_fails_is_reported_once(proxy: CacheServer, tmp_path: Path) -> None:
    proxy.fault = first(1000, 502)
    one = Machine(tmp_path / "one", "http://cache.invalid/x")
    assert one.stores.record(KEY) is None
    one.build()
    one.remote.finish()
    assert len(one.said) == 1 and "502" in one.said[0], one.said


def test_two_runs_share_one_store_and_one_server(tmp_path: Path) -> None:
    """They fetch the same blobs at the same time."""
    with cache_server.running() as state:
        sender = Machine(tmp_path / "one", f"{state.base}/x")
        record = sender.build()
        sender.remote.finish()
        runs = [Machine(tmp_path / "shared", f"{state.base}/x") for _ in range(4)]
        start, good = threading.Barrier(len(runs)), []

        def use(run: Machine) -> None:
            start.wait()
            assert run.stores.record(KEY) == record
            for sha256 in record["blobs"].values():
                assert sha256 == EMPTY or run.stores.blob(sha256)
            good.append(run.remote.finish())

        threads = [threading.Thread(target=use, args=(run,)) for run in runs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(good) == len(runs)
        assert [run.said for run in runs] == [[]] * len(runs)
        left = [path.name for path in (tmp_path / "shared/shared/tmp").iterdir()]
        assert left == [".lock"]
