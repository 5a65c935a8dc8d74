"""A package's build as an action: it needs only its input, and gives the blobs of a local build."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import dispatch_parts
import pinned_tools
import pytest
import sent_parts

from incremental.project import Project
from quard.boards import board, settings
from quard.boards.trees import Trees
from quard.dispatch.folder import Folder
from quard.dispatch.inputs import Inputs, Order
from quard.face.console import Console
from quard.plan.source import TOP
from quard.project.build import BoardBuild
from quard.project.host import Host
from quard.project.site import Site
from quard.project.workspace import Workspace
from quard.recipes.catalog import Catalog
from quard.sources.archives import Fetched
from quard.store.local import Store

SEARCH = f"{os.environ['PATH']}:/usr/sbin:/sbin"
PLACE = '\ttest "$$(id -u) $$PWD" = "1000 /quard/src"\n'


@pytest.fixture
def sent(greeting: Project) -> Project:
    pinned_tools.give(greeting)
    sent_parts.give(greeting, PLACE)
    return greeting


def order_of(project: Project, name: str, archive: Path | None = None) -> Order:
    """Return the action that builds a package."""
    tiny = board.load(Trees(project.folder), "tiny")
    given = settings.load(project.folder, pinned_tools.SETTINGS, None)
    site = Site(cache=project.cache, home=None, search=SEARCH, jobs=2, machine=os.uname().machine)
    host = Host(project.folder, tiny, given, site, Console(io.StringIO()))
    host.tooling.choose(fetch=True)
    catalog = Catalog(project.folder / "packages")
    workspace = Workspace(project.folder, Trees(project.folder), tiny, catalog, given, host)
    build = BoardBuild(workspace, workspace.resolve({}))
    job, pinned = build.job(name), host.tooling.pinned
    assert pinned is not None
    file = archive or project.sources / f"{name}-1.tar.xz"
    return Inputs(host.stores, pinned.python).order(
        job,
        build.place(name),
        {TOP: Fetched(file, job.plan.sources[0], file.name, "")},
        host.tooling.system(job.plan),
        host.tooling.compiler(job.plan).prefix,
    )


def done(order: Order, top: Path) -> tuple[int, dict[str, object], str]:
    """Run an action; return its status, its result and its log."""
    top.mkdir()
    dispatch_parts.materialise(order.root, top)
    ran = dispatch_parts.run(order, top)
    assert ran.stdout + ran.stderr == ""
    result = json.loads((top / "job/out/result.json").read_bytes())
    return ran.returncode, result, (top / "job/out/log").read_text()


def flat(folder: Folder) -> dict[str, str]:
    return {path: file.sha256 for path, file in folder.files()}


def test_an_action_gives_the_result_of_a_local_build(sent: Project, tmp_path: Path) -> None:
    assert sent.run("hello", *pinned_tools.WORDS).status == 0
    record = json.loads((sent.folder / "out/tiny/units/hello.record.json").read_bytes())
    order = order_of(sent, "hello")
    status, result, log = done(order, tmp_path / "top")
    assert status == 0, log
    made = result["record"]
    assert isinstance(made, dict)
    for found in (made, record):
        del found["blobs"]["log"]
    assert {**made, "archive": record["archive"]} == record
    outputs = {Path(path).name: tmp_path / "top" / path for path in order.outputs}
    assert outputs.keys() == {*record["blobs"], "log", "result.json"}
    store = Store(sent.cache / "store")
    for part, sha256 in record["blobs"].items():
        assert outputs[part].read_bytes() == store.path(sha256).read_bytes()


def test_an_action_names_nothing_of_this_machine(sent: Project, tmp_path: Path) -> None:
    assert sent.run("greet", *pinned_tools.WORDS).status == 0
    order = order_of(sent, "hello")
    own = [file.source for path, file in order.root.files() if path == "job/job.json"]
    assert len(own) == 1 and isinstance(own[0], bytes)
    assert str(tmp_path).encode() not in own[0] and b"file:" not in own[0]
    moved = tmp_path / "moved"
    sent.folder.rename(moved)
    sent.folder = moved
    again = order_of(sent, "hello")
    assert flat(again.root) == flat(order.root)
    assert (again.words, again.env, again.outputs) == (order.words, order.env, order.outputs)


def test_an_action_that_fails_leaves_its_error_and_its_log(sent: Project, tmp_path: Path) -> None:
    sent.program("alone", "int main(void) { return nothing; }\n")
    status, result, log = done(order_of(sent, "alone"), tmp_path / "top")
    error = result["error"]
    assert status == 1 and isinstance(error, dict)
    assert error["message"] == "alone 1: build failed"
    assert "'nothing' undeclared" in error["detail"] and "'nothing' undeclared" in log


def test_an_action_refuses_another_archive(sent: Project, tmp_path: Path) -> None:
    """A worker whose store is damaged must not make a result of what it has."""
    order = order_of(sent, "alone", sent.sources / "greet-1.tar.xz")
    status, result, _ = done(order, tmp_path / "top")
    error = result["error"]
    assert status == 1 and isinstance(error, dict) and "greet-1.tar.xz" in str(error)
