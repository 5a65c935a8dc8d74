from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from quard.base.errors import QuardError
from quard.execute import effect
from quard.plan.plan import Phase, Plan, RunStep

PLAN = Plan(name="thing", version="1.0", triple="riscv64-linux-gnu")


@pytest.fixture
def stage(tmp_path: Path) -> Path:
    (tmp_path / "stage/usr").mkdir(parents=True)
    (tmp_path / "stage/usr/old").write_text("old")
    return tmp_path / "stage"


def run(
    stage: Path,
    does: Callable[[], object],
    *,
    phase: Phase = "install",
    argv: tuple[str, ...] = ("tic", "-o", "{stage}/usr/share/terminfo", "list"),
) -> None:
    with effect.expected(PLAN, RunStep(phase, argv), stage, "out/b/logs/thing.log"):
        does()


def test_a_step_that_leaves_the_staging_folder_as_it_was_is_an_error(stage: Path) -> None:
    elsewhere = stage.parent / "home"
    with pytest.raises(QuardError) as caught:
        run(stage, elsewhere.mkdir)
    assert caught.value.reason == "step-without-effect"
    assert "thing 1.0" in caught.value.message
    assert "command: tic -o {stage}/usr/share/terminfo list" in caught.value.detail
    assert "out/b/logs/thing.log" in caught.value.hint


@pytest.mark.parametrize(
    "change",
    [
        lambda stage: (stage / "usr/new").touch(),
        lambda stage: (stage / "usr/share").mkdir(),
        lambda stage: (stage / "usr/new").symlink_to("old"),
        lambda stage: (stage / "usr/old").write_text("new"),
        lambda stage: (stage / "usr/old").chmod(0o755),
        lambda stage: (stage / "usr/old").unlink(),
        lambda stage: (stage / "usr/old").rename(stage / "usr/new"),
    ],
    ids=["file", "folder", "link", "content", "mode", "removed", "renamed"],
)
def test_every_change_is_an_effect(stage: Path, change: Callable[[Path], object]) -> None:
    run(stage, lambda: change(stage))


@pytest.mark.parametrize(
    ("phase", "argv"),
    [
        ("install", ("test", "-e", "{stage}/usr/old")),
        ("install", ("make", "documentation")),
        ("build", ("make", "PREFIX={stage}")),
    ],
)
def test_steps_that_look_or_do_not_install_need_no_effect(
    stage: Path, phase: Phase, argv: tuple[str, ...]
) -> None:
    run(stage, lambda: None, phase=phase, argv=argv)


def test_a_step_that_fails_is_not_blamed_for_its_effect(stage: Path) -> None:
    def fail() -> None:
        raise QuardError("it failed", reason="install-failed")

    with pytest.raises(QuardError, match="it failed"):
        run(stage, fail)
