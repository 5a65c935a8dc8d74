"""Fixtures of the boot tests: images, a running guest, a key that opens it.

`QUARD_TEST_IMAGES=FOLDER` boots images that exist, instead of building the default board.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path

import pytest

from boot.checks import System, admit
from boot.guest import Guest, Guests, Ssh

TOP = Path(__file__).resolve().parents[2]
BOARD = "quard-star"
SMALL_BOARD = "quard-star-small"
MUSL_BOARD = "quard-star-musl"
BUILD_SECONDS = 2 * 60 * 60


@pytest.fixture(scope="session")
def images(pytestconfig: pytest.Config) -> Path:
    """The default board's images folder."""
    given = os.environ.get("QUARD_TEST_IMAGES")
    return Path(given).resolve() if given else build(BOARD, pytestconfig)


@pytest.fixture(scope="session")
def small_images(images: Path, pytestconfig: pytest.Config) -> Path:
    """The small board's images folder; most of it is what the default board's build has made."""
    del images
    return build(SMALL_BOARD, pytestconfig)


@pytest.fixture(scope="session")
def musl_images(images: Path, pytestconfig: pytest.Config) -> Path:
    """The images folder of the board with musl; the kernel and the firmware are the default's."""
    del images
    return build(MUSL_BOARD, pytestconfig)


def build(board: str, pytestconfig: pytest.Config) -> Path:
    """Build a board of this checkout; return its images folder.

    A second process that asks for the board waits for the first, and finds it built.
    """
    start(TOP, pytestconfig, f"BOARD={board}")
    return TOP / "out" / board / "images"


def start(top: Path, pytestconfig: pytest.Config, *arguments: str) -> None:
    """Run ./scons of a checkout or a product, with the output shown as it comes.

    Its only way to the terminal is standard error: the other stream of a test process carries its
    results.
    """
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        command = [str(top / "scons"), *arguments]
        sys.stderr.write(f"\n--- {' '.join(command)} for the boot tests\n")
        done = subprocess.run(
            command, cwd=top, stdout=sys.stderr, timeout=BUILD_SECONDS, check=False
        )
    assert done.returncode == 0, f"{' '.join(command)} gave status {done.returncode}"


@pytest.fixture
def guests(images: Path, tmp_path: Path) -> Iterator[Guests]:
    """Starts guests for one test; they end with it, whatever happens."""
    guests = Guests(images / "run.sh", tmp_path)
    try:
        yield guests
    finally:
        guests.close()


@pytest.fixture(scope="module")
def script(images: Path) -> Path:
    """run.sh of the module's `guest`; a module that needs another one has its own fixture."""
    return images / "run.sh"


@pytest.fixture(scope="module")
def settings() -> Mapping[str, str]:
    """Its settings; likewise."""
    return {}


@pytest.fixture(scope="module")
def guest(
    script: Path, settings: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Guest]:
    """A guest that has booted, with root logged in on the console, for a whole module."""
    with Guest(script, tmp_path_factory.mktemp("guest"), settings) as guest:
        guest.boot()
        guest.log_in()
        yield guest


@pytest.fixture(scope="session")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key made for these tests; the public half lies beside it."""
    path = tmp_path_factory.mktemp("key") / "id_ed25519"
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "boot test", "-f", str(path)]
    subprocess.run(command, check=True, timeout=30)
    return path


@pytest.fixture(scope="module")
def ssh(guest: Guest, key: Path) -> Ssh:
    """The host's ssh into `guest`, with a key that was put there on the console."""
    return admit(guest, key)


def _guests_of(value: object) -> list[Guest]:
    match value:
        case Guests():
            return value.all
        case System():
            return [value.guest]
        case Guest():
            return [value]
        case _:
            return []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the console's end with every failed test that has a guest."""
    report = yield
    if report.failed:
        for value in getattr(item, "funcargs", {}).values():
            for guest in _guests_of(value):
                report.sections.append((f"last lines of {guest.log}", guest.last_lines()))
    return report
