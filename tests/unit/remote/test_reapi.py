"""quard.remote.reapi and what it uses: calls to a server, their limits, and when it is given up."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import grpc
import ports
import pytest
import raw_server
import reapi_server
from buildgrid.common.protos.build.bazel.remote.execution.v2 import (
    remote_execution_pb2 as messages,
)
from buildgrid.common.protos.build.bazel.remote.execution.v2 import (
    remote_execution_pb2_grpc_aio as services,
)
from buildgrid.common.protos.google.bytestream.bytestream_pb2 import ReadRequest
from buildgrid.common.protos.google.bytestream.bytestream_pb2_grpc_aio import ByteStreamStub
from grpc_client import FAST, Client, ends_when_stopped
from reapi_server import State, first

from quard.remote.address import Address
from quard.remote.link import Limits, Stopped, Unusable
from quard.sources.attempt import Failed

PERMANENT = [
    grpc.StatusCode.UNAUTHENTICATED,
    grpc.StatusCode.PERMISSION_DENIED,
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.UNIMPLEMENTED,
    grpc.StatusCode.FAILED_PRECONDITION,
]
PASSING = [
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.ABORTED,
]


@pytest.fixture
def state() -> Iterator[State]:
    with reapi_server.running() as found:
        yield found


@pytest.fixture
def client(state: State) -> Client:
    return Client(state.base)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("grpc://host:1/", Address("host:1", "", secure=False)),
        ("grpc://user:x@host:1/a/b", Address("host:1", "a/b", secure=False)),
        ("grpcs://host/a%20b", Address("host:443", "a b", secure=True)),
        ("grpc://[::1]:5", Address("[::1]:5", "", secure=False)),
    ],
)
def test_an_address_has_a_host_and_an_instance(text: str, address: Address) -> None:
    assert Address.of(text) == address


def test_a_server_is_asked_once_what_it_can_do(state: State, client: Client) -> None:
    assert client.channel.capabilities() == state.capabilities
    assert client.channel.capabilities() == state.capabilities
    assert state.count("GetCapabilities") == 1 and client.said == []


def test_a_server_with_other_hashes_is_not_used(state: State, client: Client) -> None:
    del state.capabilities.cache_capabilities.digest_function[:]
    state.capabilities.cache_capabilities.digest_function.append(messages.DigestFunction.SHA1)
    assert "SHA-256" in client.lost()


@pytest.mark.parametrize("code", PERMANENT, ids=lambda code: code.name)
def test_an_answer_that_stays_is_an_outage_at_once(
    state: State, client: Client, code: grpc.StatusCode
) -> None:
    state.fault = first(1, code)
    assert f"{code.name}: as the test says" in client.lost()
    assert state.count("GetCapabilities") == 1


@pytest.mark.parametrize("code", PASSING, ids=lambda code: code.name)
def test_an_answer_that_may_pass_is_asked_for_again(
    state: State, client: Client, code: grpc.StatusCode
) -> None:
    state.fault = first(2, code)
    assert client.channel.capabilities() == state.capabilities
    assert state.count("GetCapabilities") == 3 and client.said == []


@pytest.mark.parametrize("code", PASSING, ids=lambda code: code.name)
def test_an_answer_that_does_not_pass_is_an_outage_at_the_third_time(
    state: State, client: Client, code: grpc.StatusCode
) -> None:
    state.fault = first(9, code)
    assert "as the test says" in client.lost()
    assert state.count("GetCapabilities") == 3
    with pytest.raises(Unusable):
        client.channel.capabilities()
    assert state.count("GetCapabilities") == 3, "it is not asked any more"


@pytest.mark.parametrize(("wait", "least", "most"), [(0.3, 0.3, 60), (3600, 0.5, 60)])
def test_a_server_may_ask_to_wait_but_not_for_long(
    state: State, wait: float, least: float, most: float
) -> None:
    client = Client(state.base, limits=Limits(silence=5, pause=0.01, longest=0.5))
    state.fault = first(1, grpc.StatusCode.RESOURCE_EXHAUSTED, wait=wait)
    started = time.monotonic()
    client.channel.capabilities()
    assert least <= time.monotonic() - started < most


def test_silence_is_an_outage(state: State) -> None:
    client = Client(state.base, limits=FAST)
    state.fault = lambda _method, _call: time.sleep(1)
    assert "no answer within 0.5 s" in client.lost()


def test_a_port_without_a_server_is_an_outage() -> None:
    with ports.held() as port:
        line = Client(f"grpc://127.0.0.1:{port}").lost()
    assert "Connection refused" in line and "ipv4" not in line


def test_a_port_that_does_not_answer_is_an_outage() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        started = time.monotonic()
        Client(f"grpc://127.0.0.1:{listening.getsockname()[1]}", limits=FAST).lost()
        assert time.monotonic() - started < 60


@pytest.fixture
def garbage() -> Iterator[str]:
    """The address of a server whose every answer is no message."""

    class Handler(grpc.GenericRpcHandler):
        def service(
            self, handler_call_details: grpc.HandlerCallDetails
        ) -> grpc.RpcMethodHandler[bytes, bytes]:
            if handler_call_details.method.endswith("Read"):
                return grpc.unary_stream_rpc_method_handler(lambda _given, _call: iter([b"\xff"]))
            return grpc.unary_unary_rpc_method_handler(lambda _given, _call: b"\xff")

    server = grpc.server(ThreadPoolExecutor(4), handlers=[Handler()])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"grpc://127.0.0.1:{port}"
    server.stop(None).wait(10)


def test_an_answer_that_is_no_message_is_an_outage(
    garbage: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert "no message of the Remote Execution API" in Client(garbage).lost()
    client = Client(garbage)
    method = client.channel.stub(ByteStreamStub).Read
    with pytest.raises(Failed, match="no message"):
        [*client.channel.listen(method, ReadRequest(), seconds=5, silence=5)]
    assert "Traceback" not in capfd.readouterr().err


def test_a_server_of_another_protocol_is_an_outage() -> None:
    def answer(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    with raw_server.running(answer) as place:
        Client(f"grpc://{place}").lost()


def test_a_stopped_run_asks_nothing_more(state: State, client: Client) -> None:
    client.link.stop()
    client.channel.close()
    with pytest.raises(Stopped):
        client.channel.capabilities()
    assert state.asked == []


def test_a_call_ends_when_the_run_is_stopped(state: State) -> None:
    channel = Client(state.base, limits=Limits()).channel
    ends_when_stopped(state, channel, channel.capabilities)


def test_a_server_that_is_started_again_is_used_again() -> None:
    with ports.held() as port:
        with reapi_server.running(port=port) as state:
            client = Client(state.base, limits=Limits(pause=0.2, longest=0.5, attempts=60))
            client.channel.capabilities()

        def ask() -> object:
            method = client.channel.stub(services.CapabilitiesStub).GetCapabilities
            return client.channel.ask(method, messages.GetCapabilitiesRequest())

        answers: list[object] = []
        asking = threading.Thread(target=lambda: answers.append(client.link.persist(ask)))
        asking.start()
        time.sleep(0.4)
        with reapi_server.running(port=port) as state:
            asking.join()
    assert answers == [state.capabilities] and client.said == []


def test_calls_of_several_threads_share_a_connection(state: State) -> None:
    client = Client(state.base)
    with ExitStack() as stack:
        threads = [threading.Thread(target=client.channel.capabilities) for _ in range(8)]
        for thread in threads:
            stack.callback(thread.join)
            thread.start()
    assert state.count("GetCapabilities") == 1
