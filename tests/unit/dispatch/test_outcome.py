"""What a worker says that it has made is believed only as far as it can be checked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import blob_parts
import execution_server
import pytest
from buildgrid.common.protos.build.bazel.remote.execution.v2 import remote_execution_pb2 as m
from execution_server import Actions
from grpc_client import FAST
from plan_parts import COMMON, plan

from quard.dispatch import layout
from quard.dispatch.outcome import Outcome, Wrong
from quard.execute.job import Job
from quard.model import Make
from quard.remote.cas import Cas
from quard.remote.credentials import Credentials
from quard.remote.link import Link
from quard.remote.reapi import Channel
from quard.store.blob import pack, walk
from quard.store.local import Store
from quard.store.stores import Stores
from quard.target import ElfAbi

PLAN = plan(Make(**COMMON))
JOB = Job(plan=PLAN, now={}, abi=ElfAbi("EM_RISCV", 64, "little", (6, 4)), dev={}, native={})


@pytest.fixture
def server() -> Iterator[Actions]:
    with execution_server.running() as found:
        yield found


class Made:
    """An honest outcome, which a test changes before it is taken."""

    def __init__(self, server: Actions, folder: Path) -> None:
        self.state = server.state
        self.folder = folder
        self.store = Store(folder / "store")
        blob_parts.tree(folder / "tree")
        pack(folder / "tree", walk(folder / "tree"), folder / "blob")
        content = (folder / "blob").read_bytes()
        self.outputs = dict.fromkeys(layout.parts(PLAN), content) | {layout.LOG: b"it ran\n"}
        self.record: dict[str, Any] = {
            "name": PLAN.name,
            "version": PLAN.version,
            "plan": PLAN.identity,
            "local": False,
            "licenses": dict.fromkeys(PLAN.licenses),
            "interface": {"files": {}},
            "blobs": {name: self.state.add(each) for name, each in self.outputs.items()},
        }
        self.answer = m.ExecuteResponse()
        self.answer.result.execution_metadata.worker = "the worker"

    def output(self, name: str, content: bytes) -> None:
        digest = m.Digest(hash=self.state.add(content), size_bytes=len(content))
        self.answer.result.output_files.add(path=f"{layout.OUT}/{name}", digest=digest)

    def take(self, result: bytes | None = None) -> dict[str, Any]:
        self.offer(result)
        return self.taken()

    def offer(self, result: bytes | None = None) -> None:
        """Let the answer have the outputs, and the record or other bytes in its place."""
        for name, content in self.outputs.items():
            self.output(name, content)
        self.output(layout.RESULT, result or json.dumps({"record": self.record}).encode())

    def taken(self) -> dict[str, Any]:
        link = Link("the execution service at HOST", pytest.fail, FAST)
        cas = Cas(Channel(self.state.base, Credentials(), link))
        outcome = Outcome(self.answer, JOB, cas, "HOST")
        stores = Stores(Store(self.folder / "local"), self.store)
        return outcome.take(stores, self.folder / "logs/log")

    def refused(self, result: bytes | None = None) -> str:
        with pytest.raises(Wrong) as caught:
            self.take(result)
        return str(caught.value)


@pytest.fixture
def made(server: Actions, tmp_path: Path) -> Made:
    return Made(server, tmp_path)


def test_an_honest_outcome_is_in_the_store_and_names_its_worker(made: Made) -> None:
    given = made.answer.result.execution_metadata
    given.execution_start_timestamp.FromSeconds(100)
    given.execution_completed_timestamp.FromSeconds(107)
    assert made.take() == {**made.record, "worker": "the worker"}
    assert all(made.store.verify(sha256) for sha256 in made.record["blobs"].values())
    log = (made.folder / "logs/log").read_text()
    assert log == "it ran\n==> built by the worker: ran 7.0 s\n"


def test_a_worker_without_a_name_has_that_of_the_server(made: Made) -> None:
    made.answer.result.execution_metadata.worker = ""
    assert made.take()["worker"] == "HOST"
    assert (made.folder / "logs/log").read_text().endswith("==> built by HOST: no times given\n")


@pytest.mark.parametrize("part", [*layout.parts(PLAN), layout.LOG])
def test_a_part_that_is_missing(made: Made, part: str) -> None:
    del made.outputs[part]
    assert made.refused() == f"the worker has left no {part}"


def test_other_bytes_than_the_hash_says(made: Made) -> None:
    made.offer()
    sha256 = made.record["blobs"]["dev"]
    made.state.blobs[sha256] = made.state.blobs[sha256].replace(b"setuid", b"SETUID")
    with pytest.raises(Wrong, match="part that the worker has made arrived with other bytes"):
        made.taken()
    assert not made.store.has(sha256)


def test_blobs_that_the_server_has_lost(made: Made) -> None:
    made.offer()
    del made.state.blobs[made.record["blobs"][layout.LOG]]
    with pytest.raises(Wrong, match="the log part that the worker has made is gone"):
        made.taken()


def test_a_part_that_is_no_archive(made: Made) -> None:
    made.outputs["dev"] = b"garbage"
    made.record["blobs"]["dev"] = made.state.add(b"garbage")
    assert "the dev part of the worker is no archive" in made.refused()
    assert not made.store.has(made.record["blobs"]["dev"])


def test_a_part_whose_bytes_are_here_and_are_no_archive(made: Made) -> None:
    made.outputs["dev"] = made.outputs[layout.LOG]
    made.record["blobs"]["dev"] = made.record["blobs"][layout.LOG]
    (made.folder / "log").write_bytes(made.outputs[layout.LOG])
    made.store.add(made.folder / "log")
    assert "the dev part of the worker is no archive" in made.refused()


@pytest.mark.parametrize(
    "change",
    [
        {"name": "another"},
        {"version": "0"},
        {"plan": "0" * 64},
        {"local": True},
        {"blobs": {}},
    ],
)
def test_a_record_of_another_result(made: Made, change: dict[str, Any]) -> None:
    made.record |= change
    assert made.refused() == "its record is that of another result"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda record: record.pop("interface"), "its record is damaged"),
        (lambda record: record.update(more=1), "its record is damaged"),
        (lambda record: record.update(interface=[]), "its record is damaged"),
        (lambda record: record.update(interface={"files": 1.5}), "its record is damaged"),
        (lambda record: record.update(interface={"files": "\ud800"}), "its record is damaged"),
        (lambda record: record.update(licenses={}), "its record has other licences"),
        (lambda record: record.update(licenses={"COPYING": "x"}), "its record has other licences"),
    ],
)
def test_a_damaged_record(made: Made, change: Callable[[Any], object], why: str) -> None:
    change(made.record)
    assert made.refused().startswith(why)


@pytest.mark.parametrize("text", [b"{", b"\xff", b"[" * 100_000])
def test_a_result_that_is_not_json(made: Made, text: bytes) -> None:
    assert made.refused(text) == "the worker has left a damaged result.json"


def test_a_result_that_is_no_record(made: Made) -> None:
    assert made.refused(b"[]") == "its record is damaged"


def test_a_build_that_failed_says_why(made: Made) -> None:
    made.answer.result.exit_code = 1
    error = {"error": {"message": "thing 1.2: build failed\nmore", "detail": ""}}
    assert made.refused(json.dumps(error).encode()) == (
        "failed at the worker: thing 1.2: build failed\\nmore"
    )


def test_a_program_that_did_not_run_has_printed_why(made: Made) -> None:
    made.answer.result.exit_code = 127
    made.answer.result.stderr_raw = b"Traceback\nno such loader\n"
    with pytest.raises(Wrong, match=r"failed at the worker: no such loader\Z"):
        made.taken()
    made.answer.result.stderr_raw = b""
    with pytest.raises(Wrong, match=r"failed at the worker: status 127\Z"):
        made.taken()
