"""One action on a server: how long it is waited for, and what a lost call means."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import execution_server
import grpc
import pytest
from buildgrid.common.protos.build.bazel.remote.execution.v2 import remote_execution_pb2 as m
from execution_server import Actions, Answers, end, failed, step
from waiting import within

from quard.dispatch.execution import Execution, Incomplete, NoWorker
from quard.remote.credentials import Credentials
from quard.remote.link import Limits, Link, Stopped
from quard.remote.reapi import Channel
from quard.sources.attempt import Failed
from quard.sources.response import Transient

FAST = Limits(connect=0.5, silence=0.6, slack=0.5, rate=1 << 30, pause=0.01, longest=0.05)
ACTION = m.Digest(hash="0" * 64, size_bytes=1)
UNKNOWN, QUEUED, EXECUTING = (
    m.ExecutionStage.UNKNOWN,
    m.ExecutionStage.QUEUED,
    m.ExecutionStage.EXECUTING,
)


@pytest.fixture
def server() -> Iterator[Actions]:
    with execution_server.running() as found:
        yield found


class Client:
    def __init__(self, server: Actions, limit: float = 0.5, limits: Limits = FAST) -> None:
        self.notes: list[str] = []
        self.stopped, self.begun = threading.Event(), threading.Event()
        link = Link("the execution service at HOST", self.notes.append, limits)
        self.execution = Execution(
            Channel(server.state.base, Credentials(), link),
            limit,
            self.stopped.is_set,
            self.notes.append,
            self.begun.set,
        )

    def run(self, *, fresh: bool = False) -> m.ExecuteResponse:
        return self.execution.run(ACTION, fresh=fresh)


def hang(call: grpc.ServicerContext) -> None:
    """Wait until the call has ended."""
    while call.is_active():
        time.sleep(0.02)


def test_an_action_has_a_result(server: Actions) -> None:
    made = m.ExecuteResponse(message="done")
    server.run = lambda _number, _call: iter((step(QUEUED), step(EXECUTING), end(made)))
    client = Client(server)
    assert client.run(fresh=True).message == "done"
    assert client.begun.is_set() and client.notes == []
    (request,) = server.requests
    assert request.skip_cache_lookup and request.action_digest == ACTION


@pytest.mark.parametrize("said", [True, False])
def test_an_action_that_no_worker_begins_is_cancelled(server: Actions, said: bool) -> None:
    def queue(_number: int, call: grpc.ServicerContext) -> Answers:
        if said:
            yield step(QUEUED)
        hang(call)

    server.run = queue
    client = Client(server, 2)
    with pytest.raises(NoWorker, match="no worker has begun it within 2 s"):
        client.run()
    assert not client.begun.is_set()
    assert server.cancelled.is_set() is said, "without an answer it has no name"


def test_the_limit_starts_anew_when_a_worker_is_lost(server: Actions) -> None:
    def requeue(_number: int, _call: grpc.ServicerContext) -> Answers:
        for stage, seconds in ((QUEUED, 0.0), (EXECUTING, 1.5), (QUEUED, 0.1), (EXECUTING, 0.0)):
            yield step(stage)
            time.sleep(seconds)
        yield end()

    server.run = requeue
    client = Client(server, 1.2)
    client.run()
    assert client.notes == [] and not server.cancelled.is_set()


@pytest.mark.parametrize("stage", [UNKNOWN, EXECUTING])
def test_an_action_that_runs_is_waited_for(server: Actions, stage: int) -> None:
    def slow(_number: int, _call: grpc.ServicerContext) -> Answers:
        yield step(stage)
        assert within(60, lambda: server.state.count("GetCapabilities")), "it is asked"
        time.sleep(0.7)
        yield end()

    server.run = slow
    client = Client(server)
    began = time.monotonic()
    client.run()
    assert client.begun.is_set() and not server.cancelled.is_set()
    assert server.state.count("GetCapabilities") <= (time.monotonic() - began) / FAST.silence


def test_a_silent_server_that_does_not_answer_is_lost(server: Actions) -> None:
    def silent(_number: int, call: grpc.ServicerContext) -> Answers:
        yield step(EXECUTING)
        hang(call)

    def fault(method: str, call: grpc.ServicerContext) -> None:
        if method == "GetCapabilities":
            hang(call)

    server.run, server.state.fault = silent, fault
    client = Client(server)
    with pytest.raises(Transient):
        client.run()


@pytest.mark.parametrize(
    "code", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED, grpc.StatusCode.INTERNAL]
)
def test_an_action_whose_worker_is_lost_is_sent_again(
    server: Actions, code: grpc.StatusCode
) -> None:
    server.run = lambda number, _call: iter((end() if number else failed(code),))
    client = Client(server)
    client.run()
    assert len(server.requests) == 2 and server.waits == []
    assert client.notes == [f"is sent again: {code.name}: as the test says"]


def test_what_a_server_says_is_one_short_line(server: Actions) -> None:
    lost = failed(grpc.StatusCode.UNAVAILABLE, "gone\nwarning: " + "x" * 1000)
    server.run = lambda number, _call: iter((end() if number else lost,))
    client = Client(server)
    client.run()
    (note,) = client.notes
    assert "UNAVAILABLE: gone\\nwarning: xxx" in note and len(note) < 400


def test_an_action_is_sent_twice_at_most(server: Actions) -> None:
    server.run = lambda _number, _call: iter((failed(grpc.StatusCode.UNAVAILABLE),))
    with pytest.raises(Transient, match="UNAVAILABLE"):
        Client(server).run()
    assert len(server.requests) == 2


def test_a_call_that_has_ended_is_taken_up_again(server: Actions) -> None:
    """A proxy has ended it, and does so again."""
    waits = server.waits

    def cut(_number: int, call: grpc.ServicerContext) -> Answers:
        yield step(EXECUTING)
        call.abort(grpc.StatusCode.UNAVAILABLE, "a time-out of the proxy")

    def resume(call: grpc.ServicerContext) -> Answers:
        yield step(EXECUTING)
        if len(waits) < 3:
            time.sleep(0.7)
            call.abort(grpc.StatusCode.UNAVAILABLE, "a time-out of the proxy")
        yield end()

    server.run, server.resume = cut, resume
    client = Client(server)
    client.run()
    assert waits == ["operation"] * 3 and len(server.requests) == 1 and client.notes == []


def test_a_server_that_has_forgotten_an_action_gets_it_again(server: Actions) -> None:
    def run(number: int, call: grpc.ServicerContext) -> Answers:
        yield step(EXECUTING)
        if not number:
            call.abort(grpc.StatusCode.UNAVAILABLE, "it starts again")
        yield end()

    server.run = run
    client = Client(server)
    client.run()
    assert len(server.requests) == 2 and server.waits == ["operation"]


def test_the_user_ends_an_action(server: Actions) -> None:
    def run(_number: int, call: grpc.ServicerContext) -> Answers:
        yield step(EXECUTING)
        hang(call)

    server.run = run
    client = Client(server)
    threading.Timer(0.2, client.stopped.set).start()
    with pytest.raises(Stopped):
        client.run()
    assert within(60, server.cancelled.is_set)


@pytest.mark.parametrize("code", [grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.NOT_FOUND])
@pytest.mark.parametrize("at_once", [True, False])
def test_an_action_may_lack_blobs(server: Actions, code: grpc.StatusCode, at_once: bool) -> None:
    """A server says so of the action, or ends the call."""

    def lacking(_number: int, call: grpc.ServicerContext) -> Answers:
        if at_once:
            call.abort(code, "as the test says")
        yield failed(code)

    server.run = lacking
    with pytest.raises(Incomplete, match="as the test says"):
        Client(server).run()
    assert len(server.requests) == 1


def test_a_stage_that_cannot_be_decoded_is_none(server: Actions) -> None:
    odd = step(EXECUTING)
    odd.metadata.value = b"\xff\xff\xff"
    server.run = lambda _number, _call: iter((odd, end()))
    client = Client(server)
    client.run()
    assert client.begun.is_set() and client.notes == []


def test_a_server_that_answers_is_not_asked_whether_it_is_there(server: Actions) -> None:
    def slow(_number: int, _call: grpc.ServicerContext) -> Answers:
        for _ in range(14):
            time.sleep(0.1)
            yield step(EXECUTING)
        yield end()

    server.run = slow
    Client(server, limits=replace(FAST, silence=1.2)).run()
    assert server.state.count("GetCapabilities") == 0


def test_other_answers_are_failures(server: Actions) -> None:
    server.run = lambda _number, _call: iter((failed(grpc.StatusCode.DEADLINE_EXCEEDED),))
    with pytest.raises(Failed, match="DEADLINE_EXCEEDED: as the test says"):
        Client(server).run()
    odd = end()
    odd.response.value = b"\xff\xff\xff"
    server.run = lambda _number, _call: iter((odd,))
    with pytest.raises(Failed, match="no result of an action"):
        Client(server).run()
