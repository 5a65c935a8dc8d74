"""What may be in a checkout besides its commits."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from git_parts import GitRepository, WorkTree

from quard.base.errors import QuardError
from quard.interactive.repository import Repository
from quard.interactive.unsaved import require_saved
from quard.process.stop import Stop


@pytest.fixture
def git(tmp_path: Path) -> GitRepository:
    found = GitRepository(tmp_path / "greet")
    found.commit({"greet.c": "first\n"})
    found.run("tag", "first")
    found.commit({"greet.c": "second\n"})
    return found


def required(git: WorkTree, base: str = "") -> None:
    search = os.environ["PATH"]
    repository = Repository(git.folder / ".git", git.folder, search, Stop())
    require_saved(repository, "edit/greet", base or git.run("rev-parse", "first"))


def uncommitted(git: WorkTree) -> str:
    (git.folder / "greet.c").write_text("work\n")
    return "M greet.c"


def staged(git: WorkTree) -> str:
    (git.folder / "greet.c").write_text("work\n")
    git.run("add", "greet.c")
    return "M  greet.c"


def untracked(git: WorkTree) -> str:
    (git.folder / "new.c").write_text("work\n")
    return "?? new.c"


def ignored(git: WorkTree) -> str:
    git.commit({".gitignore": "*.x\n"})
    (git.folder / "new.x").write_text("work\n")
    return "new.x"


def of_another_repository(git: WorkTree) -> str:
    GitRepository(git.folder / "inner").commit({"new.c": "work\n"})
    return "?? inner/"


def stashed(git: WorkTree) -> str:
    (git.folder / "greet.c").write_text("work\n")
    git.run("stash")
    return "git stash has changes"


def on_a_branch(git: WorkTree) -> str:
    git.run("checkout", "--quiet", "-b", "other")
    git.commit({"new.c": "work\n"})
    git.run("checkout", "--quiet", "main")
    return "commits of other"


def in_a_rebase(git: WorkTree) -> str:
    """A conflict that was resolved, so that nothing but the rebase is open."""
    git.run("checkout", "--quiet", "-b", "topic", "first")
    git.commit({"greet.c": "third\n"})
    with pytest.raises(Exception, match="rebase"):
        git.run("rebase", "main")
    git.run("checkout", "--ours", "greet.c")
    git.run("add", "greet.c")
    return "a rebase has not ended"


WORK = [
    *(uncommitted, staged, untracked, ignored, of_another_repository),
    *(stashed, on_a_branch, in_a_rebase),
]


@pytest.mark.parametrize("work", WORK)
def test_work_that_is_in_no_commit_is_refused(
    git: GitRepository, work: Callable[[WorkTree], str]
) -> None:
    text = work(git)
    with pytest.raises(QuardError) as caught:
        required(git)
    assert caught.value.reason == "edit-unsaved"
    assert text in caught.value.detail


def test_commits_alone_are_fine(git: GitRepository) -> None:
    required(git)


def fetched(git: WorkTree, folder: Path) -> None:
    """Fetch a branch and tags from another repository."""
    upstream = GitRepository(folder)
    upstream.commit({"greet.c": "upstream\n"})
    upstream.run("tag", "v1")
    upstream.commit({"greet.c": "later\n"})
    git.run("remote", "add", "upstream", upstream.address)
    git.run("fetch", "--quiet", "--tags", "upstream")
    assert "v1" in git.run("tag", "--no-merged", "HEAD")


def test_what_was_fetched_from_another_repository_is_no_work(
    git: GitRepository, tmp_path: Path
) -> None:
    fetched(git, tmp_path / "upstream")
    required(git)


def test_work_on_a_branch_of_another_repository_is_refused(
    git: GitRepository, tmp_path: Path
) -> None:
    fetched(git, tmp_path / "upstream")
    git.run("checkout", "--quiet", "-b", "topic", "upstream/main")
    git.commit({"new.c": "work\n"})
    git.run("checkout", "--quiet", "main")
    with pytest.raises(QuardError) as caught:
        required(git)
    assert caught.value.detail == "commits of topic"


def test_of_many_branches_some_are_named(git: GitRepository) -> None:
    on_a_branch(git)
    for number in range(30):
        git.run("branch", f"branch-{number:02}", "other")
    with pytest.raises(QuardError) as caught:
        required(git)
    lines = caught.value.detail.splitlines()
    assert lines[0] == "commits of branch-00" and lines[10:] == ["and 21 more"]


def test_commits_without_a_branch_are_fine(git: GitRepository) -> None:
    git.run("checkout", "--quiet", "--detach")
    git.commit({"new.c": "\n"})
    required(git)


def test_a_merge_is_refused(git: GitRepository) -> None:
    git.run("checkout", "--quiet", "-b", "side")
    git.commit({"side.c": "\n"})
    git.run("checkout", "--quiet", "main")
    git.commit({"main.c": "\n"})
    git.run("merge", "--quiet", "--no-edit", "side")
    with pytest.raises(QuardError, match="has a merge") as caught:
        required(git)
    assert caught.value.reason == "not-as-patches"


def test_another_first_commit_is_refused(git: GitRepository) -> None:
    base = git.run("rev-parse", "first")
    git.run("tag", "--delete", "first")
    git.run("reset", "--quiet", "--hard", "HEAD~1")
    git.run("commit", "--quiet", "--amend", "--message=other")
    with pytest.raises(QuardError, match="was replaced") as caught:
        required(git, base)
    assert caught.value.reason == "not-as-patches"


def test_a_setting_of_the_user_hides_nothing(
    git: GitRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ignored").write_text("*\n")
    (tmp_path / ".gitconfig").write_text(f"[core]\nexcludesFile = {tmp_path}/ignored\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    (git.folder / "new.c").write_text("work\n")
    with pytest.raises(QuardError) as caught:
        required(git)
    assert "?? new.c" in caught.value.detail
