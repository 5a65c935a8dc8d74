"""Commit subjects, as CONTRIBUTING.md has them: `area: what`, at most 72 characters.

Held against every commit since the one that added this file. Earlier ones are as they are.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
FILE = str(Path(__file__).resolve().relative_to(TOP))
LONGEST = 72
FORM = re.compile(r"[a-z0-9][A-Za-z0-9.+_-]*(, [a-z0-9][A-Za-z0-9.+_-]*)*: \S.*[^\s.]")
REVERT = re.compile(r'Revert "(.*)"')


class NoHistoryError(Exception):
    """There is no history to look at, for the reason that this says."""


def git(folder: Path, *words: str) -> str:
    """Return what git prints. A hook of git that runs the tests has variables of its own set."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(
            ("git", *words),
            cwd=folder,
            env={**plain, "LC_ALL": "C"},
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        raise NoHistoryError("git is not installed") from None
    if done.returncode != 0:
        raise NoHistoryError(f"git {words[0]}: {done.stderr.strip()}")
    return done.stdout


def subjects(folder: Path, file: str) -> list[str]:
    """Return the subjects of all commits since the one that added `file`, merges left out.

    Raises NoHistoryError.
    """
    added = git(folder, "log", "--diff-filter=A", "--format=%H", "--", file).split()
    if not added:
        raise NoHistoryError(f"no commit adds {file}")
    if git(folder, "rev-parse", "--is-shallow-repository").strip() == "true":
        raise NoHistoryError("the clone is shallow: git fetch --unshallow brings the history")
    first = added[-1]
    return git(folder, "log", "--no-merges", "--format=%s", f"{first}..HEAD").splitlines()


def problem(subject: str) -> str:
    """Return what is wrong with a subject, "" if nothing is."""
    if reverted := REVERT.fullmatch(subject):
        return problem(reverted[1])
    if len(subject) > LONGEST:
        return f"{len(subject)} characters, {LONGEST} are the limit: {subject}"
    return "" if FORM.fullmatch(subject) else f"not `area: what`: {subject}"


def test_every_commit_since_this_test_has_a_subject_of_the_form() -> None:
    try:
        found = subjects(TOP, FILE)
    except NoHistoryError as reason:
        pytest.skip(f"no commits to look at: {reason}")
    assert [text for text in map(problem, found) if text] == []


@pytest.mark.parametrize(
    "subject",
    [
        "image: a file that is too large is refused",
        "run.sh: ports below 1024 are refused",
        "c-utf8: the script sets LC_ALL",
        "docs, tests: one word for one thing",
        'Revert "image: a file that is too large is refused"',
        "image: " + "x" * (LONGEST - len("image: ")),
    ],
)
def test_a_subject_of_the_form_passes(subject: str) -> None:
    assert problem(subject) == ""


@pytest.mark.parametrize(
    "subject",
    [
        "fix it",
        "Image: a capital letter",
        "image:no space",
        "image : a space before",
        "image: ends with a full stop.",
        "image: ",
        "fixup! image: what",
        "image: " + "x" * (LONGEST - len("image: ") + 1),
        'Revert "fix it"',
    ],
)
def test_another_subject_does_not(subject: str) -> None:
    assert problem(subject) != ""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "one"
    folder.mkdir()
    git(folder, "init", "-q")
    commit(folder, "an old subject")
    (folder / "rule").touch()
    git(folder, "add", "rule")
    commit(folder, "area: the rule")
    commit(folder, "area: one")
    commit(folder, "another")
    return folder


def commit(folder: Path, subject: str) -> None:
    own = ("-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false")
    git(folder, *own, "commit", "-q", "--allow-empty", "-m", subject)


def test_commits_after_the_rule_are_looked_at_and_none_before(repository: Path) -> None:
    assert subjects(repository, "rule") == ["another", "area: one"]
    (repository / "rule").write_text("changed")
    git(repository, "add", "rule")
    commit(repository, "area: the rule is another")
    assert subjects(repository, "rule")[0] == "area: the rule is another"
    assert len(subjects(repository, "rule")) == 3


def test_without_a_history_the_reason_is_told(repository: Path, tmp_path: Path) -> None:
    with pytest.raises(NoHistoryError, match="no commit adds nothing"):
        subjects(repository, "nothing")
    shallow = tmp_path / "two"
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{repository}", str(shallow))
    with pytest.raises(NoHistoryError, match="shallow"):
        subjects(shallow, "rule")
    with pytest.raises(NoHistoryError, match="not a git repository"):
        subjects(Path("/proc"), "rule")
