"""quard.remote: results that two machines share, and what a cache may get wrong."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cache_server
import pytest
from cache_machine import KEY, LIBS, LOG, Machine
from cache_server import CacheServer

from quard.base import canonical
from quard.base.errors import QuardError
from quard.base.space import disk_full
from quard.remote import action
from quard.remote.cache import CacheReader
from quard.store.record import encode_record
from quard.store.shrink import shrink
from quard.store.stores import EMPTY


@pytest.fixture
def state() -> Iterator[CacheServer]:
    with cache_server.running() as found:
        yield found


@pytest.fixture
def machine(state: CacheServer, tmp_path: Path) -> Callable[..., Machine]:
    count = iter(range(100))
    return lambda **more: Machine(tmp_path / str(next(count)), state.base + "/x", **more)


@pytest.fixture
def sent(machine: Callable[..., Machine]) -> dict[str, Any]:
    """The record of a result that one machine has built and sent."""
    return machine().send_one()


def test_a_result_is_an_action_result_with_its_blobs(
    sent: dict[str, Any], state: CacheServer
) -> None:
    raw, sizes, _ = action.decode(state.files[f"/x/ac/{KEY}"])
    assert raw == encode_record(KEY, sent)
    assert sizes == {sent["blobs"]["libs"]: len(LIBS), sent["blobs"]["log"]: len(LOG)}
    assert state.files[f"/x/cas/{sent['blobs']['libs']}"] == LIBS
    assert f"/x/cas/{EMPTY}" not in state.files
    order = [path for method, path in state.asked if method == "PUT"]
    assert order[-1] == f"/x/ac/{KEY}", "the record is sent after what it names"


def test_a_hit_reads_no_blob_before_it_is_used(
    sent: dict[str, Any], state: CacheServer, machine: Callable[..., Machine]
) -> None:
    other = machine()
    assert other.stores.record(KEY) == sent
    assert state.count("GET", "/x/cas") == 0
    assert other.stores.missing(sent["blobs"].values()) == frozenset()
    assert other.stores.is_away(sent["blobs"]["libs"])
    found = other.stores.blob(sent["blobs"]["libs"])
    assert found and found.read_bytes() == LIBS
    assert state.count("GET", "/x/cas") == 1
    assert not other.stores.is_away(sent["blobs"]["libs"])
    assert other.stores.origin(KEY).startswith("the cache at 127.0.0.1:")


def test_a_later_run_knows_what_is_there_without_asking(
    sent: dict[str, Any], state: CacheServer, tmp_path: Path
) -> None:
    Machine(tmp_path / "m", state.base + "/x").stores.record(KEY)
    asked = len(state.asked)
    again = Machine(tmp_path / "m", state.base + "/x")
    assert again.stores.missing(sent["blobs"].values()) == frozenset()
    assert len(state.asked) == asked
    elsewhere = Machine(tmp_path / "m", state.base + "/y")
    assert elsewhere.stores.missing(sent["blobs"].values()) != frozenset()


def test_several_blobs_are_fetched_at_once(
    sent: dict[str, Any], machine: Callable[..., Machine]
) -> None:
    other = machine()
    other.stores.record(KEY)
    other.stores.gather(sent["blobs"].values())
    assert other.shared.missing(sent["blobs"].values()) <= {EMPTY}


def test_an_error_waits_for_the_fetches_that_have_begun(
    sent: dict[str, Any], machine: Callable[..., Machine], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread that Python ends with itself would leave a part of a blob."""
    other = machine()
    other.stores.record(KEY)
    first, *_ = sorted({*sent["blobs"].values()} - {EMPTY})
    begun, ended = threading.Event(), threading.Event()

    def fetch(_: CacheReader, sha256: str) -> bool:
        if sha256 == first:
            assert begun.wait(20)
            raise disk_full("a test", Path("/"), "")
        begun.set()
        time.sleep(0.2)
        ended.set()
        return True

    monkeypatch.setattr(CacheReader, "fetch", fetch)
    with pytest.raises(QuardError, match="no space left"):
        other.stores.gather(sent["blobs"].values())
    assert ended.is_set()


@pytest.mark.usefixtures("sent")
def test_a_result_that_is_there_is_not_sent_again(
    state: CacheServer, machine: Callable[..., Machine]
) -> None:
    puts = state.count("PUT")
    other = machine()
    other.build()
    assert other.remote.finish() == ""
    assert state.count("PUT") == puts and other.said == []


