"""The remote cache over a network that is gone for a while: nothing is answered or refused."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import cache_network
import network_namespaces
import pytest
import reapi_server
from cache_machine import KEY, Machine
from cache_network import ASKED, ENTRY, READ, SENT, Place
from grpc_client import Client
from network_namespaces import Host
from waiting import within

from quard.base import canonical
from quard.remote import link
from quard.remote.cas import Blob, Cas
from quard.remote.link import Limits, Unusable

SOON = Limits(connect=0.5, silence=0.8, slack=60, attempts=2, pause=0.02, longest=0.05)
PATIENT = Limits(connect=20, silence=60, slack=60, pause=0.02, longest=0.05)
BOUND = SOON.attempts * (SOON.silence + SOON.connect + SOON.longest) + 20
"""Seconds within which a request ends, and what a busy machine may add to them."""
OTHER_KEY = canonical.digest("another key")
SMALL, LARGE = os.urandom(20_000), os.urandom(4 << 20)
SERVER = """\
import sys

sys.path[:0] = sys.argv[1:]
import reapi_server

with reapi_server.running(address=\"0.0.0.0\") as state:
    print(state.base.rpartition(\":\")[2], flush=True)
    sys.stdin.read()
"""


@pytest.fixture(params=["http", "grpc"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    with cache_network.served(request.param) as found:
        yield found


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> Callable[[Limits], None]:
    """What sets the limits of machines that use the network later; they are patient at first."""

    def change(limits: Limits) -> None:
        monkeypatch.setattr(link, "Limits", lambda: limits)

    change(PATIENT)
    return change


def is_given_up(machine: Machine, place: Place) -> None:
    """Assert that one line was said, and that the server is not asked even if it is there again."""
    line = f"the cache at {machine.remote.host} is not used any more in this run: no "
    assert len(machine.said) == 1 and machine.said[0].startswith(line)
    place.network.restore()
    started = time.monotonic()
    assert machine.remote.record(OTHER_KEY) is None
    machine.remote.send(OTHER_KEY, machine.build(b"other libs"))
    assert machine.remote.finish() == "" and len(machine.said) == 1
    assert time.monotonic() - started < BOUND
    assert not any(OTHER_KEY in key for key in place.asked())


@pytest.mark.parametrize("moment", [ENTRY, ASKED])
def test_a_question_to_a_network_that_is_gone_is_a_miss(
    place: Place, tmp_path: Path, patience: Callable[[Limits], None], moment: str
) -> None:
    Machine(tmp_path / "one", place.base).send_one()
    place.cut_at(moment)
    patience(SOON)
    other, started = Machine(tmp_path / "other", place.base), time.monotonic()
    assert other.stores.record(KEY) is None
    assert time.monotonic() - started < BOUND
    is_given_up(other, place)


@pytest.mark.parametrize("more", [0, 5000], ids=["before", "within"])
@pytest.mark.parametrize("libs", [SMALL, LARGE], ids=["small", "large"])
def test_a_blob_that_does_not_come_is_missing(
    place: Place,
    tmp_path: Path,
    patience: Callable[[Limits], None],
    libs: bytes,
    more: int,
) -> None:
    one = Machine(tmp_path / "one", place.base)
    record = one.build(libs)
    assert one.remote.finish().startswith("sent 1 results")
    place.cut_at(READ, more)
    patience(SOON)
    other = Machine(tmp_path / "other", place.base)
    assert other.stores.record(KEY) == record
    started = time.monotonic()
    other.stores.gather(record["blobs"].values())
    assert other.stores.blob(record["blobs"]["libs"]) is None
    assert time.monotonic() - started < BOUND
    assert [path.name for path in (other.shared.root / "tmp").iterdir()] == [".lock"]
    other.stores.lost(KEY, "thing", "libs", record["blobs"]["libs"])
    is_given_up(other, place)


@pytest.mark.parametrize("more", [0, 5000], ids=["before", "within"])
@pytest.mark.parametrize("libs", [SMALL, LARGE], ids=["small", "large"])
def test_what_cannot_be_sent_is_given_up(
    place: Place,
    tmp_path: Path,
    patience: Callable[[Limits], None],
    libs: bytes,
    more: int,
) -> None:
    if more:
        place.cut_at(ASKED, more, "up")
    else:
        place.cut_at(SENT)
    patience(SOON)
    one = Machine(tmp_path / "one", place.base)
    one.build(libs)
    assert within(BOUND, lambda: one.said)
    is_given_up(one, place)


@pytest.mark.parametrize("moment", [ENTRY, ASKED, READ])
def test_a_network_that_is_back_soon_is_not_noticed(
    place: Place, tmp_path: Path, moment: str
) -> None:
    one = Machine(tmp_path / "one", place.base)
    record = one.build(LARGE)
    one.remote.finish()
    place.cut_at(moment, 5000 if moment == READ else 0)

    def restore() -> None:
        assert within(BOUND, lambda: place.network.is_gone)
        place.network.restore()

    restoring = threading.Thread(target=restore)
    restoring.start()
    other = Machine(tmp_path / "other", place.base)
    assert other.stores.record(KEY) == record
    found = other.stores.blob(record["blobs"]["libs"])
    restoring.join()
    assert found and found.read_bytes() == LARGE and other.said == []


@pytest.mark.parametrize("size", [0, 20 << 20], ids=["asking", "sending"])
def test_a_connection_of_grpc_over_which_nothing_arrives_is_ended_before_three_silences(
    size: int,
) -> None:
    """A real network: the kernel sees that nothing is acknowledged."""
    limits = Limits(connect=1, silence=10, slack=60, pause=0.02, longest=0.05)
    with network_namespaces.hosts(1) as (host,), serving(host) as port:
        client = Client(f"grpc://{host.address}:{port}", limits=limits)
        cas = Cas(client.channel)
        assert cas.missing({"a" * 64: 5}) == {"a" * 64}
        host.vanish()
        started = time.monotonic()
        with pytest.raises(Unusable):
            if size:
                cas.write([Blob.of(bytes(size))])
            else:
                cas.missing({"b" * 64: 5})
        assert time.monotonic() - started < 2 * limits.silence
    assert client.said == [
        "the cache at HOST is not used any more in this run: no answer within 1 s"
    ]


@contextmanager
def serving(host: Host) -> Iterator[int]:
    """Serve on a host; yield the port."""
    words = (*host.enter, sys.executable, "-c", SERVER, str(Path(reapi_server.__file__).parent))
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()
