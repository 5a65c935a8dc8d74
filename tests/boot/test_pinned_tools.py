"""The default board as everybody builds it: with the pinned tools, where they can be used."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from quard.machine import launcher
from quard.process.stop import Stop
from quard.project import places
from quard.tools import listing, lockfile, names
from quard.tools.roots import Roots

pytestmark = pytest.mark.boot
TOP = Path(__file__).resolve().parents[2]
CROSS = ("libatomic1", "libc6", "libgcc-s1", "libgomp1", "libstdc++6")


@pytest.fixture
def decision(images: Path) -> None:
    """Skip where this machine cannot use the pinned tools."""
    found = json.loads((images.parent / "tools.json").read_text(encoding="utf-8"))
    if not found["pinned"]:
        pytest.skip(found["why"])


@pytest.mark.usefixtures("decision")
def test_programs_are_compiled_by_the_locked_compiler(images: Path) -> None:
    lock = lockfile.read(TOP, names.load(TOP).release, lockfile.machine(os.uname().machine))
    version = lock.packages["gcc-14-riscv64-linux-gnu"].version.partition("cross")[0]
    boot = subprocess.run(
        ("grep", "-a", "-o", "gcc[^)]*) [0-9.]*", images / "Image"),
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"Debian {version}" in boot.stdout


@pytest.mark.usefixtures("decision")
@pytest.mark.parametrize(
    ("package", "origins", "source"),
    [
        (
            "libc",
            {f"{name}-riscv64-cross" for name in CROSS},
            "glibc",
        ),
        ("c-utf8", {"libc-bin"}, "glibc"),
    ],
)
def test_the_record_names_the_locked_packages_and_sources_that_files_come_from(
    images: Path, package: str, origins: set[str], source: str
) -> None:
    lock = lockfile.read(TOP, names.load(TOP).release, lockfile.machine(os.uname().machine))
    units = images.parent / "units"
    record = json.loads((units / f"{package}.record.json").read_text(encoding="utf-8"))
    assert {each["package"] for each in record["origins"]} == origins
    for each in record["origins"]:
        locked = lock.packages[each["package"]]
        assert (each["version"], each["source"]) == (locked.version, locked.source)
        assert (each["sha256"], tuple(each["includes"])) == (locked.sha256, locked.includes)
    sources = {text.split()[0] for o in record["origins"] for text in (o["source"], *o["includes"])}
    assert source in sources
    manifest = json.loads((images / "manifest.json").read_text(encoding="utf-8"))
    named = {f"/{path}" for each in record["origins"] for path in each["files"]}
    for path, entry in manifest.items():
        if entry["package"] == package and entry["type"] == "file":
            assert path in named or path == "/etc/profile.d/lang.sh"


@pytest.mark.usefixtures("decision")
def test_the_emulator_beside_the_images_is_the_locked_one(images: Path) -> None:
    lock = lockfile.read(TOP, names.load(TOP).release, lockfile.machine(os.uname().machine))
    version = lock.packages["qemu-system-riscv"].version.partition(":")[2]
    done = subprocess.run(
        (images.parent / "tools" / "qemu-system-riscv64", "--version"),
        capture_output=True,
        text=True,
        check=True,
    )
    assert version.partition("+")[0] in done.stdout, done.stdout


@pytest.mark.usefixtures("decision")
def test_after_source_gdb_is_here_and_leaves_the_pinned_tools_as_they_are(tmp_path: Path) -> None:
    subprocess.run((TOP / "scons", "source"), check=True, cwd=TOP)
    lock = lockfile.read(TOP, names.load(TOP).release, lockfile.machine(os.uname().machine))
    cache = places.cache(TOP, os.environ, places.home(os.environ)) / "tools"
    roots = Roots(cache, lambda package: pytest.fail(f"no {package.name}"), print, Stop())
    system = roots.provide(lock.closure((launcher.GDB,)), {})
    words = system.start(system.place(f"/usr/bin/{launcher.GDB}"))
    launcher.update(tmp_path, launcher.GDB, launcher.gdb(words))
    script = "python import gdb.printing, json; print(json.dumps([6 * 7]))"
    done = subprocess.run(
        (tmp_path / launcher.GDB, "-batch", "-ex", script),
        env={"PATH": os.defpath},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, listing.quick(system.folder)) == ("[42]\n", "")
