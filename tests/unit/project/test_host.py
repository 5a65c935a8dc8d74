"""The build machine of a run: builds with the pinned tools are sealed, or there is an error."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import pytest

from quard.base import canonical
from quard.base.errors import QuardError
from quard.boards import board, settings
from quard.face.console import Console
from quard.project.host import Host
from quard.project.site import Site
from quard.tools.place import FOLDER

PROJECT = Path(__file__).resolve().parents[3]
BOARD = "quard-star-small"


@pytest.fixture
def host(tmp_path: Path) -> Host:
    """A machine whose builds use the pinned tools, as an earlier run has decided."""
    shutil.copytree(PROJECT / FOLDER, tmp_path / FOLDER)
    given = settings.load(tmp_path, {}, None)
    site = Site(cache=tmp_path / "cache", home=None, search="/usr/bin:/bin", jobs=1)
    chosen = board.load(PROJECT / "configs", BOARD)
    made = Host(tmp_path, chosen, given, site, Console(io.StringIO()))
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
    (tmp_path / "out").mkdir(exist_ok=True)
    decision = {"pinned": True, "why": "", "of": canonical.digest(of)}
    (tmp_path / "out/tools.json").write_text(canonical.sealed(decision))
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
