"""Packages that workers build: the results of local builds, and what may go wrong elsewhere."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import casd
import execution_server
import grpc
import pinned_tools
import ports
import pytest
from buildgrid.common.protos.build.bazel.remote.execution.v2.remote_execution_pb2 import (
    ExecutionStage,
)
from casd import Casd, needs_casd
from execution_server import Actions, Answers, end, failed, step
from sleepers import own, sleeping
from waiting import within

from incremental.menu import menu
from incremental.project import Project, Ran

pytestmark = needs_casd
RECORDS = "out/tiny/units/*.record.json"
SLOW = "alone: alone.c\n\ttest `hostname` != buildbox || sleep {}\n\t$(CC) $(CFLAGS) -o $@ $<\n"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a server, so that the tools are sent only once."""
    return tmp_path_factory.mktemp("casd")


@pytest.fixture
def workers(store: Path) -> Iterator[Casd]:
    with casd.executing(store) as found:
        yield found


@pytest.fixture
def pinned(greeting: Project) -> Project:
    pinned_tools.give(greeting)
    return greeting


def words(server: Casd, *more: str) -> list[str]:
    return [*pinned_tools.WORDS, f"remote.url={server.address}", "remote.execute=true", *more]


def run(project: Project, server: Casd, *more: str) -> Ran:
    ran = project.run(*words(server, *more))
    assert ran.status == 0, ran.text
    return ran


def forget(project: Project) -> None:
    """Go on as on a machine that has built nothing."""
    shutil.rmtree(project.folder / "out", ignore_errors=True)
    shutil.rmtree(project.cache / "store", ignore_errors=True)


def blobs(project: Project) -> dict[str, dict[str, str]]:
    """Return the parts of each package, without their logs."""
    found = {}
    for path in sorted(project.folder.glob(RECORDS)):
        record = json.loads(path.read_bytes())
        del record["blobs"]["log"]
        found[record["name"]] = record["blobs"]
    return found


def local(project: Project) -> tuple[dict[str, dict[str, str]], str]:
    """Build everything here; return its parts, and the hash of the image."""
    ran = project.run(*pinned_tools.WORDS)
    assert ran.status == 0, ran.text
    found = blobs(project), project.image()
    forget(project)
    return found


def test_workers_make_what_a_local_build_makes(pinned: Project, workers: Casd) -> None:
    expected = local(pinned)
    ran = run(pinned, workers, "remote.jobs=8", "-j1")
    assert (blobs(pinned), pinned.image()) == expected
    there = re.findall(rf"^(\w+) 1: built by 127.0.0.1:{workers.port} in", ran.out, re.MULTILINE)
    assert len(there) >= 2, ran.out
    assert ran.built and "libc toolchain: built in" in ran.out
    for name in there:  # which one is built here depends on who asks first
        log = (pinned.folder / f"out/tiny/logs/{name}.log").read_text()
        assert "==> build: make " in log
        assert f"==> built by 127.0.0.1:{workers.port}: " in log and ", ran " in log
    assert {row["name"] for row in ran.summary["built"] if "worker" in row} == set(there)
    sent = f" MiB to the execution service at 127.0.0.1:{workers.port}"
    assert sent in ran.out, "with the tools"
    again = run(pinned, workers)
    assert again.built == [] and again.summary["restored"] == []


def test_a_run_that_only_workers_have_worked_in_has_no_idle_share(
    pinned: Project, workers: Casd
) -> None:
    run(pinned, workers)
    ran = run(pinned, workers, "greet-rebuild")
    (row,) = ran.summary["built"]
    assert row["worker"] == f"127.0.0.1:{workers.port}" and ran.summary["idle"] is None
    assert re.search(r"^tiny: 1 built \(1 by workers\)(, .*)? in [\d.]+ s$", ran.out, re.MULTILINE)


