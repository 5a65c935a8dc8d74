"""quard.tools.roots: making roots of packages, alone and against others, and what can go wrong."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from deb_parts import deb, described, file, folder, link
from root_parts import LINKS, PYTHON, Here, python

from quard.base.errors import QuardError
from quard.tools.lock import LockedPackage
from quard.tools.roots import Roots


@pytest.fixture
def here(tmp_path: Path) -> Here:
    return Here(tmp_path)


def test_a_root_has_the_files_of_its_packages_and_its_links(here: Here) -> None:
    assert not here.roots.has(here.both, LINKS)
    system = here.roots.provide(here.both, LINKS)
    assert system.folder == here.roots.place(here.both, LINKS)
    assert here.roots.has(here.both, LINKS)
    found = sorted(str(path.relative_to(system.folder)) for path in system.folder.rglob("*"))
    assert found == [
        "usr",
        "usr/bin",
        "usr/bin/awk",
        "usr/bin/gawk",
        "usr/bin/igawk",
        "usr/bin/make",
        "usr/share",
        "usr/share/common",
    ]
    assert os.readlink(system.folder / "usr/bin/awk") == "gawk"
    assert (system.folder / "usr/bin/make").stat().st_nlink == 2
    here.is_tidy()
    assert here.said == ["fetching and unpacking 2 packages of the pinned tools (1.1 KiB)"]


def test_the_path_of_a_root_has_no_links(here: Here, tmp_path: Path) -> None:
    """A compiler gives the paths of its libraries without them."""
    here.cache.mkdir(parents=True)
    (tmp_path / "link").symlink_to(here.cache)
    linked = Roots(tmp_path / "link", here.mirror.fetch, here.said.append, here.stop)
    system = linked.provide(here.both, LINKS)
    inside = (system.folder / "usr/bin/make").resolve()
    assert system.shown(inside) == Path("/usr/bin/make")
    assert linked.provide(here.both, LINKS) == here.roots.provide(here.both, LINKS)


def test_a_file_beside_a_root_says_what_it_was_made_of(here: Here) -> None:
    place = here.roots.provide(here.both, LINKS).folder
    found = json.loads(place.with_name(f"{place.name}.json").read_text())
    assert found["links"] == LINKS
    assert found["packages"]["make"] == {"sha256": here.make.sha256, "version": "1"}


def test_packages_of_several_roots_are_prepared_in_one_go(here: Here) -> None:
    here.roots.prepare(here.both)
    for package in here.both:
        here.roots.provide((package,), {})
    assert sorted(here.mirror.fetched) == ["gawk", "make"]
    assert here.said == ["fetching and unpacking 2 packages of the pinned tools (1.1 KiB)"]
    here.is_tidy()


def test_the_package_of_a_file_is_known_also_after_packages_were_removed(here: Here) -> None:
    here.roots.provide(here.both, {})
    paths = ("usr/bin/make", "usr/bin/gawk", "usr/bin/nobody")
    found = {"usr/bin/gawk": here.gawk, "usr/bin/make": here.make}
    assert here.roots.owners(here.both, paths) == found
    shutil.rmtree(here.cache / "packages")
    assert here.roots.owners(here.both, paths) == found
    assert here.roots.owners((here.gawk,), paths) == {"usr/bin/gawk": here.gawk}


def test_a_second_root_fetches_only_what_is_missing(here: Here) -> None:
    here.roots.provide((here.make,), {})
    here.roots.provide(here.both, LINKS)
    here.roots.provide(here.both, {})
    here.roots.provide(here.both, {})
    assert sorted(here.mirror.fetched) == ["gawk", "make"]


def test_the_digest_depends_on_packages_and_links_and_not_on_order_or_place(
    here: Here, tmp_path: Path
) -> None:
    other = Roots(tmp_path / "other", here.mirror.fetch, here.said.append, here.stop)
    digest = here.roots.digest(here.both, LINKS)
    assert digest == other.digest(here.both[::-1], LINKS)
    assert len({digest, other.digest(here.both, {}), other.digest(here.both[:1], LINKS)}) == 3


def test_equal_packages_make_equal_roots(here: Here, tmp_path: Path) -> None:
    other = Roots(tmp_path / "other", here.mirror.fetch, here.said.append, here.stop)
    one = here.roots.provide(here.both, LINKS).folder
    before = os.umask(0o077)
    try:
        two = other.provide(here.both[::-1], LINKS).folder
    finally:
        os.umask(before)
    assert described(one) == described(two)


def test_links_whose_target_is_not_there_are_not_made(here: Here) -> None:
    links = {
        "usr/bin/absolute": "/usr/bin/make",
        "usr/bin/chain": "absolute",
        "usr/bin/gone": "absent",
        "usr/bin/gone-too": "gone",
        "usr/lib/new/folder": "../../share",
        "usr/bin/circle": "circle",
    }
    top = here.roots.provide(here.both, links).folder
    made = {str(path.relative_to(top)) for path in top.rglob("*") if path.is_symlink()}
    assert made == {"usr/bin/absolute", "usr/bin/chain", "usr/bin/igawk", "usr/lib/new/folder"}


CONFLICTS = {
    "content": (file("./usr/share/common", b"other"),),
    "mode": (file("./usr/share/common", b"same", 0o755),),
    "file and folder": (file("./usr/share/common/x"),),
    "folder and file": (file("./usr/share"),),
    "file and link": (link("./usr/share/common", "x"),),
    "two links": (link("./usr/bin/igawk", "other"),),
    "link in the place of a folder": (link("./usr/share", "/tmp"),),
}


@pytest.mark.parametrize("kind", CONFLICTS)
def test_different_files_at_one_path_are_told_with_both_packages(here: Here, kind: str) -> None:
    third = here.mirror.add("zz", deb(*CONFLICTS[kind]))
    error = here.refused(*here.both, third)
    assert error.reason == "tools-conflict"
    assert error.detail.splitlines()[1] == "zz"
    assert here.refused(third, *here.both).reason == "tools-conflict"


def test_equal_files_of_two_packages_are_one_file(here: Here) -> None:
    third = here.mirror.add("zz", deb(link("./usr/bin/igawk", "gawk"), folder("./usr/share")))
    assert here.roots.provide((*here.both, third), {}).folder.is_dir()


@pytest.mark.parametrize("path", ["usr/bin/make", "usr/bin", "usr/bin/make/x", "usr/bin/igawk/x"])
def test_a_link_does_not_replace_a_file(here: Here, path: str) -> None:
    error = here.refused(*here.both, links={path: "/usr/bin/gawk"})
    assert error.reason == "tools-conflict"
    assert "the project's own links" in error.detail


def test_a_broken_package_leaves_nothing_and_the_others_are_kept(here: Here) -> None:
    bad = here.mirror.add("bad", b"no package")
    error = here.refused(*here.both, bad)
    assert error.reason == "bad-deb"
    assert not (here.cache / "packages" / bad.sha256).exists()


def test_several_broken_packages_are_told_together(here: Here) -> None:
    bad = [here.mirror.add(f"bad{number}", b"no package" * number) for number in range(1, 4)]
    error = here.refused(*bad)
    assert error.reason == "bad-deb"


def test_what_fetching_raises_is_passed_on(here: Here) -> None:
    def fetch(package: LockedPackage) -> Path:
        raise QuardError(f"no source for {package.name}", reason="no-source")

    here.roots = Roots(here.cache, fetch, here.said.append, here.stop)
    assert here.refused(here.make).reason == "no-source"


def test_packages_that_cannot_be_downloaded_are_one_error(here: Here) -> None:
    def fetch(package: LockedPackage) -> Path:
        detail = f"http://mirror/{package.name}.deb: HTTP 404"
        message = f"no {package.name}"
        raise QuardError(message, detail=detail, reason="tools-unavailable", hint="wait")

    here.roots = Roots(here.cache, fetch, here.said.append, here.stop)
    error = here.refused(*here.both)
    assert (error.reason, error.hint) == ("tools-unavailable", "wait")
    assert error.message in ("no gawk, and others", "no gawk", "no make")
    assert error.detail.count("HTTP 404") == 1


def test_a_stop_ends_it(here: Here) -> None:
    def fetch(package: LockedPackage) -> Path:
        here.stop.request()
        return here.mirror.fetch(package)

    here.roots = Roots(here.cache, fetch, here.said.append, here.stop)
    assert here.refused(*here.both).reason == "interrupted"


@pytest.mark.parametrize("number", [errno.EPERM, errno.EOPNOTSUPP, errno.EMLINK, errno.EXDEV])
def test_files_are_copied_where_there_are_no_hard_links(
    here: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    other = Roots(tmp_path / "other", here.mirror.fetch, here.said.append, here.stop)
    linked = here.roots.provide(here.both, LINKS).folder

    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", refuse)
    copied = other.provide(here.both, LINKS).folder
    assert (copied / "usr/bin/make").stat().st_nlink == 1
    assert [line.replace(" 2 ", " 1 ") for line in described(linked)] == described(copied)


def test_another_fault_of_linking_is_told(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "link", refuse)
    assert here.refused(*here.both).reason == "cache-unusable"


def test_threads_of_one_run_share_the_work(here: Here) -> None:
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(here.roots.provide, here.both, LINKS) for _ in range(8)]
        assert len({future.result().folder for future in asked}) == 1
    assert sorted(here.mirror.fetched) == ["gawk", "make"]
    here.is_tidy()


PROVIDE = """
import sys, time
from pathlib import Path
from quard.process.stop import Stop
from quard.tools.lock import LockedPackage
from quard.tools.roots import Roots

