"""quard.sources.git: commits of real repositories, fetched as archives of known bytes."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
import threading
from pathlib import Path

import pytest
from git_parts import GitRepository

from quard.base.errors import QuardError
from quard.face.progress import Lines
from quard.model import Autotools, Git
from quard.plan.source import Request, requests
from quard.sources import git
from quard.sources.attempt import Failed, Stopped
from quard.sources.fetch import Fetcher
from quard.sources.mirrors import Locations

WRONG = "0" * 64
FILES = {
    "a/run": "#!/bin/sh\n",
    "b.txt": "$Id$ $Format:%H$\n",
    "left-out": "still here\n",
    ".gitattributes": "left-out export-ignore\n*.txt export-subst ident eol=crlf text\n",
}
DIGEST = "0cdd7fa31201e4f6aa8fc4a99cfcabd1a749fb9fd7336140d1bb7d76401150be"
"""Of the archive of FILES and a link: if it changes, every `tree` of every recipe is wrong."""


@pytest.fixture
def repository(tmp_path: Path) -> GitRepository:
    made = GitRepository(tmp_path / "server/one.git")
    (made.folder / "a").mkdir()
    (made.folder / "a/link").symlink_to("run")
    made.commit(FILES)
    (made.folder / "a/run").chmod(0o755)
    made.run("update-index", "--chmod=+x", "a/run")
    made.commit({}, "--amend")
    return made


def wanted(repository: GitRepository, commit: str, tree: str = WRONG) -> Request:
    source = Git(repository.address, commit=commit, tree=tree)
    recipe = Autotools(summary="x", version="1", license="MIT", sources=(source,))
    (found,) = requests("one", recipe)
    return found


def fetcher(cache: Path, where: Locations | None = None) -> Fetcher:
    return Fetcher(cache, where or Locations(), Lines(io.StringIO()))


def refused(cache: Path, request: Request) -> QuardError:
    with pytest.raises(QuardError) as caught:
        fetcher(cache).fetch(request)
    return caught.value


def content(archive: Path) -> dict[str, str]:
    """Return what the files and links of an archive have, without the top folder."""
    found = {}
    with tarfile.open(archive) as tar:
        for member in tar:
            top, _, name = member.name.partition("/")
            assert (top, member.uid, member.gid, member.uname) == ("source", 0, 0, "")
            assert member.mtime == git.MTIME
            file = tar.extractfile(member) if member.isreg() else None
            found[name] = file.read().decode() if file else f"-> {member.linkname}"
    return found


def archived(repository: GitRepository, out: Path, query: str) -> str:
    """Write the archive of a commit and return its digest."""
    git.Git(lambda: False, lambda _: None).get(f"git+{repository.address}#{query}", out)
    return hashlib.sha256(out.read_bytes()).hexdigest()


def test_the_archive_has_the_commits_own_bytes_and_a_known_digest(
    repository: GitRepository, tmp_path: Path
) -> None:
    head = repository.run("rev-parse", "HEAD")
    found = fetcher(tmp_path / "cache").fetch(wanted(repository, head, DIGEST))
    assert content(found.path) == {**FILES, "a/link": "-> run"}
    assert found.file == f"one-{head[:12]}.tar"
    with tarfile.open(found.path) as tar:
        modes = {member.name: member.mode for member in tar if member.isreg()}
        assert [m.name for m in tar] == sorted(m.name for m in tar)
    assert modes["source/a/run"] == 0o755 and modes["source/b.txt"] == 0o644
    assert sorted(path.name for path in found.path.parent.iterdir()) == [".lock", found.file]


def test_neither_the_users_configuration_nor_the_umask_is_in_the_archive(
    repository: GitRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config"
    config.write_text(
        "[core]\nautocrlf = true\n[tar]\numask = 0777\n[gc]\nauto = 1\n[fetch]\nprune = true\n"
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    old = os.umask(0o077)
    try:
        head = (repository.folder / ".git/refs/heads/main").read_text().strip()
        assert archived(repository, tmp_path / "out", f"commit={head}") == DIGEST
    finally:
        os.umask(old)


@pytest.mark.parametrize("version", [0, 2], ids=lambda n: f"protocol {n}")
def test_a_commit_behind_a_branch_is_found(
    repository: GitRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: int
) -> None:
    """By the old protocol, servers give only what a branch or a tag names."""
    config = tmp_path / "config"
    config.write_text(f"[protocol]\nversion = {version}\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    first = repository.run("rev-parse", "HEAD")
    repository.commit({"b.txt": "later\n"})
    assert archived(repository, tmp_path / "out", f"commit={first}") == DIGEST


def test_a_commit_that_a_moved_tag_has_left_is_an_error_that_says_so(
    repository: GitRepository, tmp_path: Path
) -> None:
    repository.run("tag", "v1")
    first = repository.run("rev-parse", "HEAD")
    repository.commit({"b.txt": "other\n"}, "--amend")
    repository.run("tag", "--force", "v1")
    repository.forget(first)
    error = refused(tmp_path / "cache", wanted(repository, first, DIGEST))
    assert error.reason == "no-source"
    assert f"the repository has no commit {first}" in error.detail
    assert "a branch or tag may have been moved away from it" in error.hint
    assert not [*(tmp_path / "cache").rglob("*.tar*")]


def test_another_tree_than_the_recipes_is_refused_with_both_digests(
    repository: GitRepository, tmp_path: Path
) -> None:
    head = repository.run("rev-parse", "HEAD")
    error = refused(tmp_path / "cache", wanted(repository, head))
    assert error.reason == "hash-mismatch"
    assert f"expected digest of the tree {WRONG}" in error.detail and DIGEST in error.detail
    assert not [*(tmp_path / "cache").rglob("*.tar*")]


def test_a_repository_that_is_not_there_is_an_error_with_gits_words(tmp_path: Path) -> None:
    gone = GitRepository(tmp_path / "server/gone.git")
    (gone.folder / ".git").rename(gone.folder / "no")
    error = refused(tmp_path / "cache", wanted(gone, "1" * 40))
    assert error.reason == "no-source" and "git+file:" in error.detail


def test_submodules_are_fetched_if_asked_for_from_addresses_relative_to_the_repositorys(
    repository: GitRepository, tmp_path: Path
) -> None:
    assert repository.address == (tmp_path / "server/one.git").as_uri()
    outer = GitRepository(tmp_path / "server/outer.git")
    outer.run("submodule", "--quiet", "add", "../one.git", "lib/one")
    head = outer.commit({"main.c": "int main;\n"})
    for query, inner in (("", False), ("&submodules=1", True)):
        archived(outer, tmp_path / "out.tar", f"commit={head}{query}")
        found = content(tmp_path / "out.tar")
        assert ("lib/one/b.txt" in found) == inner
        assert "main.c" in found and "lib/one" not in found
    assert found["lib/one/b.txt"] == FILES["b.txt"] and found["lib/one/a/link"] == "-> run"


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("ext::sh -c true", "is not one of https"),
        ("file:///etc", "is not one of https"),
        ("../../../../../x", "leaves the server"),
    ],
)
def test_an_address_of_a_submodule_that_leads_elsewhere_is_refused(address: str, said: str) -> None:
    with pytest.raises(Failed, match=said):
        git._resolved("https://example.org/a/b.git", address)


def test_a_commit_is_kept_for_work_offline_and_found_in_a_folder_of_sources(
    repository: GitRepository, tmp_path: Path
) -> None:
    head = repository.run("rev-parse", "HEAD")
    request = wanted(repository, head, DIGEST)
    first = fetcher(tmp_path / "cache").fetch(request)
    (repository.folder / ".git").rename(tmp_path / "away")
    offline = Locations(offline=True)
    assert fetcher(tmp_path / "cache", offline).fetch(request).path == first.path
    where = Locations(folders=(first.path.parent,), offline=True)
    assert fetcher(tmp_path / "other", where).fetch(request).address == first.path.as_uri()


def test_what_a_killed_fetch_has_left_is_removed(repository: GitRepository, tmp_path: Path) -> None:
    (tmp_path / ".git-left").mkdir()
    (tmp_path / ".git-left/pack").write_text("half")
    archived(repository, tmp_path / "out.tar", f"commit={repository.run('rev-parse', 'HEAD')}")
    assert not [*tmp_path.glob(".git-*")]


def test_a_stop_ends_git(repository: GitRepository, tmp_path: Path) -> None:
    stopped = threading.Event()
    stopped.set()
    fetch = git.Git(stopped.is_set, lambda _: None)
    with pytest.raises(Stopped):
        fetch.get(f"git+{repository.address}#commit={'1' * 40}", tmp_path / "out")
    assert not [*tmp_path.glob(".git-*")]
