"""Whether builds can be sealed here: the trial is as demanding as a build."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from sandbox_parts import Place

from quard.errors import QuardError
from quard.execute.trial import probe


@pytest.fixture
def sealed(tmp_path: Path) -> Place:
    return Place(tmp_path, "bwrap")


def test_here_commands_are_sealed() -> None:
    assert probe("auto") == ("bwrap", "")
    assert probe("bwrap") == ("bwrap", "")


def test_the_settings_can_switch_it_off() -> None:
    assert probe("none") == ("none", "switched off in the settings")


def test_without_bubblewrap_auto_goes_on_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sealed: Place
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert probe("auto") == ("none", "bwrap is not installed")
    with pytest.raises(QuardError) as caught:
        probe("bwrap")
    assert (caught.value.reason, caught.value.detail) == ("no-sandbox", "bwrap is not installed")
    assert "local.toml" in caught.value.hint
    with pytest.raises(QuardError) as caught:
        sealed.run("true")
    assert caught.value.reason == "no-sandbox"


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("echo 'bwrap: no permission to make a namespace' >&2; exit 1",
         "bwrap: no permission to make a namespace"),
        ("exit 3", "bwrap ended with status 3"),
    ],
)  # fmt: skip
def test_where_namespaces_are_refused_the_reason_is_bubblewraps_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, why: str
) -> None:
    (tmp_path / "bwrap").write_text(f"#!/bin/sh\n{script}\n")
    (tmp_path / "bwrap").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert probe("auto") == ("none", why)
    with pytest.raises(QuardError) as caught:
        probe("bwrap")
    assert (caught.value.reason, caught.value.detail) == ("no-sandbox", why)


def test_a_bubblewrap_that_is_killed_once_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is built then must not be unsealed because of that."""
    script = f"[ -e {tmp_path}/once ] && exit 0; touch {tmp_path}/once; kill -s KILL $$"
    (tmp_path / "bwrap").write_text(f"#!/bin/sh\n{script}\n")
    (tmp_path / "bwrap").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert probe("auto") == ("bwrap", "")
    (tmp_path / "bwrap").write_text("#!/bin/sh\nkill -s KILL $$\n")
    for wanted in ("auto", "bwrap"):
        with pytest.raises(QuardError) as caught:
            probe(wanted)
        assert caught.value.reason == "no-sandbox" and "killed" in caught.value.detail


def test_a_bubblewrap_that_is_no_program_is_as_good_as_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bwrap").write_text("\x7fELF for another machine")
    (tmp_path / "bwrap").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    mode, why = probe("auto")
    assert mode == "none"
    assert why


REAL = shutil.which("bwrap")


def refusing(folder: Path, *options: str) -> None:
    """Put a bubblewrap into a folder that is the real one but for some options.

    So does one of a version that does not know them, or under a filter of system calls.
    """
    refuse = 'echo "bwrap: no $word here" >&2; exit 1'
    (folder / "bwrap").write_text(
        "#!/bin/sh\n"
        f"for word; do case $word in {'|'.join(options)}) {refuse} ;; esac; done\n"
        f'exec {REAL} "$@"\n'
    )
    (folder / "bwrap").chmod(0o755)


@pytest.mark.parametrize(
    "option",
    ["--dev", "--tmpfs", "--remount-ro", "--clearenv", "--hostname", "--die-with-parent", "--proc"],
)
def test_an_option_that_only_builds_use_is_tried_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    refusing(tmp_path, option)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert probe("auto") == ("none", f"bwrap refuses {option}: bwrap: no {option} here")
    with pytest.raises(QuardError) as caught:
        probe("bwrap")
    assert caught.value.reason == "no-sandbox"
    assert option in caught.value.detail


def test_where_more_than_one_option_is_refused_bubblewrap_has_the_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusing(tmp_path, "--dev", "--remount-ro")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert probe("auto") == ("none", "bwrap: no --dev here")


def test_the_trial_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    assert probe("auto") == ("bwrap", "")
    assert not list(tmp_path.iterdir())