top, start, log, delay, *packages = sys.argv[1:]
packages = [package.split("=") for package in packages]
packages = tuple(
    LockedPackage(name=name, version="1", file="", size=1, sha256=sha256, source="", needs=(),
                  commands=())
    for name, sha256 in packages
)

def fetch(package):
    with open(log, "a") as file:
        file.write(f"{package.name}\\n")
    time.sleep(float(delay))
    return Path(top, "mirror", package.name + ".deb")

print("ready", flush=True)
while not Path(start).exists():
    time.sleep(0.001)
print(Roots(Path(top, "cache", "tools"), fetch, print, Stop()).provide(packages, {}).folder)
"""


def started(here: Here, tmp_path: Path, delay: float) -> subprocess.Popen[str]:
    """Start another process that makes a root of both packages once the file `start` exists."""
    words = [str(tmp_path), str(tmp_path / "start"), str(tmp_path / "log"), str(delay)]
    words += [f"{package.name}={package.sha256}" for package in here.both]
    site = Path(sys.modules[Roots.__module__].__file__ or "").parents[2]
    return subprocess.Popen(
        [sys.executable, "-c", PROVIDE, *words],
        env={"PYTHONPATH": str(site)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_processes_share_the_work(here: Here, tmp_path: Path) -> None:
    running = [started(here, tmp_path, 1) for _ in range(4)]
    for process in running:
        assert process.stdout and process.stdout.readline() == "ready\n"
    (tmp_path / "start").touch()
    said = [process.communicate(timeout=120)[0] for process in running]
    assert [process.returncode for process in running] == [0] * 4, said
    assert {text.splitlines()[-1] for text in said} == {str(here.roots.place(here.both, {}))}
    assert sorted((tmp_path / "log").read_text().split()) == ["gawk", "make"]
    # Two of them may each unpack one package and wait for the other one.
    assert sum("waiting for another build" in text for text in said) in (3, 4)
    here.is_tidy()


def test_after_a_kill_the_next_run_cleans_up_and_ends_the_work(here: Here, tmp_path: Path) -> None:
    (tmp_path / "start").touch()
    process = started(here, tmp_path, 60)
    deadline = time.monotonic() + 60
    while not (tmp_path / "log").exists() or len((tmp_path / "log").read_text().split()) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.kill()
    process.communicate()
    left = here.cache / "packages" / f"{'0' * 64}.part"
    (left / "usr").mkdir(parents=True)
    (here.cache / "roots").mkdir(exist_ok=True)
    (here.cache / "roots" / f"{'0' * 64}.json.1234.part").touch()
    assert list(here.cache.glob(f"packages/{here.make.sha256}.*"))
    assert not here.roots.has(here.both, {})
    here.roots.provide(here.both, {})
    here.is_tidy()


def test_what_the_machine_may_have_lost_when_it_went_down_is_made_again(here: Here) -> None:
    root = here.roots.provide(here.both, {}).folder
    package = here.cache / "packages" / here.make.sha256
    assert not list(here.cache.glob("*/*.unsynced"))
    (package / "usr/bin/make").chmod(0o644)
    (package / "usr/bin/make").write_bytes(b"")
    for place in (package, root):
        place.with_name(f"{place.name}.unsynced").write_text("another boot")
    assert not here.roots.has(here.both, {})
    assert (here.roots.provide(here.both, {}).folder / "usr/bin/make").read_bytes() == b"make"
    assert sorted(here.mirror.fetched) == ["gawk", "make", "make"]
    here.is_tidy()


def test_what_was_made_in_this_boot_is_used_before_it_is_on_the_disk(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise OSError("cannot write")

    monkeypatch.setattr(os, "sync", fail)
    with pytest.raises(QuardError) as caught:
        here.roots.provide(here.both, {})
    assert caught.value.reason == "cache-unusable"
    assert list(here.cache.glob("*/*.unsynced"))
    assert here.roots.has(here.both, {})
    monkeypatch.undo()
    gawk = (here.gawk,)
    here.roots.provide(gawk, {})
    assert sorted(here.mirror.fetched) == ["gawk", "make"]
    assert not list(here.cache.glob("*/*.unsynced"))


def test_a_root_stays_whole_without_its_packages(here: Here) -> None:
    place = here.roots.provide(here.both, {}).folder
    shutil.rmtree(here.cache / "packages")
    assert here.roots.has(here.both, {})
    assert (here.roots.provide(here.both, {}).folder / "usr/bin/make").read_bytes() == b"make"
    assert place.is_dir()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_told(here: Here) -> None:
    here.roots.provide((here.make,), {})
    for name in ("packages", "roots"):
        (here.cache / name).chmod(0o555)
    try:
        assert here.roots.provide((here.make,), {}).folder.is_dir()
        with pytest.raises(QuardError) as caught:
            here.roots.provide(here.both, {})
    finally:
        for name in ("packages", "roots"):
            (here.cache / name).chmod(0o755)
    assert caught.value.reason == "cache-unusable"


def test_a_file_in_the_place_of_the_folder_is_told(here: Here) -> None:
    here.cache.parent.mkdir()
    here.cache.touch()
    with pytest.raises(QuardError) as caught:
        here.roots.provide(here.both, {})
    assert caught.value.reason == "cache-unusable"


@pytest.fixture
def mounted(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A small file system of its own, with the test's mount options."""
    place = tmp_path / "mounted"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", request.param, "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a file system, and not in every container")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


