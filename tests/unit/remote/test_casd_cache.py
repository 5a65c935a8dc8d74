"""Results that machines share through buildbox-casd."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import casd
import pytest
from cache_machine import KEY, LIBS, Machine
from casd import Casd, needs_casd

pytestmark = needs_casd
LARGE = os.urandom(3 << 20)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Casd]:
    with casd.running(tmp_path_factory.mktemp("casd") / "x") as found:
        yield found


@pytest.mark.parametrize("libs", [LIBS, LARGE], ids=["small", "large"])
def test_casd_gives_another_machine_what_one_has_sent(
    real: Casd, tmp_path: Path, libs: bytes
) -> None:
    one = Machine(tmp_path / "one", real.address)
    record = one.build(libs)
    sent = one.remote.finish()
    other = Machine(tmp_path / "other", real.address, push=False)
    if libs == LIBS:
        assert sent.startswith(f"sent 1 results to the cache at 127.0.0.1:{real.port}")
        assert other.stores.record(KEY) == record
        other.stores.gather(record["blobs"].values())
        found = other.stores.blob(record["blobs"]["libs"])
        assert found and found.read_bytes() == libs
        assert one.said == other.said == []
    else:
        assert sent == "" and "not reproducible" in one.said[0], "the first result stays"


def test_casd_that_has_lost_a_blob_is_a_miss_and_is_sent_it_again(tmp_path: Path) -> None:
    with casd.running(tmp_path / "casd") as server:
        one = Machine(tmp_path / "one", server.address)
        record = one.build()
        one.remote.finish()
        server.blob(record["blobs"]["libs"]).unlink()
        other = Machine(tmp_path / "other", server.address)
        assert other.stores.record(KEY) is None
        other.build()
        assert other.remote.finish().startswith("sent 1 results")
        third = Machine(tmp_path / "third", server.address)
        assert third.stores.record(KEY) == record and third.said == []


def test_damaged_bytes_of_casd_are_not_taken(tmp_path: Path) -> None:
    with casd.running(tmp_path / "casd") as server:
        one = Machine(tmp_path / "one", server.address)
        record = one.build()
        one.remote.finish()
        path = server.blob(record["blobs"]["libs"])
        path.chmod(0o644)
        path.write_bytes(b"x" * len(LIBS))
        other = Machine(tmp_path / "other", server.address)
        assert other.stores.record(KEY) == record
        assert other.stores.blob(record["blobs"]["libs"]) is None
        assert "other bytes" in other.said[0] and not other.shared.has(record["blobs"]["libs"])