@pytest.mark.usefixtures("sent")
def test_the_first_of_two_different_results_stays(
    state: CacheServer, machine: Callable[..., Machine]
) -> None:
    before = dict(state.files)
    other = machine()
    other.build(libs=b"other")
    other.remote.finish()
    assert state.files == before
    assert len(other.said) == 1 and "thing" in other.said[0]
    assert "not reproducible" in other.said[0]


def test_a_blob_that_the_server_has_lost_is_a_miss_and_is_sent_again(
    sent: dict[str, Any], state: CacheServer, machine: Callable[..., Machine]
) -> None:
    del state.files[f"/x/cas/{sent['blobs']['libs']}"]
    other = machine()
    assert other.stores.record(KEY) is None
    other.build()
    other.remote.finish()
    assert state.files[f"/x/cas/{sent['blobs']['libs']}"] == LIBS


@pytest.mark.parametrize("part", ["libs", "log"])
def test_a_result_that_has_lost_a_file_is_whole_again_after_the_next_build(
    sent: dict[str, Any], state: CacheServer, machine: Callable[..., Machine], part: str
) -> None:
    """Each build has another log, and servers remove first what nobody reads."""
    del state.files[f"/x/cas/{sent['blobs'][part]}"]
    other = machine()
    record = other.build(log=b"another log")
    assert other.remote.finish().startswith("sent 1 results") and other.said == []
    reader, wanted = machine(), sent if part == "libs" else record
    assert reader.stores.record(KEY) == wanted
    assert all(reader.stores.blob(sha) for sha in wanted["blobs"].values() if sha != EMPTY)


@pytest.mark.usefixtures("sent")
def test_a_log_is_not_sent_for_a_result_that_is_there(
    state: CacheServer, machine: Callable[..., Machine]
) -> None:
    puts, other = state.count("PUT"), machine()
    other.build(log=b"another log")
    assert other.remote.finish() == "" and other.said == []
    assert state.count("PUT") == puts


def test_a_different_result_that_has_lost_a_file_is_replaced_and_reported(
    sent: dict[str, Any], state: CacheServer, machine: Callable[..., Machine]
) -> None:
    del state.files[f"/x/cas/{sent['blobs']['libs']}"]
    other = machine()
    record = other.build(libs=b"other")
    assert other.remote.finish().startswith("sent 1 results")
    assert len(other.said) == 1 and "which is replaced, as files of it are gone" in other.said[0]
    assert machine().stores.record(KEY) == record


def test_a_blob_that_is_lost_after_the_hit_is_missing(
    sent: dict[str, Any], state: CacheServer, machine: Callable[..., Machine]
) -> None:
    other = machine()
    other.stores.record(KEY)
    del state.files[f"/x/cas/{sent['blobs']['libs']}"]
    assert other.stores.blob(sent["blobs"]["libs"]) is None
    assert "thing is rebuilt" in other.stores.lost(KEY, "thing", "libs", sent["blobs"]["libs"])
    assert other.stores.record(KEY) is None, "it is not hit again in this run"


@pytest.mark.parametrize("wrong", [b"x" * len(LIBS), LIBS[:-1], LIBS + b"x", b""])
def test_a_blob_with_other_bytes_is_not_taken(
    sent: dict[str, Any], state: CacheServer, machine: Callable[..., Machine], wrong: bytes
) -> None:
    other = machine()
    other.stores.record(KEY)
    sha256 = sent["blobs"]["libs"]
    state.files[f"/x/cas/{sha256}"] = wrong
    assert other.stores.blob(sha256) is None
    assert not other.stores.extract(sha256, Path("/nonexistent/never"))
    assert other.said == [f"the cache at {other.remote.host} has other bytes than those of blob "
                          f"{sha256}"]  # fmt: skip
    assert not other.shared.has(sha256)


def test_a_blob_of_another_length_is_a_miss(
    sent: dict[str, Any], state: CacheServer, machine: Callable[..., Machine]
) -> None:
    state.files[f"/x/cas/{sent['blobs']['libs']}"] = LIBS[:-1]
    assert machine().stores.record(KEY) is None


