"""A package's build as data: sent elsewhere, it gives the same result from other folders."""

from __future__ import annotations

import io
import json
import os
import shutil
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sent_parts

from incremental.project import Project
from quard.base.canonical import canonical
from quard.base.errors import QuardError
from quard.boards import board, settings
from quard.boards.trees import Trees
from quard.execute.job import Job, read_job
from quard.execute.machine import BuildMachine
from quard.execute.package import Packager
from quard.execute.place import JobPlace
from quard.face.console import Console
from quard.ledger.results import LostResult, Results
from quard.plan.plan import Plan
from quard.plan.source import Request, Variant
from quard.process import trial
from quard.process.jobserver import Jobserver
from quard.process.stop import Stop
from quard.project.build import BoardBuild
from quard.project.host import Host
from quard.project.site import Site
from quard.project.workspace import Workspace
from quard.recipes.catalog import Catalog
from quard.sources.fetch import Fetcher
from quard.sources.mirrors import Locations
from quard.store.local import Store
from quard.store.stores import Stores
from quard.tools.origins import Origin

SEARCH = f"{os.environ['PATH']}:/usr/sbin:/sbin"


@pytest.fixture
def sent(greeting: Project) -> Project:
    sent_parts.give(greeting)
    return greeting


def build_of(project: Project) -> BoardBuild:
    """Return the project's board as a run of SCons sees it."""
    tiny = board.load(Trees(project.folder), "tiny")
    given = settings.load(project.folder, {}, None)
    site = Site(cache=project.cache, home=None, search=SEARCH, jobs=2, machine="x86_64")
    host = Host(project.folder, tiny, given, site, Console(io.StringIO()))
    catalog = Catalog(project.folder / "packages")
    workspace = Workspace(project.folder, Trees(project.folder), tiny, catalog, given, host)
    return BoardBuild(workspace, workspace.resolve({}))


def machine_of(build: BoardBuild) -> BuildMachine:
    return BuildMachine(
        toolchain=build.workspace.host.tooling.compiler,
        system=build.workspace.host.tooling.system,
        origins=build.workspace.host.tooling.origins,
        jobserver=Jobserver(2),
        mode=trial.probe("auto")[0],
        search=SEARCH,
        keep=(),
        stop=Stop(),
    )


class Elsewhere:
    """Folders of another machine: they have a job's inputs under its digests, and nothing else."""

    def __init__(self, folder: Path, job: Job, archive: Path, files: Mapping[str, Path]) -> None:
        self.folder = folder
        name = job.plan.name
        (folder / "sources" / name).mkdir(parents=True)
        shutil.copy(archive, folder / "sources" / name / archive.name)
        (folder / "files").mkdir()
        named = {}
        for reference in (*job.plan.patches, *job.plan.files):
            named[reference.name] = folder / "files" / reference.sha256
            named[reference.name].write_bytes(files[reference.name].read_bytes())
        self.store = Store(folder / "shared")
        self.stores = Stores(Store(folder / "local"), self.store)
        variants = tuple(Variant(archive.name, sha256, ()) for sha256 in job.plan.sources)
        self.place = JobPlace(
            requests=(Request(name, variants),),
            tree=None,
            files=named,
            needs={need: need for need in job.dev},
            natives={},
            results=Results(folder / "units", name),
            work=folder / "work" / name,
            log=folder / "log",
            shown="log",
        )

    def packager(self, machine: BuildMachine) -> Packager:
        progress = Console(io.StringIO()).progress()
        return Packager(
            self.stores, Fetcher(self.folder / "sources", Locations(), progress), machine
        )


def test_a_job_that_is_sent_elsewhere_gives_the_same_result(sent: Project, tmp_path: Path) -> None:
    assert sent.run().status == 0
    build = build_of(sent)
    job, machine = build.job("hello"), machine_of(build)
    text = canonical(job.as_json())
    assert str(tmp_path) not in text and "file:" not in text
    assert [file.executable for file in job.plan.files] == [True] and set(job.dev) == {"greet"}
    assert [patch.name for patch in job.plan.patches] == ["0001-space.patch"]
    record = (sent.folder / "out/tiny/units/hello.record.json").read_bytes()

    other = read_job(json.loads(text))
    assert other == job
    there = Elsewhere(
        tmp_path / "elsewhere", other, sent.sources / "hello-1.tar.xz", build.place("hello").files
    )
    dev = job.dev["greet"]
    part = tmp_path / "part"
    shutil.copy(sent.cache / "store/cas" / dev[:2] / dev, part)
    assert there.store.add(part) == dev
    for folder in (sent.folder, sent.cache, sent.sources):
        shutil.rmtree(folder)
    outcome = there.packager(machine).produce(other, there.place, lambda _: None, nullcontext)
    assert outcome.how == "built"
    assert there.place.results.record.read_bytes() == record
    packager = there.packager(machine)
    results = packager.lookup(other.plan, other.now)
    restored = packager.restore(other.plan, other.now, there.place, results)
    assert restored is not None and restored.how == "restored"


def test_a_job_whose_dependency_is_nowhere_says_which(sent: Project, tmp_path: Path) -> None:
    assert sent.run("greet").status == 0
    build = build_of(sent)
    job = build.job("hello")
    there = Elsewhere(
        tmp_path / "elsewhere", job, sent.sources / "hello-1.tar.xz", build.place("hello").files
    )
    with pytest.raises(LostResult) as caught:
        there.packager(machine_of(build)).produce(job, there.place, lambda _: None, nullcontext)
    assert (caught.value.package, caught.value.part) == ("greet", "dev")
    assert not there.place.work.exists() and not there.place.results.result.exists()


