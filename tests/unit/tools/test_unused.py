"""What is removed of the pinned tools, and what stays."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from root_parts import Here, python

import quard
from quard.tools import whole
from quard.tools.listing import SUFFIX, beside
from quard.tools.unused import UNFINISHED, UNUSED, Removed, remove

NOW = 2_000_000_000.0
SIZE = 10
"""Bytes of each package's file."""


class Tools:
    """A folder of packages and roots."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("packages", "bytecode", "roots", "debs/make"):
            (folder / name).mkdir(parents=True)

    def package(self, sha256: str, kind: str = "packages") -> Path:
        place = self.folder / kind / sha256
        (place / "usr").mkdir(parents=True)
        (place / "usr" / "file").write_bytes(b"x" * SIZE)
        beside(place).touch()
        return place

    def root(
        self, digest: str, *packages: str, age: float = 0, bytecode: tuple[str, ...] = ()
    ) -> Path:
        place = self.folder / "roots" / digest
        (place / "usr").mkdir(parents=True)
        for sha256 in packages:
            os.link(self.folder / "packages" / sha256 / "usr/file", place / "usr" / sha256)
        named = {name: {"sha256": name} for name in packages}
        text = json.dumps({"packages": named, "bytecode": bytecode})
        description = place.with_name(f"{digest}.json")
        description.write_text(text)
        os.utime(description, (NOW - age, NOW - age))
        return place

    def download(self, name: str, age: float = 0) -> Path:
        path = self.folder / "debs" / "make" / name
        path.write_bytes(b"x" * SIZE)
        os.utime(path, (NOW - age, NOW - age))
        return path

    def left(self, kind: str) -> list[str]:
        """Return the names of what is there, without listings."""
        return sorted(n for n in os.listdir(self.folder / kind) if not n.endswith(SUFFIX))


@pytest.fixture
def tools(tmp_path: Path) -> Tools:
    return Tools(tmp_path)


def test_nothing_that_was_used_lately_goes(tools: Tools) -> None:
    tools.package("a")
    tools.root("one", "a", age=UNUSED - 60)
    tools.download("make.deb", UNUSED - 60)
    assert remove(tools.folder, NOW) == Removed(0, 0, 0, 0, 0)
    assert (tools.left("roots"), tools.left("packages")) == (["one", "one.json"], ["a"])


def test_old_root_goes_with_the_packages_that_only_it_has(tools: Tools) -> None:
    for name in ("a", "b"):
        tools.package(name)
    tools.root("old", "a", "b", age=UNUSED + 60)
    kept = tools.root("new", "b")
    assert remove(tools.folder, NOW) == Removed(1, 1, 0, 0, SIZE)
    assert (tools.left("roots"), tools.left("packages")) == (["new", "new.json"], ["b"])
    assert (kept / "usr/b").read_bytes() == b"x" * SIZE


def test_package_that_a_build_is_about_to_use_stays(tools: Tools) -> None:
    place = tools.package("a")
    made = place.stat().st_ctime
    assert remove(tools.folder, made + UNFINISHED - 60) == Removed(0, 0, 0, 0, 0)
    assert remove(tools.folder, made + UNFINISHED + 60) == Removed(0, 1, 0, 0, SIZE)


def test_old_downloads_go_and_unfinished_ones_stay(tools: Tools) -> None:
    tools.download("old.deb", UNUSED + 60)
    tools.download("new.deb")
    tools.download("make.deb.part", UNUSED + 60)
    assert remove(tools.folder, NOW) == Removed(0, 0, 0, 1, SIZE)
    assert tools.left("debs/make") == ["make.deb.part", "new.deb"]


def test_dry_run_tells_the_same_and_removes_nothing(tools: Tools) -> None:
    tools.package("a")
    tools.root("old", "a", age=UNUSED + 60)
    tools.download("old.deb", UNUSED + 60)
    assert remove(tools.folder, NOW, dry=True) == Removed(1, 1, 0, 1, 2 * SIZE)
    assert tools.left("roots") == ["old", "old.json"]
    assert remove(tools.folder, NOW) == Removed(1, 1, 0, 1, 2 * SIZE)
    assert (tools.left("roots"), tools.left("packages")) == ([], [])


def test_leftover_of_a_killed_run_does_not_stop_it(tools: Tools) -> None:
    tools.root("old", age=UNUSED + 60)
    (tools.folder / "roots" / "old.part" / "usr").mkdir(parents=True)
    assert remove(tools.folder, NOW) == Removed(1, 0, 0, 0, 0)
    assert tools.left("roots") == []


def test_damaged_description_keeps_no_package(tools: Tools) -> None:
    tools.package("a")
    tools.root("one", "a")
    (tools.folder / "roots" / "one.json").write_text("{")
    os.utime(tools.folder / "roots" / "one.json", (NOW, NOW))
    assert remove(tools.folder, NOW) == Removed(0, 1, 0, 0, SIZE)
    assert tools.left("roots") == ["one", "one.json"]


def test_folder_that_does_not_exist_has_nothing(tmp_path: Path) -> None:
    assert remove(tmp_path / "none", NOW) == Removed(0, 0, 0, 0, 0)


def test_root_whose_removal_was_interrupted_goes_at_the_next_time(
    tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools.root("old", age=UNUSED + 60)

    def end(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "rename", end)
    with pytest.raises(KeyboardInterrupt):
        remove(tools.folder, NOW)
    monkeypatch.undo()
    assert remove(tools.folder, NOW).roots == 1
    assert tools.left("roots") == []


def test_compiled_modules_go_with_the_last_root_that_has_them(tools: Tools) -> None:
    for name in ("old", "both", "none"):
        tools.package(name, "bytecode")
    tools.root("one", age=UNUSED + 60, bytecode=("old", "both"))
    tools.root("two", bytecode=("both",))
    dry = remove(tools.folder, NOW, dry=True)
    assert tools.left("bytecode") == ["both", "none", "old"]
    assert remove(tools.folder, NOW) == dry == Removed(1, 0, 2, 0, 2 * SIZE)
    assert tools.left("bytecode") == ["both"]
    assert sorted(os.listdir(tools.folder / "bytecode")) == ["both", f"both{SUFFIX}"]


def test_compiled_modules_that_a_build_is_about_to_use_stay(tools: Tools) -> None:
    made = tools.package("a", "bytecode").stat().st_ctime
    assert remove(tools.folder, made + UNFINISHED - 60).modules == 0
    assert remove(tools.folder, made + UNFINISHED + 60).modules == 1


def test_root_without_its_description_goes_when_it_is_old(tools: Tools) -> None:
    place = tools.root("one")
    place.with_name("one.json").unlink()
    made = place.stat().st_ctime
    assert remove(tools.folder, made + UNUSED - 60).roots == 0
    assert remove(tools.folder, made + UNUSED + 60).roots == 1
    assert tools.left("roots") == []


def test_listing_without_its_folder_goes(tools: Tools) -> None:
    lost = tools.folder / "packages" / f"lost{SUFFIX}"
    lost.touch()
    kept = tools.package("a")
    made = lost.stat().st_mtime
    assert remove(tools.folder, made + UNFINISHED - 60) == Removed(0, 0, 0, 0, 0)
    assert lost.exists()
    remove(tools.folder, made + UNFINISHED + 60)
    assert not lost.exists() and not kept.exists()


def test_what_a_real_root_with_python_was_made_of_stays(tmp_path: Path) -> None:
    here = Here(tmp_path)
    roots = [here.roots.provide(packages, {}) for packages in (python(here), (here.make,))]
    now = max(path.lstat().st_ctime for path in here.cache.glob("*/*")) + UNFINISHED + 60
    assert remove(here.cache, now) == Removed(0, 0, 0, 0, 0)
    os.utime(roots[0].folder.with_name(f"{roots[0].folder.name}.json"), (0, 0))
    found = remove(here.cache, now)
    assert (found.roots, found.packages, found.modules) == (1, 2, 2)
    assert [path.name for path in (here.cache / "bytecode").iterdir()] == []
    here.is_tidy()
    here.again().provide(python(here), {})
    here.is_tidy()


REMOVE = """\
import sys
import time
from pathlib import Path

