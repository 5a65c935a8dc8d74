"""nginx before workers, as docs/remote-execution.md shows it: whose packages they build."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import casd
import nginx
import pinned_tools
import pytest
from casd import Casd, needs_casd
from nginx import Nginx
from sleepers import own, sleeping
from waiting import within

import company
from incremental.project import Project, Ran, ok

pytestmark = needs_casd


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = company.found(tmp_path_factory.mktemp("authority"))
    company.client(folder, "writer", "/O=write/CN=ci")
    company.client(folder, "reader", "/O=team/CN=desk")
    return folder


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Casd]:
    """The workers; they are sent the tools only once."""
    with casd.executing(tmp_path_factory.mktemp("casd"), instance="main") as found:
        yield found


@pytest.fixture
def front(behind: Casd, authority: Path, tmp_path: Path) -> Iterator[Nginx]:
    block = partial(nginx.execution_block, authority, behind.port)
    with nginx.running(tmp_path / "nginx", block) as found:
        yield found


@pytest.fixture
def pinned(greeting: Project) -> Project:
    pinned_tools.give(greeting)
    return greeting


Build = Callable[[Nginx, str], Ran]


@pytest.fixture
def build(pinned: Project, authority: Path) -> Build:
    """Build with the workers behind an nginx, as one of the authority's clients."""

    def run(front: Nginx, client: str) -> Ran:
        return ok(pinned.run(*words(front, authority, client), env=trusting(authority)))

    return run


def words(front: Nginx, authority: Path, client: str) -> list[str]:
    """Return the settings of a client that has a certificate, unless `client` is empty."""
    where = (f"remote.url=grpcs://127.0.0.1:{front.port}/main", "remote.execute=true")
    shown = (f"remote.certificate={authority / client}.pem",) if client else ()
    return [*pinned_tools.WORDS, *where, *shown, "remote.jobs=4", "-j1"]


def trusting(authority: Path) -> dict[str, str]:
    own = {"SSL_CERT_FILE": str(authority / "ca.pem")}
    return {**own, "REQUESTS_CA_BUNDLE": "", "CURL_CA_BUNDLE": ""}


def by_workers(ran: Ran, front: Nginx) -> int:
    return ran.out.count(f"built by 127.0.0.1:{front.port} in")


def test_packages_of_writers_are_built_by_workers(build: Build, front: Nginx) -> None:
    ran = build(front, "writer")
    assert by_workers(ran, front) >= 2, ran.text
    assert "warning: " not in ran.text


def test_packages_of_readers_are_built_here_and_one_line_says_why(
    build: Build, front: Nginx
) -> None:
    ran = build(front, "reader")
    assert by_workers(ran, front) == 0
    assert sorted(ran.built) == ["alone", "greet", "hello", "libc"]
    assert ran.text.count("warning: ") == 1 and "PERMISSION_DENIED" in ran.text, ran.text


def test_others_reach_no_worker(build: Build, front: Nginx) -> None:
    ran = build(front, "")
    assert by_workers(ran, front) == 0 and len(ran.built) == 4
    assert ran.text.count("warning: ") == 1 and "not used any more" in ran.text, ran.text


def test_a_call_that_the_proxy_ends_is_taken_up_again(
    pinned: Project, behind: Casd, authority: Path, tmp_path: Path
) -> None:
    """The build goes on only after the first call has been ended."""
    makefile = f"alone: alone.c\n\tsleep {own(7103)} || true\n\t$(CC) $(CFLAGS) -o $@ $<\n"
    pinned.source("alone", {"Makefile": makefile, "alone.c": "int main(void) { return 0; }\n"})
    block = partial(nginx.execution_block, authority, behind.port, patience="10s")
    with nginx.running(tmp_path / "nginx", block) as hasty:
        process = subprocess.Popen(
            pinned.command(*words(hasty, authority, "writer"), "alone"),
            cwd=pinned.folder,
            env={**os.environ, **trusting(authority)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert within(60, lambda: _calls(hasty) or process.poll() is not None), "none was ended"
        assert process.poll() is None and _calls(hasty) == ["Execute"]
        for number in sleeping(own(7103)):
            os.kill(number, signal.SIGTERM)
        out, _ = process.communicate(timeout=60)
        assert process.returncode == 0 and f"built by 127.0.0.1:{hasty.port} in" in out, out
        assert "warning: " not in out, out
        assert _calls(hasty) == ["Execute", "WaitExecution"]


def _calls(front: Nginx) -> list[str]:
    """Return the calls about execution that have ended."""
    paths = (line[6] for line in front.lines("POST"))
    return [path.rpartition("/")[2] for path in paths if ".Execution/" in path]
