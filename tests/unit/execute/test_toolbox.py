"""The tools folder of a build that continues an earlier one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from sandbox_parts import COMPILER, PREFIX
from stamps import written

from quard.execute import sysroot
from quard.execute.distcc import Distcc
from quard.execute.launcher import Launcher
from quard.execute.toolbox import Toolbox
from quard.plan.plan import Plan
from quard.process.sandbox import Sandbox, Work

TRIPLE = PREFIX.rstrip("-")


def toolbox(root: Path, launcher: Launcher | None) -> Toolbox:
    """Return the tools of a build in a work folder, which is made."""
    sandbox = Sandbox(mode="bwrap", work=Work(root))
    plan = Plan(name="thing", version="1", triple=TRIPLE)
    if not root.exists():
        sandbox.work.make()
    return Toolbox(plan, COMPILER, sandbox, launcher, os.environ["PATH"])


def distcc(*jobs: int) -> Distcc:
    """Return distcc with as many hosts."""
    hosts = tuple((Path("/nowhere"), each) for each in jobs)
    return Distcc(words=("distcc",), shown=(), hosts=hosts, jobs=1, identity="tools")


def driver(root: Path) -> str:
    return (root / "tools" / f"{TRIPLE}-gcc").read_text()


@pytest.mark.parametrize("now", [distcc(8), distcc(2, 2), None])
@pytest.mark.parametrize("before", [distcc(2), None])
def test_drivers_start_what_the_settings_name_now(
    tmp_path: Path, before: Launcher | None, now: Launcher | None
) -> None:
    toolbox(tmp_path / "kept", before).fill()
    toolbox(tmp_path / "new", now).fill()
    for _ in range(2):
        toolbox(tmp_path / "kept", now).renew()
        assert driver(tmp_path / "kept") == driver(tmp_path / "new")
    toolbox(tmp_path / "kept", None).renew()
    assert "distcc" not in driver(tmp_path / "kept")


def test_without_a_launcher_the_folder_stays_as_it_is(tmp_path: Path) -> None:
    root = tmp_path / "kept"
    toolbox(root, None).fill()
    before = written(root / "tools")
    toolbox(root, None).renew()
    assert written(root / "tools") == before


@pytest.mark.parametrize("told", ["answers", None])
def test_new_tools_have_the_answers_for_configure_scripts_still(
    tmp_path: Path, told: str | None
) -> None:
    root = tmp_path / "kept"
    toolbox(root, None).fill()
    site = root / "tools" / sysroot.SITE
    if told:
        site.write_text(told)
    toolbox(root, distcc(2)).renew()
    assert (site.read_text() if site.exists() else None) == told
