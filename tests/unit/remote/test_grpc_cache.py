"""quard.remote.grpc_cache: results that machines share through the Remote Execution API."""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
import reapi_server
from cache_machine import KEY, LIBS, LOG, Machine
from reapi_server import State, first

from quard.base import canonical
from quard.remote import action, grpc_cache, sending
from quard.store.record import encode_record
from quard.store.stores import EMPTY

LARGE = os.urandom(3 << 20)


@pytest.fixture
def state() -> Iterator[State]:
    with reapi_server.running() as found:
        yield found


@pytest.fixture
def machine(state: State, tmp_path: Path) -> Callable[..., Machine]:
    count = itertools.count()
    return lambda **more: Machine(tmp_path / str(next(count)), state.base + "/x", **more)


@pytest.fixture
def sent(machine: Callable[..., Machine]) -> dict[str, Any]:
    """The record of a result that one machine has built and sent."""
    return machine().send_one()


def test_an_entry_is_the_same_as_over_http(sent: dict[str, Any], state: State) -> None:
    entry = state.actions[KEY]
    sizes = {sent["blobs"]["libs"]: len(LIBS), sent["blobs"]["log"]: len(LOG)}
    blobs = {part: sha for part, sha in sent["blobs"].items() if sha != EMPTY}
    assert entry.SerializeToString() == action.encode(encode_record(KEY, sent), blobs, sizes)
    assert state.blobs.keys() == sizes.keys()
    order = [method for method, _ in state.asked]
    assert order[-1] == "UpdateActionResult", "the record is sent after what it names"


def test_a_hit_is_one_question_and_reads_no_blob(
    sent: dict[str, Any], state: State, machine: Callable[..., Machine]
) -> None:
    other = machine()
    state.asked.clear()
    assert other.stores.record(KEY) == sent
    methods = [method for method, _ in state.asked]
    assert methods == ["GetCapabilities", "GetActionResult", "FindMissingBlobs"]
    assert other.stores.is_away(sent["blobs"]["libs"])
    found = other.stores.blob(sent["blobs"]["libs"])
    assert found and found.read_bytes() == LIBS
    assert state.count("BatchReadBlobs") == 1


def test_a_later_run_knows_what_is_there_without_asking(
    sent: dict[str, Any], state: State, tmp_path: Path
) -> None:
    Machine(tmp_path / "m", state.base + "/x").stores.record(KEY)
    asked = len(state.asked)
    again = Machine(tmp_path / "m", state.base + "/x")
    assert again.stores.missing(sent["blobs"].values()) == frozenset()
    assert len(state.asked) == asked


@pytest.mark.usefixtures("sent")
def test_the_first_of_two_different_results_stays(
    state: State, machine: Callable[..., Machine]
) -> None:
    before = dict(state.actions)
    other = machine()
    other.build(libs=b"other")
    assert other.remote.finish() == ""
    assert state.actions == before and "not reproducible" in other.said[0]


def test_a_blob_that_is_lost_after_the_hit_is_missing_and_is_sent_again(
    sent: dict[str, Any], state: State, machine: Callable[..., Machine]
) -> None:
    other, sha256 = machine(), sent["blobs"]["libs"]
    other.stores.record(KEY)
    del state.blobs[sha256]
    assert other.stores.blob(sha256) is None
    assert "thing is rebuilt" in other.stores.lost(KEY, "thing", "libs", sha256)
    assert other.stores.record(KEY) is None, "it is not hit again in this run"
    other.build()
    other.remote.finish()
    assert state.blobs[sha256] == LIBS


@pytest.mark.parametrize("wrong", [b"x" * len(LIBS), LIBS[:-1], LIBS + b"x", b""])
def test_a_blob_with_other_bytes_is_not_taken(
    sent: dict[str, Any], state: State, machine: Callable[..., Machine], wrong: bytes
) -> None:
    other, sha256 = machine(), sent["blobs"]["libs"]
    other.stores.record(KEY)
    state.blobs[sha256] = wrong
    assert other.stores.blob(sha256) is None
    assert len(other.said) == 1 and "other bytes" in other.said[0]
    assert not other.shared.has(sha256)


@pytest.mark.parametrize("kind", ["garbage", "swapped", "without-files", "empty"])
def test_a_damaged_record_is_reported_and_ignored(
    sent: dict[str, Any], state: State, machine: Callable[..., Machine], kind: str
) -> None:
    entry = state.actions[KEY]
    if kind == "garbage":
        entry.stdout_raw = b"\xff" * 50
    elif kind == "swapped":
        entry.stdout_raw = encode_record(canonical.digest("another key"), sent)
    elif kind == "without-files":
        del entry.output_files[:]
    else:
        entry.Clear()
    other = machine()
    assert other.stores.record(KEY) is None
    assert other.stores.record(KEY) is None
    assert len(other.said) == 1 and "damaged record" in other.said[0]


