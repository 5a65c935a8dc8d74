"""Programs with capabilities in a guest: an ordinary user may what they allow, and nothing else."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from boot import small
from boot.conftest import SMALL_BOARD, TOP
from boot.guest import Guest
from boot.test_every_path import security

pytestmark = pytest.mark.boot

BOARD = "granted"
ROOTS = {"ext4": {}, "squashfs-under-an-overlay": {"ROOT": "squashfs"}}
RECIPE = """\
from quard.model import Custom, Install, Permission, Run

RECIPE = Custom(
    summary="What a program may do",
    version="1.0",
    license="MIT",
    needs=("libc",),
    build=(Run("sh", "-c", "{cross}gcc $CFLAGS $LDFLAGS -o granted {files}/granted.c"),),
    install=(
        Install("granted", "usr/bin/none", mode="0755"),
        Install("granted", "usr/bin/raw", mode="0755"),
        Install("granted", "usr/bin/raised", mode="0755"),
        Install("granted", "usr/bin/port", mode="0755"),
    ),
    permissions=(
        Permission("/usr/bin/raw", mode="0755", capabilities="cap_net_raw+ep"),
        Permission(
            "/usr/bin/raised",
            mode="0755",
            capabilities="cap_net_raw+p",
            xattrs=(("user.origin", "a recipe"),),
        ),
    ),
)
"""
ROW = """
[[permission]]
path = "/usr/bin/port"
mode = "0755"
capabilities = "cap_net_bind_service+ep"
"""
MAY = {"none": [], "raw": ["net_raw"], "raised": [], "port": ["net_bind_service"]}
"""What each program does for an ordinary user. `raised` would have to raise its capability."""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The images of a board with such programs: one of a recipe, one of the system's table."""
    project = tmp_path_factory.mktemp("granted") / "project"
    small.including(project, BOARD, SMALL_BOARD, [BOARD])
    with (project / f"configs/{BOARD}.toml").open("a") as board:
        board.write('image.formats = ["ext4", "squashfs"]\n')
    for name in ("packages", "configs/system"):
        (project / name).unlink()
        (project / name).mkdir()
        for path in (TOP / name).iterdir():
            (project / name / path.name).symlink_to(path)
    package = project / "packages" / BOARD
    package.mkdir()
    (package / "recipe.py").write_text(RECIPE)
    shutil.copy(TOP / "tests/boot/programs/granted.c", package)
    table = project / "configs/system/base.toml"
    text = table.read_text()
    table.unlink()
    table.write_text(text + ROW)
    small.build(project, BOARD)
    return project / f"out/{BOARD}/images"


@pytest.fixture(scope="module")
def script(built: Path) -> Path:
    return built / "run.sh"


@pytest.fixture(scope="module", params=ROOTS)
def settings(request: pytest.FixtureRequest) -> Mapping[str, str]:
    return ROOTS[request.param]


def may(guest: Guest, program: str) -> list[str]:
    """Return what a program does for an ordinary user."""
    return guest.check(f"su -s /bin/sh daemon -c '/usr/bin/{program}'").split()


@pytest.mark.parametrize("program", MAY)
def test_an_ordinary_user_may_what_the_program_is_permitted_and_nothing_else(
    guest: Guest, program: str
) -> None:
    assert may(guest, program) == MAY[program]


def test_the_same_program_may_everything_for_root(guest: Guest) -> None:
    name = guest.check("hostname")
    found = guest.check("/usr/bin/none").split()
    guest.check(f"hostname {name}")
    assert len(found) == 6


def test_attributes_in_the_guest_are_those_of_the_manifest(guest: Guest, built: Path) -> None:
    manifest = json.loads((built / "manifest.json").read_text())
    capable = {path for path, entry in manifest.items() if "capabilities" in entry}
    assert capable == {"/usr/bin/raw", "/usr/bin/raised", "/usr/bin/port"}
    guest.check("mkdir /run/image && mount -o bind / /run/image")
    assert {path for path, _ in security(guest)} == capable
    assert manifest["/usr/bin/raised"]["xattrs"] == {"user.origin": "a recipe"}
    shown = guest.check("getfattr -n user.origin /usr/bin/raised")
    assert 'user.origin="a recipe"' in shown


def test_a_program_keeps_them_when_its_times_change_and_loses_them_when_it_does(
    guest: Guest,
) -> None:
    """On a squashfs, a changed file is copied into the overlay, with its attributes."""
    guest.check("touch -d 2020-01-01 /usr/bin/port")
    assert guest.check("stat -c %Y /usr/bin/port") != "1"
    assert may(guest, "port") == ["net_bind_service"]
    guest.check("printf x >>/usr/bin/port")
    assert may(guest, "port") == []
