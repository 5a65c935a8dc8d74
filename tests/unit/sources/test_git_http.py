"""Commits that are fetched over HTTP from git's own server."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pytest
from git_parts import GitRepository
from git_server import serving

from quard.base.errors import QuardError
from quard.face.progress import Lines
from quard.model import Autotools, Git
from quard.plan.source import Request, requests
from quard.sources import git
from quard.sources.fetch import Fetcher
from quard.sources.mirrors import Locations

FILES = {"a.c": "int a;\n", "sub/b.c": "int b;\n"}


def digest(repository: GitRepository, commit: str) -> str:
    """Return the digest of a commit that is fetched from the folder of the repository itself."""
    out = repository.folder.parent / "out.tar"
    git.Git(lambda: False, lambda _: None).get(f"git+{repository.address}#commit={commit}", out)
    return hashlib.sha256(out.read_bytes()).hexdigest()


def wanted(address: str, commit: str, tree: str, mirrors: tuple[str, ...] = ()) -> Request:
    source = Git(address, commit=commit, tree=tree, mirrors=mirrors)
    recipe = Autotools(summary="x", version="1", license="MIT", sources=(source,))
    (found,) = requests("one", recipe)
    return found


def fetch(cache: Path, request: Request) -> Path:
    return Fetcher(cache, Locations(), Lines(io.StringIO())).fetch(request).path


@pytest.fixture
def repository(tmp_path: Path) -> GitRepository:
    made = GitRepository(tmp_path / "server/one.git")
    made.commit(FILES)
    return made


def test_a_commit_of_a_branch_is_fetched_as_from_a_folder(
    repository: GitRepository, tmp_path: Path
) -> None:
    commit = repository.commit({"a.c": "int changed;\n"})
    tree = digest(repository, commit)
    with serving(repository.folder.parent) as server:
        path = fetch(tmp_path / "cache", wanted(f"{server.address}/one.git", commit, tree))
        assert {each.split()[1] for each in server.asked} == {
            "/one.git/info/refs",
            "/one.git/git-upload-pack",
        }
    assert path.name == f"one-{commit[:12]}.tar"


def test_a_commit_that_only_history_has_is_found(repository: GitRepository, tmp_path: Path) -> None:
    old = repository.run("rev-parse", "HEAD")
    repository.commit({"a.c": "int other;\n"})
    tree = digest(repository, old)
    with serving(repository.folder.parent) as server:
        assert fetch(tmp_path / "cache", wanted(f"{server.address}/one.git", old, tree)).exists()


def test_a_mirror_is_asked_if_the_first_server_has_no_such_repository(
    repository: GitRepository, tmp_path: Path
) -> None:
    commit = repository.run("rev-parse", "HEAD")
    tree = digest(repository, commit)
    with serving(repository.folder.parent) as server:
        address, mirror = f"{server.address}/none.git", f"{server.address}/one.git"
        request = wanted(address, commit, tree, (mirror,))
        assert fetch(tmp_path / "cache", request).exists()
        assert server.asked[0].startswith("GET /none.git/")


def test_a_commit_that_no_server_has_is_one_error(
    repository: GitRepository, tmp_path: Path
) -> None:
    with serving(repository.folder.parent) as server:
        request = wanted(f"{server.address}/one.git", "1" * 40, "0" * 64)
        with pytest.raises(QuardError) as caught:
            fetch(tmp_path / "cache", request)
    assert caught.value.reason == "no-source"
    assert f"the repository has no commit {'1' * 40}" in caught.value.detail


def test_other_files_than_the_recipe_says_are_refused(
    repository: GitRepository, tmp_path: Path
) -> None:
    commit = repository.run("rev-parse", "HEAD")
    with serving(repository.folder.parent) as server:
        request = wanted(f"{server.address}/one.git", commit, "0" * 64)
        with pytest.raises(QuardError) as caught:
            fetch(tmp_path / "cache", request)
    assert caught.value.reason == "hash-mismatch"
