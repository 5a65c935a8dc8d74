"""quard.remote.sending: several machines that send different results of one key at once."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cache_machine
import cache_server
import casd
import nginx
import pytest
import reapi_server
from cache_machine import KEY, Machine
from casd import needs_casd
from waiting import within

from quard.store.stores import EMPTY

WRITER = """\
import json
import sys
from pathlib import Path

sys.path[:0] = sys.argv[4:]
from cache_machine import Machine

name = sys.argv[3]
one = Machine(Path(sys.argv[1]), sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
record = one.build(f"libs of {name}".encode() * 50_000, f"log of {name}".encode())
said = one.remote.finish()
print(json.dumps({"record": record, "finish": said, "said": one.said}))
"""
"""A machine that builds and sends; its result is that of its name."""
CODE = Path(sys.modules["quard"].__path__[0]).parent, Path(cache_machine.__file__).parent
LIMIT = 60


class Writer:
    """A process with a machine of its own, which sends its result after `begin`."""

    def __init__(self, folder: Path, address: str, name: str) -> None:
        words = (str(folder / name), address, name, *map(str, CODE))
        self._process = subprocess.Popen(
            (sys.executable, "-c", WRITER, *words),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._process.stdout
        assert self._process.stdout.readline() == "ready\n"

    def begin(self) -> None:
        assert self._process.stdin
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def end(self) -> dict[str, Any]:
        out, err = self._process.communicate(timeout=LIMIT)
        assert self._process.returncode == 0 and err == "", err
        found: dict[str, Any] = json.loads(out)
        return found


@contextmanager
def _http(_folder: Path) -> Iterator[str]:
    with cache_server.running() as state:
        yield state.base


@contextmanager
def _nginx(folder: Path) -> Iterator[str]:
    with nginx.running(folder) as server:
        yield server.address


@contextmanager
def _grpc(_folder: Path) -> Iterator[str]:
    with reapi_server.running() as state:
        yield state.base


@contextmanager
def _casd(folder: Path) -> Iterator[str]:
    with casd.running(folder) as server:
        yield server.address


SERVERS = [
    pytest.param(_http, id="http"),
    pytest.param(_nginx, id="nginx"),
    pytest.param(_grpc, id="grpc"),
    pytest.param(_casd, id="casd", marks=needs_casd),
]


def read(folder: Path, address: str) -> dict[str, Any] | None:
    """Return the record that a machine without anything gets, with all of its blobs."""
    reader = Machine(folder, address, push=False)
    record = reader.stores.record(KEY)
    if record:
        blobs = [sha256 for sha256 in record["blobs"].values() if sha256 != EMPTY]
        assert all(reader.stores.blob(sha256) for sha256 in blobs)
    assert reader.said == []
    return record


@pytest.mark.parametrize("serve", SERVERS)
def test_readers_get_the_whole_result_of_one_of_several_writers(
    serve: Callable[[Path], Any], tmp_path: Path
) -> None:
    """Whichever: nothing makes the writers meet here, and the servers check no condition."""
    with serve(tmp_path / "server") as address:
        writers = [Writer(tmp_path, address, name) for name in ("one", "two", "three")]
        for writer in writers:
            writer.begin()
        seen = [read(tmp_path / f"early{number}", address) for number in range(5)]
        ended = [writer.end() for writer in writers]
        seen.append(last := read(tmp_path / "late", address))
    assert last
    sent = [each["record"] for each in ended]
    assert all(record in sent for record in seen if record)
    told = [each for each in ended if "not reproducible" in "".join(each["said"])]
    assert all(len(each["said"]) == 1 and each["finish"] == "" for each in told)
    assert all(each["finish"].startswith("sent 1 results") for each in ended if each not in told)
    assert last in [each["record"] for each in ended if each not in told]


class Meeting:
    """Lets two writers ask for the record, before and after their uploads, in a certain order.

    Both first questions are answered before either upload begins.
    there -- returns whether a record has been sent
    late  -- the second writer's last question is answered when there is one; else both last ones
             are answered before either record is sent
    """

    def __init__(self, there: Callable[[], bool], *, late: bool) -> None:
        self._there = there
        self._late = late
        self._begin, self._end = threading.Barrier(2), threading.Barrier(2)
        self._lock = threading.Lock()
        self._asked = 0

    def ask(self) -> None:
        """Called at each question, before its answer."""
        with self._lock:
            self._asked += 1
            number = self._asked
        if number <= 2:
            self._begin.wait(LIMIT)
        elif number <= 4 and not self._late:
            self._end.wait(LIMIT)
        elif number == 4:
            assert within(LIMIT, self._there)


@contextmanager
def _meeting(protocol: str, *, late: bool) -> Iterator[str]:
    """Serve two writers that meet; yield the address."""
    if protocol == "http":
        with cache_server.running() as state:
            meeting = Meeting(lambda: f"/ac/{KEY}" in state.files, late=late)
            question = "GET", f"/ac/{KEY}"
            state.fault = lambda *asked: meeting.ask() if asked == question else None
            yield state.base
    else:
        with reapi_server.running() as other:
            meeting = Meeting(lambda: KEY in other.actions, late=late)
            other.fault = lambda method, _: meeting.ask() if method == "GetActionResult" else None
            yield other.base


def race(folder: Path, protocol: str, *, late: bool) -> tuple[list[dict[str, Any]], Any]:
    """Return what two writers say and what a reader gets then."""
    with _meeting(protocol, late=late) as address:
        writers = [Writer(folder, address, name) for name in ("one", "two")]
        for writer in writers:
            writer.begin()
        ended = [writer.end() for writer in writers]
        return ended, read(folder / "late", address)


@pytest.mark.parametrize("protocol", ["http", "grpc"])
def test_the_first_of_two_results_stays_if_it_is_sent_while_the_second_is(
    protocol: str, tmp_path: Path
) -> None:
    ended, last = race(tmp_path, protocol, late=True)
    first, second = sorted(ended, key=lambda each: len(each["said"]))
    assert last == first["record"] and first["said"] == []
    assert len(second["said"]) == 1 and "not reproducible" in second["said"][0]
    assert "which stays there" in second["said"][0] and second["finish"] == ""


@pytest.mark.parametrize("protocol", ["http", "grpc"])
def test_of_two_records_that_are_sent_at_one_moment_one_stays_with_its_files(
    protocol: str, tmp_path: Path
) -> None:
    ended, last = race(tmp_path, protocol, late=False)
    assert last in [each["record"] for each in ended]
    assert [each["said"] for each in ended] == [[], []]