def emptied(stores: Stores) -> None:
    """Remove all blobs, as somebody else may at any time."""
    for store in stores.all:
        shutil.rmtree(store.root / "cas", ignore_errors=True)


def test_origins_are_looked_up_before_a_store_has_blobs_without_a_record(sent: Project) -> None:
    build = build_of(sent)
    host, asked = build.workspace.host, []

    def origins(plan: Plan, files: Iterable[Path]) -> Mapping[Path, Origin]:
        emptied(host.stores)
        asked.append(plan.name)
        return host.tooling.origins(plan, files)

    machine = replace(machine_of(build), origins=origins)
    packager = Packager(host.stores, host.fetcher(), machine)
    place = build.place("libc")
    outcome = packager.produce(build.job("libc"), place, lambda _: None, nullcontext)
    assert (outcome.how, asked) == ("built", ["libc"])
    assert json.loads(place.results.record.read_bytes())["origins"]


class Emptying:
    """Workers whose result is removed from the store before its record is there."""

    def __init__(self, stores: Stores, record: dict[str, Any]) -> None:
        self._stores = stores
        self._record = record

    def build(self, *_: object, **__: object) -> dict[str, Any]:
        emptied(self._stores)
        return dict(self._record)

    def finish(self) -> str:
        return ""


def test_a_workers_result_that_is_gone_before_its_record_comes_is_lost(sent: Project) -> None:
    build = build_of(sent)
    host, job, place = build.workspace.host, build.job("greet"), build.place("greet")
    here = Packager(host.stores, host.fetcher(), machine_of(build))
    outcome = here.produce(job, place, lambda _: None, nullcontext)
    workers = Emptying(host.stores, json.loads(place.results.record.read_bytes()))
    away = Packager(host.stores, host.fetcher(), machine_of(build), workers)
    for store in host.stores.all:
        store.drop(outcome.key)
    with pytest.raises(LostResult) as caught:
        away.produce(job, place, lambda _: None, nullcontext)
    assert caught.value.package == "greet"
    assert host.stores.record(outcome.key) is None
    assert here.produce(job, place, lambda _: None, nullcontext).key == outcome.key


@pytest.mark.parametrize("name", ["0001-space.patch", "made"])
@pytest.mark.parametrize("harm", ["changed", "removed"])
def test_a_file_that_is_no_longer_the_plans_ends_the_build(
    sent: Project, name: str, harm: str
) -> None:
    assert sent.run("greet").status == 0
    build = build_of(sent)
    job, place, packager = build.job("hello"), build.place("hello"), build.workspace.host.packager
    path = sent.folder / "packages/hello" / name
    if harm == "removed":
        path.unlink()
    else:
        path.write_text(path.read_text() + "\n")
    with pytest.raises(QuardError) as caught:
        packager.produce(job, place, lambda _: None, nullcontext)
    assert caught.value.reason == "changed-while-building"
    assert not place.results.result.exists()
    assert list(packager.lookup(job.plan, job.now)) == []


def test_an_archive_that_is_not_the_plans_is_not_unpacked(sent: Project) -> None:
    """The recipe was edited after the plan was made of it."""
    assert sent.run("greet").status == 0
    build = build_of(sent)
    job, place = build.job("hello"), build.place("hello")
    (sent.folder / "elsewhere").mkdir()
    other = sent.folder / "elsewhere/hello-1.tar.xz"
    shutil.copy(sent.sources / "greet-1.tar.xz", other)
    ((variant,),) = (
        one.variants for one in build.workspace.requests(build.resolved.packages["greet"])
    )
    request = Request("hello", (Variant(other.name, variant.sha256, (other.as_uri(),)),))
    wrong = JobPlace(**{**vars(place), "requests": (request,)})
    with pytest.raises(QuardError) as caught:
        build.workspace.host.packager.produce(job, wrong, lambda _: None, nullcontext)
    assert caught.value.reason == "changed-while-building"


def test_a_record_of_another_result_is_not_a_dependency(sent: Project) -> None:
    """The digests of a job belong together: its key would name an interface that it never saw."""
    assert sent.run("greet").status == 0
    path = sent.folder / "out/tiny/units/greet.record.json"
    record = json.loads(path.read_bytes())
    path.write_text(json.dumps({**record, "interface": {"files": {}}}))
    with pytest.raises(LostResult) as caught:
        build_of(sent).job("hello")
    assert caught.value.reason == "result-damaged"
    ran = sent.run("hello")
    assert ran.status == 0 and ran.summary["restored"] == ["greet"], ran.text
    assert ran.built == ["hello"]
    assert json.loads(path.read_bytes()) == record


@pytest.mark.parametrize(
    "more", [{"dev": {}}, {"now": {}}, {"now": {"record": 0}}, {"dev": None}, {"plan": {}}]
)
def test_a_job_of_another_version_is_refused(sent: Project, more: dict[str, object]) -> None:
    assert sent.run("greet").status == 0
    data = build_of(sent).job("hello").as_json()
    with pytest.raises(ValueError, match=r"job|plan"):
        read_job({**data, **more})