def test_a_result_of_workers_is_one_of_the_local_store(pinned: Project, workers: Casd) -> None:
    run(pinned, workers, "greet")
    shutil.rmtree(pinned.folder / "out")
    ran = pinned.run("greet", *pinned_tools.WORDS)
    assert ran.status == 0 and ran.summary["restored"] == ["greet"] and ran.built == []


def test_what_fails_there_is_built_here(pinned: Project, workers: Casd) -> None:
    makefile = "alone: alone.c\n\ttest `hostname` = quard\n\t$(CC) $(CFLAGS) -o $@ alone.c\n"
    _package(pinned, makefile)
    ran = run(pinned, workers, "alone")
    assert ran.out.count("warning: alone is built here: failed at 127.0.0.1") == 1
    assert "alone 1: build failed" in ran.out and "alone 1: built in" in ran.out


def test_what_fails_everywhere_is_one_error_of_the_build_here(
    pinned: Project, workers: Casd
) -> None:
    pinned.program("alone", "int main(void) { return nothing; }\n")
    ran = pinned.run(*words(workers, "alone"))
    assert ran.status == 2 and ran.err.count("reason: ") == 1, ran.text
    assert "'nothing' undeclared" in ran.err and "log: out/tiny/logs/alone.log" in ran.err
    ran = pinned.run(*words(workers, "alone"))
    assert ran.status == 2 and "is built here" not in ran.out, "its work folder is here"


def test_a_server_that_is_killed_meanwhile(pinned: Project, workers: Casd) -> None:
    _package(pinned, SLOW.format(own(7101)))
    forget(pinned)
    process = _start(pinned, workers)
    assert within(60, lambda: sleeping(own(7101)) or process.poll()) and not process.poll()
    workers.kill()
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 0, out
    assert "alone is sent again: " in out and "alone 1: built in" in out
    assert out.count("alone is built here: ") == 1


