"""The same packages built here, by one worker and by two, each with one processor.

A worker is a server of the Remote Execution API with a store of its own, on this machine. Each
package is asked for by a run of its own, as on the machines of a team.
"""

from __future__ import annotations

import os
import shlex
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import casd
from casd import Casd

import checkout
from bench.running import Cost, run, shown
from bench.subject import Subject

_Costs = Mapping[str, list[Cost]]


@dataclass(frozen=True)
class _Client:
    """A clone whose results are those of the warm store, and a worker for it."""

    subject: Subject
    clone: Path
    server: Casd

    @property
    def words(self) -> tuple[str, ...]:
        """The settings with which its worker builds a package; -j1 is for what cannot leave."""
        return (f"remote.url={self.server.address}", "remote.execute=true", "remote.jobs=1", "-j1")

    @property
    def script(self) -> str:
        """A shell script that has its worker build the package that is its argument."""
        clone, record = map(str, (self.clone, self.subject.record(self.clone, "$1")))
        words = checkout.scons(*self.subject.words(*self.words))
        return (
            f'set -e\ncd {shlex.quote(clone)}\n{shlex.join(words)} "$1-rebuild"\n'
            f'grep -q \'"worker":\' "{record}"\n'
        )

    def local(self, package: str) -> Cost:
        cost = self.subject.build(self.clone, f"{package}-rebuild", "-j1")
        self.require(package, by_worker=False)
        return cost

    def remote(self, package: str) -> Cost:
        cost = self.subject.build(self.clone, f"{package}-rebuild", *self.words)
        self.require(package, by_worker=True)
        return cost

    def require(self, package: str, *, by_worker: bool) -> None:
        """End the benchmark unless the package was built where it had to be."""
        worker = self.subject.worker(self.clone, package)
        if bool(worker) != by_worker:
            raise SystemExit(f"bench: {package} was built by {worker or 'this machine'}")


def workers(subject: Subject, packages: Sequence[str], rounds: int) -> dict[str, Any]:
    """Return what packages cost here and at workers.

    Ends the benchmark on a machine with one processor, and if a package is not built where it
    has to be.
    """
    cores = sorted(os.sched_getaffinity(0))[:2]
    if len(cores) < 2:
        raise SystemExit("bench: two workers need two processors")
    subject.build(subject.project)
    with tempfile.TemporaryDirectory(prefix="quardroot-bench-") as name, ExitStack() as open_:
        folder = Path(name)
        clients = [_client(subject, folder, core, open_) for core in cores]
        first = [client.remote(packages[0]) for client in clients]
        stored = sum(path.stat().st_size for path in _blobs(clients[0].server))
        local: dict[str, list[Cost]] = {package: [] for package in packages}
        one: dict[str, list[Cost]] = {package: [] for package in packages}
        two: list[Cost] = []
        for number in range(rounds):
            print(f"workers {number + 1} of {rounds}", flush=True)
            for package in packages:
                with _only(cores[0]):
                    local[package].append(clients[0].local(package))
                one[package].append(clients[0].remote(package))
            two.append(_together(clients, _longest_first(one), folder))
    found = {"first": {**shown(first), "server_mib": round(stored / 2**20, 1)}}
    return {**found, **_compared(local, one), "all": _all(local, one, two)}


def _client(subject: Subject, folder: Path, core: int, open_: ExitStack) -> _Client:
    """Return a client whose worker has one processor; the worker ends with the stack."""
    clone = folder / f"clone{core}"
    subject.copy(clone)
    subject.build(clone)
    with _only(core):
        server = open_.enter_context(casd.executing(folder / f"worker{core}", jobs=1))
    return _Client(subject, clone, server)


@contextmanager
def _only(core: int) -> Iterator[None]:
    """Have what is started meanwhile use one processor."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _blobs(server: Casd) -> Iterator[Path]:
    return (path for path in (server.folder / "store/cas/objects").rglob("*") if path.is_file())


def _longest_first(costs: _Costs) -> list[str]:
    return sorted(costs, key=lambda package: -costs[package][-1].seconds)


def _together(clients: Sequence[_Client], packages: Sequence[str], folder: Path) -> Cost:
    """Return what all packages cost if each client asks for the next one when it has one."""
    listed = folder / "packages"
    listed.write_text("".join(f"{package}\n" for package in packages), encoding="utf-8")
    for slot, client in enumerate(clients):
        (folder / f"client{slot}").write_text(client.script, encoding="utf-8")
    each = ("sh", "-c", 'exec sh "$0/client$SLOT" "$1"', str(folder))
    slots = (f"-P{len(clients)}", "--process-slot-var=SLOT")
    return run(("xargs", "-a", str(listed), "-n1", *slots, *each), folder)


def _compared(local: _Costs, one: _Costs) -> dict[str, Any]:
    """Return a row for each package; `beyond_local_seconds` is what the worker took more."""
    rows = {}
    for package in local:
        here, there = shown(local[package]), shown(one[package])
        more = there["median_seconds"] - here["median_seconds"]
        rows[package] = {
            "local": here,
            "one_worker": there,
            "beyond_local_seconds": round(more, 2),
        }
    return rows


def _all(local: _Costs, one: _Costs, two: Sequence[Cost]) -> dict[str, Any]:
    """Return the row of all packages together.

    longest_share -- of the time of all at one worker that the longest package takes: two cannot
                     need less, nor less than half
    """
    sums = [shown(_sums(costs)) for costs in (local, one)]
    longest = max(shown(costs)["median_seconds"] for costs in one.values())
    total, both = sums[1]["median_seconds"], shown(two)
    return {
        "local": sums[0],
        "one_worker": sums[1],
        "two_workers": both,
        "two_of_one": round(both["median_seconds"] / total, 3),
        "longest_share": round(longest / total, 3),
    }


def _sums(costs: _Costs) -> list[Cost]:
    """Return what all packages took in each round."""
    rounds = zip(*costs.values(), strict=True)
    return [
        Cost(sum(each.seconds for each in costs), sum(each.cpu for each in costs))
        for costs in rounds
    ]
