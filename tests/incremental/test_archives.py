"""A release in several packings: what is made of which, and what that rebuilds."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tarfile
from pathlib import Path
from typing import Any

import pytest

from incremental.conftest import ALL, GREET_C, GREET_H
from incremental.project import Project, Ran, ok

UPSTREAM, REPACK, THIRD = "greet-1.tar.xz", "greet_1.orig.tar.xz", "greet_1.third.tar.xz"


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


class Packings:
    """The library greet in three packings, each of which says in its code what it is."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.hashes: dict[str, str] = {}

    def make(self, project: Project) -> None:
        self.folder.mkdir()
        for name in (UPSTREAM, REPACK, THIRD):
            code = GREET_C + f'const char *packing(void) {{ return "made from {name}"; }}\n'
            project.library("greet", code, GREET_H)
            path = self.folder / name
            (project.sources / UPSTREAM).rename(path)
            self.hashes[name] = sha256(path)
        project.recipe("greet").write_text(
            project.recipe("greet")
            .read_text()
            .replace("import Install", "import Alternate, Install")
        )

    def accept(self, project: Project, *names: str) -> None:
        """Have the recipe accept these packings, the first one as upstream's."""
        first, *others = names
        listed = "".join(
            f'Alternate("{(project.sources / name).as_uri()}", "{self.hashes[name]}", "packing"),'
            for name in others
        )
        text = project.recipe("greet").read_text()
        start, end = text.index("    sources="), text.index("    license=")
        source = (
            f'    sources=[Source("{(project.sources / first).as_uri()}",'
            f' sha256="{self.hashes[first]}", provenance="the test", alternates=[{listed}])],\n'
        )
        project.recipe("greet").write_text(text[:start] + source + text[end:])

    def offer(self, project: Project, *names: str) -> None:
        """Have these packings at their addresses, and none in the cache."""
        for name in (UPSTREAM, REPACK, THIRD):
            for path in project.cached(name):
                path.unlink()
            (project.sources / name).unlink(missing_ok=True)
            if name in names:
                shutil.copy2(self.folder / name, project.sources / name)

    def build(self, project: Project, accepted: tuple[str, ...], offered: tuple[str, ...]) -> Ran:
        """Build with these packings accepted by the recipe, and those at their addresses."""
        self.accept(project, *accepted)
        self.offer(project, *offered)
        return ok(project.run())


@pytest.fixture
def packings(greeting: Project) -> Packings:
    found = Packings(greeting.folder.parent / "packings")
    found.make(greeting)
    return found


def made_from(project: Project) -> str:
    """Return what the library in the image says that it was made from."""
    with tarfile.open(project.folder / "out/tiny/images/rootfs.tar") as tar:
        file = tar.extractfile("usr/lib/libgreet.so.1")
        assert file
        data = file.read()
    return next(name for name in (UPSTREAM, REPACK, THIRD) if f"made from {name}".encode() in data)


def record(project: Project) -> dict[str, Any]:
    path = project.folder / "out/tiny/units/greet.record.json"
    found: dict[str, Any] = json.loads(path.read_bytes())
    return found


def why(project: Project, *arguments: str) -> dict[str, Any]:
    """Return what `why` says of greet."""
    answer = json.loads(ok(project.run("why", "FORMAT=json", *arguments)).out)
    found: dict[str, Any] = next(r for r in answer["now"]["packages"] if r["name"] == "greet")
    return found


def nothing(project: Project, *arguments: str) -> None:
    """Assert that a build has nothing to do, and that whoever is asked says so."""
    assert why(project, *arguments)["action"] == "none"
    assert ok(project.run("-n", *arguments)).out.count("would build") == 0
    ran = ok(project.run(*arguments))
    assert (ran.built, ran.summary["restored"], ran.summary["images"]) == ([], [], [])


def test_a_build_takes_the_first_archive_that_is_available(
    greeting: Project, packings: Packings
) -> None:
    packings.accept(greeting, UPSTREAM, REPACK, THIRD)
    packings.offer(greeting, REPACK, THIRD)
    assert ok(greeting.run()).built == ALL
    assert made_from(greeting) == REPACK
    archive = {"file": REPACK, "sha256": packings.hashes[REPACK]}
    address = (greeting.sources / REPACK).as_uri()
    assert record(greeting)["archive"] == archive
    assert why(greeting)["archive"] == {**archive, "address": address}
    told = ok(greeting.run("why", "greet")).out
    assert f"greet: built from {address}, sha256 {archive['sha256']}\n" in told


def test_an_archive_that_turns_up_later_rebuilds_nothing(
    greeting: Project, packings: Packings
) -> None:
    packings.build(greeting, (UPSTREAM, REPACK), (REPACK,))
    packings.offer(greeting, UPSTREAM, REPACK)
    nothing(greeting)
    assert made_from(greeting) == REPACK


