"""State files that are cut off or damaged cost a rebuild at most: no traceback, no wrong result.

The long run, at random: `PYTHONPATH=tests:site_scons python -m incremental.kills --kills 0
--damages 100`.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from incremental.kills import damage, verdict
from incremental.kills.board import State
from incremental.kills.campaign import Campaign
from incremental.kills.states import complaints

DICE = random.Random(1)


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    return Campaign(tmp_path_factory.mktemp("damage"), seed=1, units=1)


def runs(campaign: Campaign, state: State) -> None:
    """Assert that a run ends well with the images of a clean build."""
    campaign.board.set(state)
    assert complaints("scons", campaign.board.run()) == []
    images = verdict.images(campaign.board)
    assert verdict.differences(images, campaign.clean[state].images) == []


def test_there_are_files_of_every_kind(campaign: Campaign) -> None:
    runs(campaign, "a")
    kinds = damage.files(campaign.board)
    assert [kind for kind in damage.KINDS if not kinds[kind]] == []
    memories = {path.name for path in kinds["memories"]}
    assert {"programs.json", "summary.json", "kept.json"} <= memories


@pytest.mark.parametrize("how", ["cut off", "garbage", "flipped"])
@pytest.mark.parametrize("kind", damage.KINDS)
def test_damaged_files_cost_a_rebuild_at_most(campaign: Campaign, kind: str, how: str) -> None:
    """In what was built before, and in the build of something else: that reads other files."""
    runs(campaign, "a")
    damage.harm(damage.files(campaign.board)[kind], how, DICE)
    assert complaints("scons why", campaign.board.ask("why")) == []
    runs(campaign, "a")
    damage.harm(damage.files(campaign.board)[kind], how, DICE)
    runs(campaign, "b")


@pytest.mark.parametrize("how", ["cut off", "emptied", "garbage"])
def test_a_damaged_journal_makes_the_next_run_trust_nothing(campaign: Campaign, how: str) -> None:
    """A target made by a killed run has the signature of the run before, whatever it is now."""
    runs(campaign, "a")
    board = campaign.board
    signatures = (board.out / "sconsign.dblite").read_bytes()
    digest = (board.out / "sconsign.sha256").read_bytes()
    runs(campaign, "b")
    journal = board.out / "journal"
    journal.write_bytes(b"0" * 64 + b"\nnever\n" + b"tiny/units/slow.json\n" * 9)
    damage.harm([journal], how, DICE)
    (board.out / "sconsign.dblite").write_bytes(signatures)
    (board.out / "sconsign.sha256").write_bytes(digest)
    runs(campaign, "a")
    assert not journal.exists()


def test_a_journal_that_names_what_lies_outside_removes_nothing(campaign: Campaign) -> None:
    runs(campaign, "a")
    outside = campaign.board.project.folder / "precious"
    outside.write_text("x")
    (campaign.board.out / "journal").write_text("../precious\n../../precious\n/etc/passwd\n\n")
    runs(campaign, "a")
    assert outside.exists() and Path("/etc/passwd").exists()


def test_everything_damaged_at_once_is_a_build_from_nothing(campaign: Campaign) -> None:
    runs(campaign, "a")
    for paths in damage.files(campaign.board).values():
        damage.harm(paths, "garbage", DICE)
    runs(campaign, "a")