@pytest.mark.parametrize("kind", ["garbage", "truncated", "swapped", "without-files", "empty"])
def test_a_damaged_record_is_reported_and_ignored(
    sent: dict[str, Any], state: CacheServer, machine: Callable[..., Machine], kind: str
) -> None:
    path, other_key = f"/x/ac/{KEY}", canonical.digest("another key")
    state.files[path] = {
        "garbage": b"\xff" * 50,
        "truncated": state.files[path][:-5],
        "swapped": action.encode(encode_record(other_key, sent), sent["blobs"],
                                 dict.fromkeys(sent["blobs"].values(), 1)),
        "without-files": action.encode(encode_record(KEY, sent), {}, {}),
        "empty": b"",
    }[kind]  # fmt: skip
    other = machine()
    assert other.stores.record(KEY) is None
    assert other.stores.record(KEY) is None
    assert len(other.said) == 1 and "damaged record" in other.said[0]


@pytest.mark.usefixtures("sent")
def test_an_outage_is_one_line_and_the_run_goes_on(
    state: CacheServer, machine: Callable[..., Machine]
) -> None:
    state.fault = lambda _method, _path: (403, {})
    other = machine()
    assert other.stores.record(KEY) is None
    record = other.build()
    assert other.remote.finish() == ""
    assert len(other.said) == 1 and "not used any more in this run" in other.said[0]
    assert other.stores.record(KEY) == record


def test_a_server_that_takes_nothing_says_why(
    state: CacheServer, machine: Callable[..., Machine]
) -> None:
    state.fault = lambda method, _path: (403, {}) if method == "PUT" else None
    one = machine()
    one.build()
    assert (
        one.remote.finish()
        == f"the cache at {one.remote.host} takes no results: HTTP 403 Forbidden"
    )


def test_results_that_others_cannot_use_stay_here(
    state: CacheServer, machine: Callable[..., Machine]
) -> None:
    one = machine()
    one.build(local=True)
    assert one.remote.finish() == "" and state.asked == []


def test_nothing_is_sent_where_push_is_off(
    state: CacheServer, machine: Callable[..., Machine]
) -> None:
    one = machine(push=False)
    one.build()
    assert one.remote.finish() == "" and state.count("PUT") == 0


@pytest.mark.usefixtures("sent")
def test_a_result_of_the_cache_is_not_sent_back(
    state: CacheServer, machine: Callable[..., Machine]
) -> None:
    other, puts = machine(), state.count("PUT")
    record = other.stores.record(KEY)
    assert record
    other.stores.share(KEY, record)
    assert other.remote.finish() == "" and state.count("PUT") == puts


def test_a_password_in_the_address_is_in_no_message(tmp_path: Path) -> None:
    one = Machine(tmp_path, "http://user:secret@127.0.0.1:1/x")
    assert one.stores.record(KEY) is None
    assert one.said and "secret" not in " ".join(one.said)


def test_a_blob_that_is_not_intact_here_is_fetched_again(
    sent: dict[str, Any], machine: Callable[..., Machine]
) -> None:
    other = machine()
    other.stores.record(KEY)
    sha256 = sent["blobs"]["libs"]
    path = other.stores.blob(sha256)
    assert path
    path.chmod(0o644)
    path.write_bytes(b"damaged")
    found = other.stores.blob(sha256)
    assert found and found.read_bytes() == LIBS


def test_a_result_that_was_damaged_there_is_sent_again(
    sent: dict[str, Any], state: CacheServer, machine: Callable[..., Machine]
) -> None:
    other, sha256 = machine(), sent["blobs"]["libs"]
    other.stores.record(KEY)
    state.files[f"/x/cas/{sha256}"] = b"x" * len(LIBS)
    assert other.stores.blob(sha256) is None
    other.stores.lost(KEY, "thing", "libs", sha256)
    other.build()
    other.remote.finish()
    assert state.files[f"/x/cas/{sha256}"] == LIBS


def test_another_password_does_not_forget_what_is_there(
    sent: dict[str, Any], state: CacheServer, tmp_path: Path
) -> None:
    Machine(tmp_path / "m", state.base + "/x").stores.record(KEY)
    again = Machine(tmp_path / "m", state.base.replace("//", "//user:new@") + "/x")
    assert again.stores.missing(sent["blobs"].values()) == frozenset()


def test_fetched_blobs_belong_to_their_result(
    sent: dict[str, Any], machine: Callable[..., Machine]
) -> None:
    other = machine()
    other.stores.record(KEY)
    assert other.stores.blob(sent["blobs"]["libs"])
    later = time.time() + 30 * 24 * 3600
    shrink(other.shared, None, later)
    assert other.shared.has(sent["blobs"]["libs"])
    assert shrink(other.shared, 1, later).results == 1
    assert not other.shared.has(sent["blobs"]["libs"])
    assert other.stores.blob(sent["blobs"]["libs"]), "it is fetched again"
