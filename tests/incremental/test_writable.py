"""Folders that cannot be written, or not be used: told before anything is built."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import checkout
from incremental.project import CHECKOUT, Project

POWERLESS = ("setpriv", "--bounding-set=-all", "--inh-caps=-all")
"""Root without the right to write where a folder's mode forbids it."""


def run(
    project: Project, *words: str, wrap: tuple[str, ...] = (), **environ: str | None
) -> subprocess.CompletedProcess[str]:
    """Run SCons as a user without special rights; a variable that is None is taken away."""
    given = {**os.environ, **environ}
    before = POWERLESS if os.geteuid() == 0 and not wrap else wrap
    return subprocess.run(
        (*before, *checkout.scons("BOARD=tiny", *words)),
        cwd=project.folder,
        env={name: value for name, value in given.items() if value is not None},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@contextmanager
def closed(*folders: Path) -> Iterator[None]:
    """Take the right to write into folders away."""
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o555)
    try:
        yield
    finally:
        for folder in folders:
            folder.chmod(0o755)


def refused(done: subprocess.CompletedProcess[str], reason: str, *texts: str) -> None:
    """Assert that a run ended with one block before it built anything."""
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stderr.count("error: ") == 1, done.stderr
    assert f"reason: {reason}\n" in done.stderr, done.stderr
    assert "Traceback" not in done.stderr and ": building" not in done.stdout, done.stdout
    for text in texts:
        assert text in done.stderr, done.stderr


@pytest.mark.parametrize("place", ["store", "store/cas", "store/cas/ab", "store/ac/07", "sources"])
def test_a_cache_that_cannot_be_written_is_told_before_anything_is_built(
    greeting: Project, place: str
) -> None:
    folder = greeting.cache / place
    with closed(folder):
        done = run(greeting, f"cache.dir={greeting.cache}")
        refused(done, "not-writable", str(folder), "cache.dir=FOLDER", "local.toml")
    assert run(greeting, f"cache.dir={greeting.cache}").returncode == 0


@pytest.mark.parametrize(
    "place", ["tiny", "tiny/units", "tiny/units/images", "tiny/work/alone", "store/tmp"]
)
def test_an_out_folder_that_cannot_be_written_is_told_before_anything_is_built(
    greeting: Project, place: str
) -> None:
    folder = greeting.folder / "out" / place
    with closed(folder):
        done = run(greeting, f"cache.dir={greeting.cache}")
        refused(done, "not-writable", str(folder), "`out` may be a link")
    assert run(greeting, f"cache.dir={greeting.cache}").returncode == 0


def test_all_that_cannot_be_written_is_told_at_once(greeting: Project) -> None:
    folders = (greeting.folder / "out/tiny/units", greeting.cache / "store/cas/ab")
    with closed(*folders):
        refused(run(greeting, f"cache.dir={greeting.cache}"), "not-writable", *map(str, folders))


def test_a_checkout_that_cannot_be_written_can_be_asked_and_not_built(greeting: Project) -> None:
    with closed(greeting.folder):
        assert run(greeting, "list").returncode == 0
        assert run(greeting, "why", f"cache.dir={greeting.cache}").returncode == 0
        done = run(greeting, f"cache.dir={greeting.cache}")
        refused(done, "not-writable", f"{greeting.folder}: its mode is 0555")


def test_a_null_build_tries_nothing(greeting: Project) -> None:
    assert run(greeting, f"cache.dir={greeting.cache}").returncode == 0
    with closed(greeting.cache / "store/cas", greeting.cache / "sources"):
        done = run(greeting, f"cache.dir={greeting.cache}")
    assert (done.returncode, done.stdout) == (0, "tiny: everything is up to date\n")


@pytest.mark.parametrize("home", [None, "", "here"])
def test_without_a_home_in_the_environment_the_cache_is_in_neither_checkout_nor_root(
    greeting: Project, home: str | None
) -> None:
    """The cache of whoever runs the tests is looked for, not written to."""
    done = run(greeting, "-n", HOME=home, XDG_CACHE_HOME=None, CI=None)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in greeting.folder.iterdir()}.isdisjoint({".cache", "here"})
    assert not Path("/.cache/quardroot").exists()


def mounted(options: str) -> tuple[str, ...]:
    """Return what runs a command with another file system as the checkout's out folder."""
    script = f'mount -t tmpfs -o {options} none out && shift && exec "$@"'
    return ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh", "sh")


def test_an_out_folder_from_which_nothing_can_be_run_is_told(greeting: Project) -> None:
    (greeting.folder / "out").mkdir()
    done = run(greeting, f"cache.dir={greeting.cache}", wrap=mounted("noexec"))
    refused(done, "noexec", "mounted with noexec", "`out` may be a link")


def test_an_out_folder_that_is_mounted_read_only_is_told(greeting: Project) -> None:
    (greeting.folder / "out").mkdir()
    done = run(greeting, f"cache.dir={greeting.cache}", wrap=mounted("ro"))
    refused(done, "not-writable", "Read-only file system", "`out` may be a link")


def test_an_out_folder_may_be_a_link(greeting: Project) -> None:
    elsewhere = greeting.folder.parent / "elsewhere"
    (greeting.folder / "out").symlink_to(elsewhere)
    refused(run(greeting), "not-writable", f"does not exist: {elsewhere}")
    elsewhere.mkdir()
    ran = greeting.run()
    assert ran.status == 0, ran.text
    assert (elsewhere / "tiny/images/rootfs.tar").exists()
    assert greeting.run().out == "tiny: everything is up to date\n"
    assert greeting.run("-c").status == 0
    assert not (elsewhere / "tiny/images/rootfs.tar").exists()


def test_git_ignores_what_is_made_in_a_checkout_also_as_links(tmp_path: Path) -> None:
    shutil.copyfile(CHECKOUT / ".gitignore", tmp_path / ".gitignore")
    subprocess.run(("git", "init", "--quiet", str(tmp_path)), check=True)
    for name in ("out", ".venv", ".cache"):
        (tmp_path / name).symlink_to("/nowhere")
    words = ("git", "-C", str(tmp_path), "status", "--porcelain", "--untracked-files=all")
    listed = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    assert listed == "?? .gitignore\n"