@pytest.mark.parametrize(
    "accepted",
    [(UPSTREAM, REPACK, THIRD), (UPSTREAM, THIRD, REPACK), (REPACK, UPSTREAM), (THIRD, UPSTREAM)],
    ids=["one more", "one before", "another first", "another in its place"],
)
def test_what_else_is_accepted_invalidates_nothing(
    greeting: Project, packings: Packings, accepted: tuple[str, ...]
) -> None:
    packings.build(greeting, (UPSTREAM,), (UPSTREAM,))
    packings.accept(greeting, *accepted)
    packings.offer(greeting, UPSTREAM, REPACK, THIRD)
    nothing(greeting)
    assert made_from(greeting) == UPSTREAM


def test_an_unused_alternate_is_removed_and_nothing_rebuilt(
    greeting: Project, packings: Packings
) -> None:
    packings.build(greeting, (UPSTREAM, REPACK), (UPSTREAM, REPACK))
    packings.accept(greeting, UPSTREAM)
    nothing(greeting)


def test_removing_an_alternate_rebuilds_what_was_made_from_it_alone(
    greeting: Project, packings: Packings
) -> None:
    packings.build(greeting, (UPSTREAM, REPACK), (REPACK,))
    packings.accept(greeting, UPSTREAM)
    packings.offer(greeting, UPSTREAM, REPACK)
    gone = "the archive that it was built from is no longer accepted"
    reason = f"{gone}: sha256 {packings.hashes[REPACK]}"
    expected = why(greeting)
    assert (expected["action"], expected["why"]) == ("build", [reason])
    assert re.search(r"^  build +greet ", ok(greeting.run("-n")).out, re.MULTILINE)
    ran = ok(greeting.run())
    assert ran.built == ["greet"]
    assert ran.summary["built"][0]["why"] == [reason]
    assert made_from(greeting) == UPSTREAM
    nothing(greeting)


def test_a_failed_build_does_not_make_its_archive_a_reason(
    greeting: Project, packings: Packings
) -> None:
    packings.build(greeting, (UPSTREAM, REPACK), (REPACK,))
    (greeting.recipe("greet").parent / "0001-bad.patch").write_text(
        "--- a/no\n+++ b/no\n@@ -1 +1 @@\n-a\n+b\n"
    )
    assert greeting.run().status == 2
    assert why(greeting)["why"] == ["patch 0001-bad.patch added"]


def test_an_archive_that_is_accepted_again_is_taken_from_the_store(
    greeting: Project, packings: Packings
) -> None:
    packings.build(greeting, (UPSTREAM, REPACK), (REPACK,))
    packings.accept(greeting, UPSTREAM)
    packings.offer(greeting)
    refused = greeting.run()
    assert refused.status == 2
    assert "reason: no-source" in refused.err
    packings.accept(greeting, UPSTREAM, REPACK)
    ran = ok(greeting.run())
    assert (ran.built, ran.summary["restored"]) == ([], ["greet"])
    assert made_from(greeting) == REPACK
    nothing(greeting)


def test_a_new_release_is_built_whatever_its_archives_are(
    greeting: Project, packings: Packings
) -> None:
    packings.build(greeting, (UPSTREAM, REPACK), (UPSTREAM,))
    greeting.edit("packages/greet/recipe.py", 'version="1"', 'version="2"')
    expected = why(greeting)
    assert (expected["action"], expected["why"]) == ("build", ["version: 1 -> 2"])
    assert ok(greeting.run()).built == ["greet"]


def test_strict_takes_upstream_s_archive_alone(greeting: Project, packings: Packings) -> None:
    packings.build(greeting, (UPSTREAM, REPACK), (REPACK,))
    refused = greeting.run("sources.strict=1")
    assert refused.status == 2
    assert "reason: no-source" in refused.err
    assert "sources.strict: the recipe's alternates are not tried" in refused.err
    ok(greeting.run())
    assert made_from(greeting) == REPACK
    packings.offer(greeting, UPSTREAM, REPACK)
    assert why(greeting, "sources.strict=1")["action"] == "build"
    assert ok(greeting.run("sources.strict=1")).built == ["greet"]
    assert made_from(greeting) == UPSTREAM
    nothing(greeting, "sources.strict=1")
    nothing(greeting)


def test_a_damaged_note_of_what_a_result_was_made_from_changes_nothing(
    greeting: Project, packings: Packings
) -> None:
    packings.build(greeting, (UPSTREAM, REPACK), (UPSTREAM,))
    (greeting.folder / "out/tiny/units/greet.basis.json").write_text("{}")
    packings.accept(greeting, UPSTREAM)
    nothing(greeting)


