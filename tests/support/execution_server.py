"""A server of the Remote Execution API whose actions do what a test wants."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import grpc
import reapi_server
from buildgrid.common.protos.build.bazel.remote.execution.v2 import remote_execution_pb2 as m
from buildgrid.common.protos.build.bazel.remote.execution.v2 import remote_execution_pb2_grpc as s
from buildgrid.common.protos.google.longrunning import operations_pb2 as o
from buildgrid.common.protos.google.longrunning import operations_pb2_grpc as os
from google.protobuf.empty_pb2 import Empty
from reapi_server import State

Answers = Iterator[o.Operation]


def step(stage: int) -> o.Operation:
    """Return what a server says of an action in progress."""
    found = o.Operation(name="operation")
    found.metadata.Pack(m.ExecuteOperationMetadata(stage=stage))  # type: ignore[arg-type]
    return found


def end(response: m.ExecuteResponse | None = None) -> o.Operation:
    """Return what a server says of an action that has ended."""
    found = o.Operation(name="operation", done=True)
    found.response.Pack(response or m.ExecuteResponse())
    return found


def failed(code: grpc.StatusCode, text: str = "as the test says") -> o.Operation:
    response = m.ExecuteResponse()
    response.status.code, response.status.message = code.value[0], text
    return end(response)


@dataclass
class Actions:
    """What actions do.

    state   -- of the other services
    run     -- answers to Execute, called with the number of times that it was called before
    resume  -- answers to WaitExecution
    cancelled -- set when an action is cancelled
    """

    state: State
    run: Callable[[int, grpc.ServicerContext], Answers]
    resume: Callable[[grpc.ServicerContext], Answers]
    requests: list[m.ExecuteRequest] = field(default_factory=list)
    waits: list[str] = field(default_factory=list)
    cancelled: threading.Event = field(default_factory=threading.Event)


def _unknown(call: grpc.ServicerContext) -> Answers:
    call.abort(grpc.StatusCode.NOT_FOUND, "no such operation")
    yield from ()


class _Services(s.ExecutionServicer, os.OperationsServicer):
    def __init__(self, actions: Actions) -> None:
        self._actions = actions

    def Execute(self, request: m.ExecuteRequest, context: grpc.ServicerContext) -> Answers:
        self._actions.requests.append(request)
        return self._actions.run(len(self._actions.requests) - 1, context)

    def WaitExecution(
        self, request: m.WaitExecutionRequest, context: grpc.ServicerContext
    ) -> Answers:
        self._actions.waits.append(request.name)
        return self._actions.resume(context)

    def CancelOperation(
        self, request: o.CancelOperationRequest, context: grpc.ServicerContext
    ) -> Empty:
        assert request.name == "operation"
        del context
        self._actions.cancelled.set()
        return Empty()


@contextmanager
def running() -> Iterator[Actions]:
    """Serve; each action ends at once, unless the test sets another `run`."""
    actions = Actions(State(), lambda _number, _call: iter((end(),)), _unknown)
    actions.state.capabilities.execution_capabilities.exec_enabled = True

    def add(server: grpc.Server) -> None:
        services = _Services(actions)  # type: ignore[abstract]  # nothing asks for the others
        s.add_ExecutionServicer_to_server(services, server)
        os.add_OperationsServicer_to_server(services, server)

    with reapi_server.running(state=actions.state, add=add):
        yield actions
