"""Running one action on a server of the Remote Execution API: queue, loss of a worker, cancelling.

The call lasts as long as the action. A proxy may end it, and a server may be gone without a sign:
a call that ended is taken up again, and a silent server is asked whether it is there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import grpc
from buildgrid.common.protos.build.bazel.remote.execution.v2 import (
    remote_execution_pb2 as messages,
)
from buildgrid.common.protos.build.bazel.remote.execution.v2 import (
    remote_execution_pb2_grpc_aio as services,
)
from buildgrid.common.protos.google.longrunning import operations_pb2 as operations
from buildgrid.common.protos.google.longrunning.operations_pb2_grpc_aio import OperationsStub
from buildgrid.common.protos.google.rpc.status_pb2 import Status
from google.protobuf.any_pb2 import Any
from google.protobuf.message import DecodeError, Message

from quard.remote.grpc_failure import CODES, Missing, Unprepared, refusal
from quard.remote.link import Refusal, Stopped
from quard.remote.reapi import Channel
from quard.sources.attempt import Failed
from quard.sources.response import Transient

_EVERY = 0.2
"""Seconds between two looks at what the user wants and how long an action has waited."""
_ATTEMPTS = 2
_Stage = messages.ExecutionStage
_WAITING = (_Stage.CACHE_CHECK, _Stage.QUEUED)
"""Before the first answer an action counts as waiting."""


class NoWorker(Failed):
    """No worker has begun the action within the limit."""


class _Over(Transient):
    """The action has ended without a result: its worker is lost."""


class Incomplete(Failed):
    """The server has not all blobs that the action needs."""


class Execution:
    """One action on one server.

    limit   -- seconds that it may wait for a worker
    stopped -- returns whether it is to be cancelled
    note    -- called with a line of text when it is sent again
    begun   -- called when a worker has begun it, as far as the server says
    """

    def __init__(
        self,
        channel: Channel,
        limit: float,
        stopped: Callable[[], bool],
        note: Callable[[str], None],
        begun: Callable[[], None],
    ) -> None:
        self._channel = channel
        self._limit = limit
        self._stopped = stopped
        self._note = note
        self._begun = begun
        self._name = ""
        self._stage = _Stage.QUEUED
        self._heard = self._since = 0.0

    def run(self, action: messages.Digest, *, fresh: bool) -> messages.ExecuteResponse:
        """Return what the server says about an action that has been done.

        fresh -- it is done again even if the server has its result
        Raises Failed and its subclasses NoWorker and Incomplete, Stopped.
        """
        for attempt in range(_ATTEMPTS):
            try:
                return self._attempt(action, fresh=fresh)
            except Transient as fault:
                if attempt + 1 == _ATTEMPTS:
                    raise
                self._note(f"is sent again: {fault}")
                self._pause(max(fault.wait, self._channel.link.limits.pause))
        raise AssertionError("the last attempt returns or raises")

    def _attempt(self, action: messages.Digest, *, fresh: bool) -> messages.ExecuteResponse:
        """Send the action once; listen to it again if a call ends before it does."""
        self._name, self._stage = "", _Stage.QUEUED
        began = self._since = self._heard = time.monotonic()
        answers = self._execute(action, fresh=fresh)
        lost: Transient | None = None
        while True:
            try:
                return self._result(answers)
            except (NoWorker, Stopped):
                self._cancel()
                raise
            except _Over:
                raise
            except Refusal:  # it does not know the action any more, or cannot be asked again
                if lost:
                    raise lost from None
                raise
            except Transient as fault:
                # A proxy ends calls without answers after some time, a lost server at once.
                long = time.monotonic() - began >= self._channel.link.limits.silence
                if not self._name or (lost and not long):
                    raise
                lost = fault
            began, answers = time.monotonic(), self._wait()

    def _execute(self, action: messages.Digest, *, fresh: bool) -> Iterator[operations.Operation]:
        request = messages.ExecuteRequest(
            instance_name=self._channel.instance, action_digest=action, skip_cache_lookup=fresh
        )
        method = self._channel.stub(services.ExecutionStub).Execute
        try:
            yield from self._channel.listen(
                method, request, seconds=None, silence=_EVERY, idle=self._idle
            )
        except (Missing, Unprepared) as fault:  # some servers end the call, others the action
            raise Incomplete(str(fault)) from None

    def _wait(self) -> Iterator[operations.Operation]:
        request = messages.WaitExecutionRequest(name=self._name)
        method = self._channel.stub(services.ExecutionStub).WaitExecution
        return self._channel.listen(method, request, seconds=None, silence=_EVERY, idle=self._idle)

    def _result(self, answers: Iterator[operations.Operation]) -> messages.ExecuteResponse:
        for answer in answers:
            self._heard = time.monotonic()
            self._name = answer.name or self._name
            if answer.done:
                return _response(answer)
            self._note_stage(answer)
        raise Transient("the server has ended the call early")

    def _note_stage(self, answer: operations.Operation) -> None:
        """Note how far the action is; some servers do not say it."""
        found = messages.ExecuteOperationMetadata()
        _unpack(answer.metadata, found)
        waits = found.stage in _WAITING
        if self._stage in _WAITING and not waits:
            self._begun()
        elif waits and self._stage not in _WAITING:  # its worker is lost, and it is queued again
            self._since = self._heard
        self._stage = found.stage

    def _idle(self) -> None:
        """Look after a silent call. Raises Stopped, NoWorker, Failed."""
        if self._stopped():
            raise Stopped
        now = time.monotonic()
        if self._stage in _WAITING and now - self._since > self._limit:
            raise NoWorker(f"no worker has begun it within {self._limit:g} s")
        if now - self._heard > self._channel.link.limits.silence:
            self._heard = now
            request = messages.GetCapabilitiesRequest(instance_name=self._channel.instance)
            self._channel.ask(
                self._channel.stub(services.CapabilitiesStub).GetCapabilities, request
            )

    def _pause(self, seconds: float) -> None:
        end = time.monotonic() + min(seconds, self._channel.link.limits.longest)
        while time.monotonic() < end:
            if self._stopped():
                raise Stopped
            time.sleep(_EVERY)

    def _cancel(self) -> None:
        """End the action on the server, which would finish it otherwise."""
        if not self._name:
            return
        request = operations.CancelOperationRequest(name=self._name)
        method = self._channel.stub(OperationsStub).CancelOperation
        try:
            self._channel.ask(method, request, seconds=self._channel.link.limits.connect)
        except Failed as fault:
            self._note(f"may go on at the workers, it could not be cancelled: {fault}")


def _response(answer: operations.Operation) -> messages.ExecuteResponse:
    """Return what an operation that has ended says. Raises Failed for an action without result."""
    if answer.HasField("error"):
        raise _fault(answer.error)
    found = messages.ExecuteResponse()
    if not _unpack(answer.response, found):
        raise Failed("the server's answer is no result of an action")
    if found.status.code:
        raise _fault(found.status)
    return found


def _unpack(answer: Any, into: Message) -> bool:
    """Fill a message with what an answer has in it; return False if that is something else."""
    try:
        return answer.Unpack(into)
    except DecodeError:
        into.Clear()
        return False


def _fault(status: Status) -> Failed:
    """Return the failure for a status that is no success."""
    code = CODES.get(status.code, grpc.StatusCode.UNKNOWN)
    if code in (grpc.StatusCode.FAILED_PRECONDITION, grpc.StatusCode.NOT_FOUND):
        return Incomplete(f"{code.name}: {status.message}")
    found = refusal(code, status.message)
    if isinstance(found, Transient) or code is grpc.StatusCode.UNAVAILABLE:
        return _Over(str(found))
    return found