sys.path.insert(0, sys.argv[2])
from quard.tools.unused import remove

print("ready", flush=True)
sys.stdin.readline()
print(remove(Path(sys.argv[1]), time.time() + 400 * 24 * 3600).packages)
"""


def test_several_may_remove_what_is_unused_at_once(tmp_path: Path) -> None:
    count, at_once = 40, 4
    for number in range(count):
        inside = tmp_path / "packages" / f"{number:064}" / "usr/share"
        inside.mkdir(parents=True)
        for name in range(20):
            (inside / str(name)).touch()
    words = (sys.executable, "-c", REMOVE, str(tmp_path), str(Path(quard.__path__[0]).parent))
    pipe = subprocess.PIPE
    several = [
        subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
        for _ in range(at_once)
    ]
    for process in several:
        assert process.stdout and process.stdout.readline() == "ready\n"
    for process in several:
        assert process.stdin
        process.stdin.write("\n")
        process.stdin.flush()
    ended = [process.communicate(timeout=60) for process in several]
    assert [err for _, err in ended] == [""] * at_once
    assert sorted(int(out) for out, _ in ended) == [*[0] * (at_once - 1), count]
    assert not any((tmp_path / "packages").iterdir())


def test_a_folder_that_is_being_made_again_stays(tools: Tools) -> None:
    """It was there, and damaged, when it was found to be unused."""
    place = tools.package("a")
    filling, removed = threading.Event(), threading.Event()

    def fill(part: Path) -> dict[str, str]:
        (part / "new").write_bytes(b"n")
        filling.set()
        assert removed.wait(60)
        return {"new": hashlib.sha256(b"n").hexdigest()}

    with ThreadPoolExecutor(1) as pool:
        made = pool.submit(whole.make, place, fill, lambda: None, look=lambda _: "it is damaged")
        assert filling.wait(60)
        whole.discard(place)
        removed.set()
        made.result(60)
    assert (place / "new").read_bytes() == b"n"
    whole.discard(place)
    assert tools.left("packages") == []
