"""Builds that are ended from outside, that meet, or that nobody listens to any more.

The long run, at random: `PYTHONPATH=tests:site_scons python -m incremental.kills --kills 100`.
"""

from __future__ import annotations

import json
import os
import random
import signal
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from waiting import within

from incremental.kills import processes, verdict
from incremental.kills.campaign import Campaign
from incremental.kills.terminal import Terminal

UNITS = 1
"""So that a build takes a few seconds; the long run has more."""
KINDS = (
    "ctrl-c",
    "SIGTERM to scons",
    "hang-up",
    "kill -9 of scons",
    "kill -9 of the group",
    "kill -9 of a child",
)
_LIMIT = 60.0


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Campaign]:
    """A board that every test leaves as it may have been left by any."""
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")  # noqa: T201 - shown where a test fails
    with processes.adopting():
        yield Campaign(tmp_path_factory.mktemp("kills"), seed, UNITS)


def until(holds: Callable[[], object], what: str) -> None:
    assert within(_LIMIT, holds), f"never: {what}"


def building(run: Terminal) -> None:
    """Wait until the slow package's compiler runs."""
    until(lambda: any(p.name == "cc1" for p in processes.below(run.pid)), "a compiler runs")


def as_clean(campaign: Campaign) -> None:
    """Assert that the images are those of a clean build, and that nothing else is left."""
    board = campaign.board
    clean = campaign.clean[board.state]
    assert verdict.differences(verdict.images(board), clean.images) == []
    assert list(verdict.litter(board)) == []


def fresh(campaign: Campaign) -> None:
    """Have the slow package built by the next run, for certain."""
    campaign.board.set("a")
    campaign.start_cold()


@pytest.mark.parametrize("kind", KINDS)
def test_a_build_that_was_ended_is_made_good_by_the_next(campaign: Campaign, kind: str) -> None:
    found = None
    while found is None:  # it was over before
        found = campaign.round(kind)
    assert found.faults == [], f"{found.phase}, {found.hit}\n{found.said}"


def test_ctrl_z_suspends_the_commands_and_they_go_on(campaign: Campaign) -> None:
    fresh(campaign)
    run = Terminal(campaign.board)
    building(run)
    run.press(b"\x1a")
    # D is a shell that waits for its stopped child to exec, vfork(2).
    until(lambda: {p.state for p in processes.below(run.pid)} <= {"D", "T"}, "all are stopped")
    os.kill(run.pid, signal.SIGCONT)
    until(lambda: "T" not in {p.state for p in processes.below(run.pid)}, "all go on")
    assert run.wait(_LIMIT), run.said
    run.close()
    assert run.process.returncode == 0, run.said
    as_clean(campaign)


def test_a_build_whose_output_nobody_reads_any_more_comes_to_its_end(campaign: Campaign) -> None:
    """As in `./scons | head -1`; SCons by itself waits without end for a thread that has died."""
    fresh(campaign)
    read, write = os.pipe()
    process = campaign.board.start(output=write)
    os.close(write)
    os.close(read)
    assert process.wait(_LIMIT) == 0
    as_clean(campaign)


def test_a_second_build_waits_with_one_line_and_goes_on_when_the_first_is_killed(
    campaign: Campaign,
) -> None:
    fresh(campaign)
    first = Terminal(campaign.board)
    building(first)
    second = Terminal(campaign.board)
    line = f"waiting for another build in this tree (process {first.pid})"
    until(lambda: line in second.said, "it waits")
    assert first.process.poll() is None
    os.kill(first.pid, signal.SIGKILL)
    first.wait(_LIMIT)
    first.close()
    assert second.wait(_LIMIT), second.said
    second.close()
    assert second.process.returncode == 0, second.said
    assert second.said.count("waiting for another build") == 1
    summary = json.loads((campaign.board.out / "tiny/summary.json").read_text())
    assert "slow" in [row["name"] for row in summary["built"]]
    as_clean(campaign)


def test_ctrl_c_ends_a_build_that_waits_for_another(campaign: Campaign) -> None:
    fresh(campaign)
    first = Terminal(campaign.board)
    building(first)
    second = Terminal(campaign.board)
    until(lambda: "waiting for another build" in second.said, "it waits")
    second.press(b"\x03")
    assert second.wait(_LIMIT) and first.wait(_LIMIT), second.said + first.said
    second.close()
    first.close()
    assert second.process.returncode == 2 and "Traceback" not in second.said
    assert first.process.returncode == 0, first.said
    as_clean(campaign)


def _is_built_in_or_over(stamp: Path, run: Terminal) -> bool:
    return not stamp.exists() or run.wait(0)


@pytest.mark.parametrize("name", ["conf", "greet"])
def test_a_kept_folder_in_which_a_build_was_killed_is_not_gone_on_with(
    campaign: Campaign, name: str
) -> None:
    fresh(campaign)
    board = campaign.board
    assert board.run().status == 0
    stamp = board.out / "tiny/work" / name / "kept.json"
    while stamp.exists():  # a try whose build of the package was over before
        board.turn()
        run = Terminal(board)
        until(partial(_is_built_in_or_over, stamp, run), "it is built in")
        run.process.kill()
        assert run.wait(_LIMIT)
        run.close()
    Path(stamp.parent, "src/words.o").write_bytes(b"half an object")
    ran = board.run()
    assert ran.status == 0, ran.text
    assert name in ran.built
    as_clean(campaign)