def test_a_large_record_is_a_blob_of_its_own(
    state: State, machine: Callable[..., Machine], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grpc_cache, "_INLINE", 100)
    one = machine()
    record = one.build()
    one.remote.finish()
    entry = state.actions[KEY]
    assert entry.stdout_raw == b""
    assert state.blobs[entry.stdout_digest.hash] == encode_record(KEY, record)
    assert machine().stores.record(KEY) == record
    del state.blobs[entry.stdout_digest.hash]
    assert machine().stores.record(KEY) is None


def test_a_record_that_the_server_keeps_as_a_blob_is_read(
    sent: dict[str, Any], state: State, machine: Callable[..., Machine]
) -> None:
    entry = state.actions[KEY]
    entry.stdout_digest.hash = state.add(entry.stdout_raw)
    entry.stdout_digest.size_bytes = len(entry.stdout_raw)
    entry.stdout_raw = b""
    assert machine().stores.record(KEY) == sent


def test_a_server_that_takes_no_entries_says_so_before_blobs_are_sent(
    state: State, machine: Callable[..., Machine]
) -> None:
    update = state.capabilities.cache_capabilities.action_cache_update_capabilities
    update.update_enabled = False
    one = machine()
    one.build()
    assert one.remote.finish() == (
        f"the cache at {one.remote.host} takes no results: it does not allow updates of its action"
        " cache"
    )
    assert state.blobs == {} and state.actions == {}


@pytest.mark.parametrize("method", ["BatchUpdateBlobs", "UpdateActionResult"])
@pytest.mark.parametrize(
    "code",
    [
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.UNAUTHENTICATED,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
    ],
    ids=lambda code: code.name,
)
def test_a_server_that_takes_nothing_is_still_read(
    sent: dict[str, Any],
    state: State,
    tmp_path: Path,
    method: str,
    code: grpc.StatusCode,
) -> None:
    entries = dict(state.actions)
    state.blobs.clear() if method == "BatchUpdateBlobs" else state.actions.clear()
    state.fault = first(99, code, method)
    one = Machine(tmp_path / "one", state.base + "/x")
    one.build()
    assert f"takes no results: {code.name}: as the test says" in one.remote.finish()
    state.actions.update(entries)
    state.blobs[sent["blobs"]["libs"]], state.blobs[sent["blobs"]["log"]] = LIBS, LOG
    other = Machine(tmp_path / "other", state.base + "/x")
    assert other.stores.record(KEY) == sent and one.said == other.said == []


@pytest.mark.usefixtures("sent")
def test_an_outage_is_one_line_and_the_run_goes_on(
    state: State, machine: Callable[..., Machine]
) -> None:
    state.fault = first(99, grpc.StatusCode.UNAUTHENTICATED)
    other = machine()
    assert other.stores.record(KEY) is None
    record = other.build()
    assert other.remote.finish() == ""
    assert len(other.said) == 1 and "not used any more in this run" in other.said[0]
    assert other.stores.record(KEY) == record


@pytest.mark.usefixtures("sent")
def test_a_server_that_fails_between_the_calls_of_a_hit_is_an_outage(
    state: State, machine: Callable[..., Machine]
) -> None:
    state.fault = first(99, grpc.StatusCode.PERMISSION_DENIED, "FindMissingBlobs")
    other = machine()
    assert other.stores.record(KEY) is None
    assert len(other.said) == 1 and "PERMISSION_DENIED" in other.said[0]


@pytest.mark.parametrize("method", ["Write", "UpdateActionResult"])
def test_what_is_not_sent_in_time_is_given_up(
    state: State, machine: Callable[..., Machine], monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    monkeypatch.setattr(sending, "_LONGEST", 0.5)
    release = threading.Event()
    state.fault = lambda asked, _call: release.wait(20) if asked == method else None
    one = machine()
    one.build(LARGE)
    started = time.monotonic()
    assert one.remote.finish().endswith("; 1 more were given up")
    assert time.monotonic() - started < 15 and one.said == []
    release.set()


def test_what_an_interrupt_keeps_from_being_sent_is_told(
    state: State, machine: Callable[..., Machine]
) -> None:
    release = threading.Event()
    state.fault = lambda asked, _call: release.wait(20) if asked == "Write" else None
    one = machine()
    one.build(LARGE)
    interrupt = threading.Timer(0.3, one.remote.stop)
    interrupt.start()
    assert one.remote.finish().endswith("; 1 more were given up")
    interrupt.join()
    release.set()


def test_a_fault_of_ours_while_sending_is_told(
    machine: Callable[..., Machine], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(action, "encode", lambda *_: b"no message")
    one = machine()
    one.build()
    assert one.remote.finish() == ""
    assert len(one.said) == 1
    assert one.said[0].startswith("thing is not sent to the cache: DecodeError(")


def test_a_password_in_the_address_is_in_no_message(tmp_path: Path) -> None:
    one = Machine(tmp_path, "grpc://user:secret@127.0.0.1:1/x")
    assert one.stores.record(KEY) is None
    assert one.said and "secret" not in " ".join(one.said)
    assert one.remote.host == "127.0.0.1:1"