def test_ctrl_c_ends_the_action_as_well(pinned: Project, workers: Casd) -> None:
    _package(pinned, SLOW.format(own(7102)))
    process = _start(pinned, workers)
    assert within(60, lambda: sleeping(own(7102)) or process.poll()) and not process.poll()
    os.killpg(process.pid, signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode != 0 and "Traceback" not in out, out
    assert within(10, lambda: not sleeping(own(7102)))


def test_a_worker_that_lacks_something(pinned: Project, store: Path) -> None:
    """Its runner does not find bubblewrap."""
    _package(pinned, "alone: alone.c\n\t$(CC) $(CFLAGS) -DLACKING -o $@ alone.c\n")
    with casd.executing(store, search="/nowhere") as workers:
        ran = run(pinned, workers, "alone")
    assert ran.out.count("warning: alone is built here: ") == 1 and "alone 1: built in" in ran.out


def test_without_a_server_there_is_one_line(pinned: Project) -> None:
    with ports.held() as port:
        gone = Casd(pinned.folder, port, "quard", None)  # type: ignore[arg-type]
        ran = run(pinned, gone)
    assert ran.text.count("is not used any more in this run") == 1
    assert sorted(ran.built) == ["alone", "greet", "hello", "libc"]


class Everything(dict[str, bytes]):
    """The blobs of a server that claims to have each one, so that it gets none."""

    def __contains__(self, sha256: object) -> bool:
        return isinstance(sha256, str)


@pytest.fixture
def scripted() -> Iterator[Actions]:
    with execution_server.running() as found:
        found.state.blobs = Everything()
        yield found


def test_without_workers_packages_wait_within_the_limit(pinned: Project, scripted: Actions) -> None:
    def queue(_number: int, call: grpc.ServicerContext) -> Answers:
        yield step(ExecutionStage.QUEUED)
        while call.is_active():
            time.sleep(0.02)

    scripted.run = queue
    where = [f"remote.url={scripted.state.base}", "remote.execute=true", "remote.queue=1"]
    ran = pinned.run(*pinned_tools.WORDS, *where, "remote.jobs=1", "-j1")
    assert ran.status == 0, ran.text
    assert ran.out.count(" is built here: no worker has begun it within 1 s") == 1
    assert len(scripted.requests) == 1, "none is waited for again"
    assert scripted.cancelled.is_set()
    assert sorted(ran.built) == ["alone", "greet", "hello", "libc"]


def test_a_server_that_builds_nothing_for_this_user_is_asked_once(
    pinned: Project, scripted: Actions
) -> None:
    def deny(_number: int, call: grpc.ServicerContext) -> Answers:
        call.abort(grpc.StatusCode.PERMISSION_DENIED, "readers build elsewhere")
        yield from ()

    scripted.run = deny
    where = [f"remote.url={scripted.state.base}", "remote.execute=true"]
    ran = pinned.run(*pinned_tools.WORDS, *where, "remote.jobs=1", "-j1")
    assert ran.status == 0 and sorted(ran.built) == ["alone", "greet", "hello", "libc"], ran.text
    assert ran.text.count("warning: ") == 1, ran.text
    assert "is not used any more in this run: it builds no packages: PERMISSION_DENIED" in ran.text
    assert len(scripted.requests) == 1


def test_a_server_that_has_lost_blobs_is_asked_for_all_again(
    pinned: Project, scripted: Actions
) -> None:
    scripted.run = lambda number, _call: iter(
        (end() if number else failed(grpc.StatusCode.FAILED_PRECONDITION),)
    )
    where = [f"remote.url={scripted.state.base}", "remote.execute=true"]
    ran = pinned.run(*pinned_tools.WORDS, *where, "alone")
    assert ran.status == 0, ran.text
    assert scripted.state.count("FindMissingBlobs") == len(scripted.requests) == 2
    assert ran.out.count("alone is built here: 127.0.0.1") == 1 and "has left no " in ran.out


def test_an_incremental_build_stays_here(pinned: Project, scripted: Actions) -> None:
    menu(pinned)
    ran = pinned.run(*pinned_tools.WORDS, "menu")
    assert ran.status == 0, ran.text
    menu(pinned, "CONFIG_NET=y\nCONFIG_DEBUG=y\n")
    where = [f"remote.url={scripted.state.base}", "remote.execute=true"]
    ran = pinned.run(*pinned_tools.WORDS, *where, "menu")
    assert ran.status == 0 and ran.built == ["menu"], ran.text
    assert scripted.requests == [] and "is built here" not in ran.text
    shutil.rmtree(pinned.folder / "out")
    menu(pinned, "CONFIG_NET=y\nCONFIG_DEBUG=y\nCONFIG_TRACE=y\n")
    ran = pinned.run(*pinned_tools.WORDS, *where, "menu")
    assert len(scripted.requests) == 1, "from scratch it is sent"
    assert ran.status == 0 and "menu is built here" in ran.text


def test_nothing_open_leaves_this_machine(pinned: Project, workers: Casd, tmp_path: Path) -> None:
    """A local tree, and builds with the machine's own tools."""
    tree = tmp_path / "tree"
    tree.mkdir()
    for name, text in {"Makefile": "all:\n", "COPYING": "MIT\n"}.items():
        (tree / name).write_text(text)
    (tree / "Makefile").write_text("alone: alone.c\n\t$(CC) $(CFLAGS) -o $@ alone.c\n")
    (tree / "alone.c").write_text("int main(void) { return 3; }\n")
    ran = run(pinned, workers, "alone", f"override.alone={tree}")
    assert ran.built == ["alone"] and "alone 1: built in" in ran.out
    ran = pinned.run(*words(workers, "greet", "tools.root=machine"))
    assert ran.status == 0 and "greet 1: built in" in ran.out, ran.text
    assert ran.out.count("remote.execute has no effect") == 1


def _package(project: Project, makefile: str) -> None:
    """Let the program `alone` have another Makefile."""
    files = {"Makefile": makefile, "alone.c": "int main(void) { return 0; }\n"}
    project.source("alone", files)


def _start(project: Project, server: Casd) -> subprocess.Popen[str]:
    return subprocess.Popen(
        project.command(*words(server, "alone")),
        cwd=project.folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
