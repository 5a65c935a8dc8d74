"""A store on a disk that is full or read-only, with a remote cache that has all results."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from served_cache import served

from incremental.conftest import ALL
from incremental.project import Project, ok

SIZES = (8, 24, 48, 72, 120, 200)
"""KiB of the file system: too few for a note, for all notes, for blobs, for what is built."""
LEFT = """\
cd {cache} && find . -name '*.part' -o -path './store/tmp/*' ! -name .lock >{log}.left
find store/cas -type f | while read -r path; do
    echo "$path" | sed 's|.*/\\(.*\\)|\\1  &|'
done >{log}.listed
[ ! -s {log}.listed ] || sha256sum --check --quiet {log}.listed >>{log}.left 2>&1
"""
"""Lists what is unfinished or damaged."""


@pytest.fixture(params=["http", "grpc"])
def address(request: pytest.FixtureRequest) -> Iterator[str]:
    with served(request.param) as found:
        yield found


def mounting(script: str, folder: Path) -> None:
    """Run a script that may mount; skip the test where that is impossible."""
    user = () if os.geteuid() == 0 else ("--user", "--map-root-user")
    words = ("unshare", *user, "--mount", "sh", "-c")
    tried = subprocess.run((*words, "mount -t tmpfs none /mnt"), capture_output=True, check=False)
    if tried.returncode:
        said = tried.stderr.decode(errors="replace").strip()
        pytest.skip(f"nothing can be mounted on this machine: {said}")
    done = subprocess.run(
        (*words, script), cwd=folder, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def logged(project: Project, log: Path, *words: str) -> str:
    """Return a line of shell that runs SCons, with its status and what it says in a file."""
    command = shlex.join(project.command(*words))
    return f"(cd {project.folder} && {command}; echo status $?) >{log} 2>&1\n"


@pytest.mark.parametrize("size", SIZES)
def test_a_full_disk_is_one_block_and_nothing_broken_is_kept(
    greeting: Project, address: str, tmp_path: Path, size: int
) -> None:
    url = f"cache.url={address}"
    ok(greeting.run(url))
    image = greeting.image()
    greeting.other_machine()
    greeting.cache.mkdir()
    first, second = tmp_path / "first", tmp_path / "second"
    mounting(
        f"mount -t tmpfs -o size={size}k none {greeting.cache} || exit\n"
        + logged(greeting, first, url)
        + LEFT.format(cache=greeting.cache, log=first)
        + f"mount -o remount,size=200m {greeting.cache} || exit\n"
        + logged(greeting, second, url),
        greeting.folder,
    )
    said = first.read_text()
    assert said.endswith("status 2\n"), said
    assert said.count("error: ") == 1 and "reason: disk-full\n" in said, said
    assert said.count("is not used any more") <= 1 and "Traceback" not in said, said
    assert (tmp_path / "first.left").read_text() == ""
    assert second.read_text().endswith("status 0\n"), second.read_text()
    assert greeting.image() == image


def test_a_read_only_store_is_one_block_whatever_a_server_has(
    greeting: Project, address: str, tmp_path: Path
) -> None:
    url = f"cache.url={address}"
    ok(greeting.run(url))
    before = greeting.image()
    log, null = tmp_path / "log", tmp_path / "null"
    read_only = f"mount --bind {greeting.cache} {greeting.cache} || exit\n"
    read_only += f"mount -o remount,bind,ro {greeting.cache} || exit\n"
    mounting(read_only + logged(greeting, null, url), greeting.folder)
    assert null.read_text() == "tiny: everything is up to date\nstatus 0\n"
    shutil.rmtree(greeting.folder / "out")
    mounting(read_only + logged(greeting, log, url), greeting.folder)
    said = log.read_text()
    assert said.endswith("status 2\n") and said.count("error: ") == 1, said
    assert "reason: not-writable\n" in said and "Read-only file system" in said, said
    assert "the cache at" not in said and ": building" not in said, said
    ran = ok(greeting.run(url))
    assert sorted(ran.summary["restored"]) == ALL and greeting.image() == before
