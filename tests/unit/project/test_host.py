"""The build machine of a run: builds with the pinned tools are sealed, or there is an error."""

from __future__ import annotations

import io
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from quard.base import canonical
from quard.base.errors import QuardError
from quard.boards import board, settings
from quard.boards.board import Board
from quard.boards.trees import Trees
from quard.face.console import Console
from quard.project.host import Host
from quard.project.site import Site
from quard.tools.place import FOLDER

PROJECT = Path(__file__).resolve().parents[3]
BOARD = "quard-star-small"


def on(project: Path, chosen: Board) -> Host:
    """Return the build machine of a new run for a board."""
    site = Site(
        cache=project / "cache", home=None, search="/usr/bin:/bin", jobs=1, machine="x86_64"
    )
    given = settings.load(project, {}, None)
    return Host(project, chosen, given, site, Console(io.StringIO()))


@pytest.fixture
def host(tmp_path: Path) -> Host:
    """A machine whose builds use the pinned tools, as an earlier run has decided."""
    shutil.copytree(PROJECT / FOLDER, tmp_path / FOLDER)
    given = settings.load(tmp_path, {}, None)
    made = on(tmp_path, board.load(Trees(PROJECT), BOARD))
    tools = made.tooling.available()
    if tools is None:
        pytest.skip("there is no lock for this machine")
    of = {
        "tools": tools.identity(),
        "root": given.tools_root,
        "mirrors": given.tools_mirrors,
        "offline": given.offline,
        "sandbox": given.sandbox,
    }
    (tmp_path / "out" / BOARD).mkdir(parents=True, exist_ok=True)
    decision = {"pinned": True, "why": "", "of": canonical.digest(of)}
    (tmp_path / "out" / BOARD / "tools.json").write_text(canonical.sealed(decision))
    made.tooling.choose(fetch=True)
    assert made.tooling.pinned is not None
    return made


def test_builds_that_can_no_longer_be_sealed_are_an_error(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Plain folders show the machine's own tools, and the results would be stored as those of the
    pinned ones."""
    refused = tmp_path / "bin" / "bwrap"
    refused.parent.mkdir()
    refused.write_text("#!/bin/sh\necho 'bwrap: no permission' >&2\nexit 1\n")
    refused.chmod(0o755)
    monkeypatch.setenv("PATH", f"{refused.parent}:/usr/bin:/bin")
    with pytest.raises(QuardError) as caught:
        _ = host.packager
    assert caught.value.reason == "tools-unavailable"
    assert "bwrap: no permission" in caught.value.message
    assert "./scons source" in caught.value.hint


@pytest.mark.usefixtures("host")
def test_each_board_has_a_decision_of_its_own(tmp_path: Path) -> None:
    """Builds of two boards in turn would decide each time, and fetch what was not available."""
    decision = tmp_path / "out" / BOARD / "tools.json"
    before = decision.read_bytes()
    text = (PROJECT / "configs" / f"{BOARD}.toml").read_text(encoding="utf-8")
    text += '\n[toolchain]\nprefix = "riscv64-linux-gnu-"\nfolder = "/opt/compiler"\n'
    (tmp_path / "configs" / "other.toml").write_text(text)
    other = on(tmp_path, board.load(Trees(tmp_path), "other"))
    other.tooling.choose(fetch=True)
    assert other.tooling.pinned is None
    assert (tmp_path / "out/other/tools.json").exists()
    assert decision.read_bytes() == before


@pytest.mark.parametrize("name", ["slots", "jobserver"])
def test_what_limits_the_jobs_is_made_once_for_all_threads(tmp_path: Path, name: str) -> None:
    """Two of them would allow twice as many processes. Python 3.12 and later let two threads call
    the function of a cached_property."""
    host, together = on(tmp_path, board.load(Trees(PROJECT), BOARD)), threading.Barrier(8)

    def find() -> object:
        together.wait(10)
        return getattr(host, name)

    with ThreadPoolExecutor(8) as pool:
        found = [each.result(10) for each in [pool.submit(find) for _ in range(8)]]
    assert len(set(map(id, found))) == 1
