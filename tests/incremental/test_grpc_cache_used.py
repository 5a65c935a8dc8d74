"""The remote cache over gRPC in use: two machines, buildbox-casd, and what may go wrong."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import casd
import grpc
import pytest
import reapi_server
from casd import Casd, needs_casd
from reapi_server import State
from waiting import within

import company
from incremental.conftest import ALL
from incremental.project import Project, ok
from quard.store.stores import EMPTY


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Casd]:
    with casd.running(tmp_path / "casd") as found:
        yield found


@pytest.fixture
def state() -> Iterator[State]:
    with reapi_server.running() as found:
        yield found


def blobs(project: Project) -> set[str]:
    """The blobs that the machine's store has."""
    return {path.name for path in (project.cache / "store/cas").rglob("*") if path.is_file()}


def parts(project: Project, *names: str) -> set[str]:
    """The blobs of some parts of all packages, but the empty one."""
    found = set()
    for path in (project.folder / "out/tiny/units").glob("*.record.json"):
        record = json.loads(path.read_bytes())
        found |= {record["blobs"][name] for name in names if name in record["blobs"]}
    return found - {EMPTY}


@needs_casd
def test_a_second_machine_has_the_image_without_compiling(greeting: Project, server: Casd) -> None:
    first = ok(greeting.run(f"cache.url={server.address}"))
    assert first.built == ALL and first.err == ""
    assert f"sent 4 results to the cache at 127.0.0.1:{server.port}" in first.text
    image = greeting.image()
    greeting.other_machine()
    ran = ok(greeting.run(f"cache.url={server.address}"))
    assert ran.built == [] and sorted(ran.summary["restored"]) == ALL
    assert f"hello 1: from the cache at 127.0.0.1:{server.port}" in ran.out
    assert greeting.image() == image and ran.err == ""
    assert "sent" not in ran.out
    here = blobs(greeting) - {EMPTY}
    assert here and here <= parts(greeting, "libs", "programs"), "only what the image needs"


@needs_casd
def test_a_null_build_asks_nothing_and_loads_no_grpc(greeting: Project, server: Casd) -> None:
    address = f"cache.url={server.address}"
    ok(greeting.run(address))
    greeting.other_machine()
    loading = {"PYTHONPROFILEIMPORTTIME": "1"}
    assert "grpc" in ok(greeting.run(address, env=loading)).err
    server.kill()
    ran = ok(greeting.run(address, env=loading))
    assert ran.built == [] and "not used any more" not in ran.text
    lines = [line for line in ran.err.splitlines() if "grpc" in line or "asyncio" in line]
    assert lines == []


@needs_casd
def test_a_server_that_is_killed_in_the_middle_changes_nothing(
    greeting: Project, server: Casd
) -> None:
    address = f"cache.url={server.address}"
    ok(greeting.run(address))
    image = greeting.image()
    greeting.other_machine()
    seen = greeting.cache / "store/away"

    def kill() -> None:
        within(30, seen.exists)
        server.kill()

    killing = threading.Thread(target=kill)
    killing.start()
    ran = ok(greeting.run(address))
    killing.join()
    assert greeting.image() == image
    assert ran.text.count("is not used any more in this run") == 1


@needs_casd
def test_a_change_of_one_package_builds_it_alone(greeting: Project, server: Casd) -> None:
    address = f"cache.url={server.address}"
    ok(greeting.run(address))
    greeting.program("alone", "int main(void) { return 1; }\n")
    greeting.other_machine()
    ran = ok(greeting.run(address))
    assert ran.built == ["alone"] and "sent 1 results" in ran.text


@needs_casd
def test_a_dry_run_asks_what_it_would_take(greeting: Project, server: Casd) -> None:
    address = f"cache.url={server.address}"
    ok(greeting.run(address))
    greeting.other_machine()
    ran = ok(greeting.run("-n", address))
    assert ran.err == "" and "take from the store  hello" in ran.out


def gone(method: str, call: grpc.ServicerContext) -> None:
    if method in ("BatchReadBlobs", "Read"):
        call.abort(grpc.StatusCode.NOT_FOUND, "no such blob")


def test_blobs_that_are_gone_after_the_hit_are_built_in_the_same_run(
    greeting: Project, state: State
) -> None:
    ok(greeting.run(f"cache.url={state.base}"))
    image = greeting.image()
    greeting.other_machine()
    state.fault = gone
    ran = ok(greeting.run(f"cache.url={state.base}"))
    assert {"alone", "hello"} <= {*ran.built}
    assert greeting.image() == image


def test_a_server_that_fails_in_the_middle_changes_nothing(greeting: Project, state: State) -> None:
    ok(greeting.run(f"cache.url={state.base}"))
    image = greeting.image()
    greeting.other_machine()
    calls = itertools.count()

    def fails(_method: str, call: grpc.ServicerContext) -> None:
        if next(calls) >= 5:
            call.abort(grpc.StatusCode.UNAUTHENTICATED, "as the test says")

    state.fault = fails
    ran = ok(greeting.run(f"cache.url={state.base}"))
    assert greeting.image() == image
    assert ran.text.count("is not used any more in this run") == 1


def test_wrong_bytes_are_never_in_an_image(greeting: Project, state: State) -> None:
    ok(greeting.run(f"cache.url={state.base}"))
    image = greeting.image()
    greeting.other_machine()
    for sha256 in state.blobs:
        state.blobs[sha256] = state.blobs[sha256][::-1]
    ran = ok(greeting.run(f"cache.url={state.base}"))
    assert greeting.image() == image and ran.built != []
    assert "has other bytes than those of blob" in ran.text


def test_a_server_that_is_not_trusted_is_one_line(greeting: Project, tmp_path: Path) -> None:
    authority = company.found(tmp_path)
    pair = (authority / "server.key").read_bytes(), (authority / "server.pem").read_bytes()
    with reapi_server.running(grpc.ssl_server_credentials([pair])) as state:
        ran = ok(greeting.run("libc", f"cache.url={state.base}"))
    assert ran.built == ["libc"]
    warnings = [line for line in ran.text.splitlines() if "TLS" in line]
    assert len(warnings) == 1 and "CERTIFICATE_VERIFY_FAILED" in warnings[0]
    assert ran.err == "", "gRPC writes nothing of its own"


def test_a_run_that_waits_for_the_server_ends_at_ctrl_c(greeting: Project, state: State) -> None:
    asked, release = threading.Event(), threading.Event()

    def hang(method: str, _call: grpc.ServicerContext) -> None:
        if method == "GetActionResult":
            asked.set()
            release.wait(30)

    state.fault = hang
    run = subprocess.Popen(
        greeting.command(f"cache.url={state.base}"),
        cwd=greeting.folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env={**os.environ},
    )
    try:
        assert asked.wait(60)
        os.killpg(run.pid, signal.SIGINT)
        text, _ = run.communicate(timeout=20)
        assert run.returncode not in (0, None) and "Traceback" not in text, text
    finally:
        release.set()
        run.kill()
        run.wait()