@pytest.mark.parametrize("mounted", ["size=200k"], indirect=True)
def test_a_full_disk_is_told_and_leaves_nothing(here: Here, mounted: Path) -> None:
    here.cache = mounted / "tools"
    here.roots = Roots(here.cache, here.mirror.fetch, here.said.append, here.stop)
    large = here.mirror.add("large", deb(file("./usr/large", os.urandom(1 << 20))))
    error = here.refused(here.make, large)
    assert error.reason == "disk-full"
    assert str(here.cache) in error.detail
    assert here.roots.provide((here.make,), {}).folder.is_dir()


@pytest.mark.parametrize("mounted", ["noexec"], indirect=True)
def test_a_folder_without_execution_is_told_before_anything_is_fetched(
    here: Here, mounted: Path
) -> None:
    here.cache = mounted / "tools"
    here.roots = Roots(here.cache, here.mirror.fetch, here.said.append, here.stop)
    assert here.refused(here.make).reason == "tools-noexec"
    assert here.mirror.fetched == []


@pytest.mark.parametrize("mounted", ["mode=755"], indirect=True)
def test_roots_of_a_read_only_file_system_are_used_and_no_other_made(
    here: Here, mounted: Path
) -> None:
    here.cache = mounted / "tools"
    here.roots = Roots(here.cache, here.mirror.fetch, here.said.append, here.stop)
    made = here.roots.provide((here.make,), {})
    subprocess.run(["mount", "-o", "remount,ro", mounted], check=True)
    assert here.roots.provide((here.make,), {}) == made
    assert here.refused(*here.both).reason == "cache-unusable"