class TestTwoCheckouts:
    """They share a store; one reaches upstream, the other only Debian's repack."""

    @pytest.fixture
    def other(self, greeting: Project, packings: Packings) -> Project:
        """A checkout like the first one, with addresses and fetched archives of its own."""
        del packings
        (greeting.folder.parent / "other").mkdir()
        found = Project(greeting.folder.parent / "other/project")
        shutil.rmtree(found.sources)
        shutil.copytree(greeting.sources, found.sources)
        shutil.rmtree(found.folder / "packages")
        shutil.copytree(greeting.folder / "packages", found.folder / "packages")
        for recipe in (found.folder / "packages").rglob("recipe.py"):
            text = recipe.read_text().replace(str(greeting.sources), str(found.sources))
            recipe.write_text(text)
        found.board(["alone", "hello", "libc"])
        found.cache.mkdir()
        (greeting.cache / "store").mkdir(parents=True)
        (found.cache / "store").symlink_to(greeting.cache / "store")
        return found

    def test_a_result_of_any_accepted_archive_is_taken(
        self, greeting: Project, other: Project, packings: Packings
    ) -> None:
        packings.accept(greeting, UPSTREAM, REPACK)
        packings.offer(greeting, UPSTREAM)
        assert ok(greeting.run()).built == ALL
        packings.accept(other, UPSTREAM, REPACK)
        packings.offer(other, REPACK)
        assert why(other)["action"] == "restore"
        assert why(other)["archive"]["sha256"] == packings.hashes[UPSTREAM]
        ran = ok(other.run())
        assert (ran.built, ran.summary["restored"]) == ([], ALL)
        assert made_from(other) == UPSTREAM
        assert not any(map(other.cached, (UPSTREAM, REPACK, THIRD)))

    def test_other_bytes_never_lie_under_one_key(
        self, greeting: Project, other: Project, packings: Packings
    ) -> None:
        packings.build(greeting, (UPSTREAM,), (UPSTREAM,))
        packings.accept(other, REPACK)
        packings.offer(other, REPACK)
        ran = ok(other.run())
        assert ran.built == ["greet"]
        assert (made_from(greeting), made_from(other)) == (UPSTREAM, REPACK)
        for project in (greeting, other):
            shutil.rmtree(project.folder / "out")
            assert ok(project.run()).built == []
        assert (made_from(greeting), made_from(other)) == (UPSTREAM, REPACK)

    @pytest.mark.parametrize(
        ("accepted", "wanted"),
        [((UPSTREAM, REPACK), UPSTREAM), ((REPACK, UPSTREAM), REPACK), ((THIRD, REPACK), REPACK)],
    )
    def test_a_lookup_tries_them_in_the_recipe_s_order(
        self,
        greeting: Project,
        other: Project,
        packings: Packings,
        accepted: tuple[str, str],
        wanted: str,
    ) -> None:
        for project, name in ((greeting, UPSTREAM), (other, REPACK)):
            packings.accept(project, name)
            packings.offer(project, name)
            ok(project.run())
        packings.offer(greeting)
        packings.accept(greeting, *accepted)
        shutil.rmtree(greeting.folder / "out")
        ran = ok(greeting.run())
        assert (ran.built, ran.summary["restored"]) == ([], ALL)
        assert made_from(greeting) == wanted

    def test_a_strict_checkout_takes_no_result_of_an_alternate(
        self, greeting: Project, other: Project, packings: Packings
    ) -> None:
        packings.build(greeting, (UPSTREAM, REPACK), (REPACK,))
        packings.accept(other, UPSTREAM, REPACK)
        packings.offer(other, UPSTREAM, REPACK)
        assert why(other, "sources.strict=1")["action"] == "build"
        assert ok(other.run("sources.strict=1")).built == ["greet"]
        assert (made_from(greeting), made_from(other)) == (REPACK, UPSTREAM)
        nothing(greeting)

    def test_users_of_the_library_are_shared_whichever_archive_it_was_made_from(
        self, greeting: Project, other: Project, packings: Packings
    ) -> None:
        """Its interface is the same: hello is built once."""
        packings.accept(greeting, UPSTREAM)
        packings.offer(greeting, UPSTREAM)
        assert ok(greeting.run()).built == ALL
        packings.accept(other, REPACK)
        packings.offer(other, REPACK)
        ran = ok(other.run())
        assert (ran.built, ran.summary["restored"]) == (["greet"], ["alone", "hello", "libc"])


def test_a_shell_s_folder_is_that_of_an_archive_that_is_accepted(
    greeting: Project, packings: Packings
) -> None:
    packings.accept(greeting, UPSTREAM, REPACK)
    packings.offer(greeting, REPACK)
    assert "freshly unpacked" in ok(greeting.run("greet-shell")).out
    packings.accept(greeting, UPSTREAM, THIRD, REPACK)
    packings.offer(greeting, UPSTREAM)
    assert "as it was left" in ok(greeting.run("greet-shell")).out
    packings.accept(greeting, UPSTREAM)
    told = ok(greeting.run("greet-shell")).out
    assert "the work for another recipe is now in out/tiny/shell/greet.old" in told
    assert "freshly unpacked" in told
