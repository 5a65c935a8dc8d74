"""A package that is built from a commit of a git repository."""

from __future__ import annotations

from pathlib import Path

import pytest
from git_parts import GitRepository

from incremental.project import Project, ok
from incremental.test_bad_input import refused

MAKEFILE = "alone: alone.c\n\t$(CC) $(CFLAGS) -o $@ alone.c\n"
NOTHING = "0" * 64


class Cloned:
    """The project `alone` with a repository as its source."""

    def __init__(self, project: Project, folder: Path) -> None:
        self.project = project
        self.repository = GitRepository(folder)

    def commit(self, code: str) -> str:
        return self.repository.commit({"alone.c": code, "Makefile": MAKEFILE, "COPYING": "MIT\n"})

    def write(self, commit: str, tree: str) -> None:
        """Have the recipe name a commit."""
        recipe = self.project.recipe("alone")
        text = recipe.read_text().replace("Make, Source", "Git, Make, Source")
        start, end = text.index("    sources=["), text.index("    license=")
        source = f'Git("{self.repository.address}", commit="{commit}", tree="{tree}")'
        recipe.write_text(f"{text[:start]}    sources=[{source}],\n{text[end:]}")

    def pin(self, commit: str) -> str:
        """Have the recipe name a commit and the digest that the error shows; return the digest."""
        self.write(commit, NOTHING)
        ran = self.project.run("alone")
        refused(ran, "hash-mismatch", f"expected digest of the tree {NOTHING}")
        digest = ran.err.partition("found digest of the tree")[2].split()[0]
        self.write(commit, digest)
        return digest


@pytest.fixture
def cloned(greeting: Project) -> Cloned:
    greeting.board(["alone", "libc"])
    return Cloned(greeting, greeting.folder.parent / "server/alone.git")


def test_a_commit_is_built_offline_once_it_is_fetched_and_another_one_rebuilds(
    cloned: Cloned,
) -> None:
    first = cloned.commit("int main(void) { return 0; }\n")
    digest = cloned.pin(first)
    ok(cloned.project.run("source"))
    assert [path.parent.name for path in cloned.project.cached("alone-*.tar")] == [digest]
    cloned.repository.folder.rename(cloned.repository.folder.with_name("gone"))
    assert ok(cloned.project.run("sources.offline=true")).built == ["alone", "libc"]
    cloned.repository.folder.with_name("gone").rename(cloned.repository.folder)
    cloned.pin(cloned.commit("int main(void) { return 1; }\n"))
    assert ok(cloned.project.run()).built == ["alone"]


def test_a_commit_that_is_not_there_is_one_error(cloned: Cloned) -> None:
    cloned.commit("int main(void) { return 0; }\n")
    cloned.write("1" * 40, NOTHING)
    refused(cloned.project.run("alone"), "no-source", f"the repository has no commit {'1' * 40}")


def test_a_tag_in_place_of_a_commit_is_refused(cloned: Cloned) -> None:
    cloned.write("v1.0", NOTHING)
    refused(cloned.project.run("alone"), "malformed-commit", "a branch or tag moves")