def loader(content: bytes, mode: int = 0o755) -> bytes:
    return deb(*(file(f"./usr/{name}", content, mode) for name in LOADERS))


LOADERS = ("lib64/ld-linux-x86-64.so.2", "lib/ld-linux-aarch64.so.1")
UNUSABLE = {
    "other processor": (b"\x7fELF" + bytes(100), 0o755, "tools-unavailable"),
    "fails": (b"#!/bin/sh\necho illegal instruction >&2\nexit 1\n", 0o755, "tools-unavailable"),
    "forbidden": (b"#!/bin/sh\n", 0o644, "tools-noexec"),
}


@pytest.mark.parametrize("kind", UNUSABLE)
def test_a_root_whose_programs_cannot_start_is_not_made(here: Here, kind: str) -> None:
    content, mode, reason = UNUSABLE[kind]
    assert here.refused(here.mirror.add("libc6", loader(content, mode))).reason == reason


def test_a_root_whose_programs_start_is_made(here: Here) -> None:
    libc = here.mirror.add("libc6", loader(b"#!/bin/sh\n"))
    assert here.roots.provide((libc,), {}).folder.is_dir()


def compiled(top: Path) -> list[str]:
    return sorted(str(path.relative_to(top)) for path in top.rglob("*.pyc"))


