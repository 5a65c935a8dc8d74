"""Whether builds can be sealed here: the trial is as demanding as a build."""

from __future__ import annotations

import errno
import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sandbox_parts import Place

from quard.base.errors import QuardError
from quard.process.trial import build_user, probe, unsealed


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


def test_another_bubblewrap_is_tried_with_all_words_that_start_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusing(tmp_path, "--dev")
    (tmp_path / "bwrap").rename(tmp_path / "other")
    shell, real = shutil.which("sh") or "", f"{REAL}"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert probe("auto", (shell, "-c", f'exec {real} "$@"', "sh")) == ("bwrap", "")
    why = "bwrap refuses --dev: bwrap: no --dev here"
    assert probe("auto", (shell, str(tmp_path / "other"))) == ("none", why)


def test_why_there_is_no_bubblewrap_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert probe("auto", (), "none to fetch") == (
        "none",
        "bwrap is not installed, and none to fetch",
    )


def test_the_trial_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    assert probe("auto") == ("bwrap", "")
    assert not list(tmp_path.iterdir())


# Who runs what is not sealed


@pytest.fixture
def reachable() -> Iterator[Path]:
    """A folder that every user can reach, as pytest's own are not."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        Path(name).chmod(0o755)
        yield Path(name)


as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


def test_an_ordinary_user_builds_as_he_is(reachable: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert build_user(reachable, "/bin/sh") == (None, "")
    assert unsealed("because", reachable / "work", "/bin/sh") == (
        None,
        "builds are not sealed (because): an undeclared dependency on the machine would not be"
        " noticed",
    )


@as_root
def test_root_builds_as_nobody_and_leaves_nothing_behind(reachable: Path) -> None:
    user, obstacle = build_user(reachable, "/bin/sh")
    assert user and (user.uid, obstacle) == (pwd.getpwnam("nobody").pw_uid, "")
    assert not list(reachable.iterdir())


@as_root
def test_where_nobody_cannot_build_it_is_said_that_root_does(reachable: Path) -> None:
    work = reachable / "closed/work"
    work.mkdir(parents=True)
    (reachable / "closed").chmod(0o700)
    user, text = unsealed("because", work, "/bin/sh")
    assert user is None
    assert text.endswith(
        "; they run as root, and can write anywhere on it"
        f" (the user nobody cannot use {work} or /bin/sh)"
    )
    assert build_user(reachable, str(reachable / "closed/gcc"))[0] is None


@as_root
def test_where_root_cannot_become_another_user_it_is_said(
    reachable: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EINVAL, "Invalid argument")  # of a user namespace without such a number

    monkeypatch.setattr(os, "chown", refuse)
    user, obstacle = build_user(reachable, "/bin/sh")
    assert (user, obstacle) == (None, "no command can be run as the user nobody: Invalid argument")