def test_modules_are_compiled_once_for_all_roots(here: Here, tmp_path: Path) -> None:
    tag = sys.implementation.cache_tag
    both = python(here)
    top = here.roots.provide(both, {}).folder
    assert compiled(top) == [
        f"usr/lib/python3.9/__pycache__/base.{tag}.pyc",
        f"usr/lib/python3/dist-packages/tool/__pycache__/__init__.{tag}.pyc",
        f"usr/lib/python3/dist-packages/tool/__pycache__/own.{tag}.pyc",
    ]
    other = here.roots.provide((*both, here.make), {}).folder
    module = Path(compiled(top)[1])
    assert (top / module).samefile(other / module)
    again = Roots(tmp_path / "again", here.mirror.fetch, here.said.append, here.stop)
    again.provide(both, {})
    assert described(again.provide((*both, here.make), {}).folder) == described(other)
    assert here.roots.provide(both[1:], {}).folder.is_dir()
    assert compiled(here.roots.place(both[1:], {})) == [compiled(top)[2]]
    here.is_tidy()


def test_compiled_modules_are_used_and_name_their_place_in_builds(here: Here) -> None:
    top = here.roots.provide(python(here), {}).folder
    found = subprocess.run(
        [sys.executable, "-vBc", "import tool; print(tool.f())"],
        env={"PYTHONPATH": str(top / "usr/lib/python3/dist-packages")},
        capture_output=True,
        text=True,
        check=True,
    )
    module = top / compiled(top)[1]
    assert found.stdout == "42\n"
    assert f"code object from '{module}'" in found.stderr
    assert b"/usr/lib/python3/dist-packages/tool/__init__.py" in module.read_bytes()
    assert os.fsencode(here.cache) not in module.read_bytes()


def test_another_interpreter_gets_other_compiled_modules(here: Here) -> None:
    here.roots.provide(python(here), {})
    before = len(list((here.cache / "bytecode").glob("*.files")))
    here.roots.provide(python(here, PYTHON + "# newer\n"), {})
    assert len(list((here.cache / "bytecode").glob("*.files"))) == before + 2


@pytest.mark.parametrize("target", ["/usr/bin/python3.9", "/usr/bin/absent", "python3", "../../.."])
def test_the_interpreter_is_looked_for_in_the_root_alone(here: Here, target: str) -> None:
    interpreter = deb(
        file("./usr/bin/python3.9", PYTHON.encode(), 0o755),
        link("./usr/bin/python3", target),
        file("./usr/lib/python3.9/base.py"),
    )
    top = here.roots.provide((here.mirror.add("python3.9", interpreter),), {}).folder
    assert bool(compiled(top)) == target.endswith("python3.9")


def test_a_python_that_cannot_compile_is_told_and_the_root_is_made(here: Here) -> None:
    broken = python(here, "#!/bin/sh\necho no module named encodings >&2\nexit 1\n")
    assert here.roots.provide(broken, {}).folder.is_dir()
    assert [line for line in here.said if "encodings" in line] == [
        "the pinned Python starts slowly: it cannot compile modules: no module named encodings"
    ]
    here.is_tidy()


def test_a_stop_ends_a_python_that_compiles(here: Here, tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    slow = python(here, f"#!/bin/sh\ntouch {begun}\nexec sleep 1000\n")
    with ThreadPoolExecutor(1) as pool:
        refused = pool.submit(here.refused, *slow)
        deadline = time.monotonic() + 60
        while not begun.exists():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        here.stop.request()
        assert refused.result(timeout=60).reason == "interrupted"
