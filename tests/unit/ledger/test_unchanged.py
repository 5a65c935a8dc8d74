"""Answers of SCons that hold on: each thing they depend on, changed alone, voids them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from quard.ledger.unchanged import Facts, Unchanged
from quard.store.local import Store

PACKAGES = {
    "base": Facts("base-key", ("a", "b"), (), deploys=False),
    "lib": Facts("lib-key", ("a",), ("base",), deploys=False),
    "tool": Facts("tool-key", ("a",), ("base", "lib"), deploys=True),
    "other": Facts("other-key", ("",), (), deploys=False),
}
SIGNED = "digest of the signature file"


def blob(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


class Place:
    """Result files of four packages, of which SCons has said that they are up to date."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "unchanged.json"
        self.results = folder / "packages"
        self.results.mkdir()
        for name, facts in PACKAGES.items():
            for part in ("interface", "runtime", *(["deploy"] if facts.deploys else [])):
                self.write(name, part, f"{part} of {name}")
        self.forget_and_save()

    def write(self, name: str, part: str, text: str) -> None:
        (self.results / f"{name}.{part}.json").write_text(text)

    def answers(self) -> Unchanged:
        return Unchanged(self.file, self.results)

    def forget_and_save(self) -> None:
        self.answers().save(PACKAGES, SIGNED, lambda name: (blob(name),))

    def same(
        self,
        packages: Mapping[str, Facts] = PACKAGES,
        forced: tuple[str, ...] = (),
        signatures: str = SIGNED,
        has: Callable[[str], bool] = lambda _: True,
    ) -> set[str]:
        return set(self.answers().among(packages, forced, signatures, has))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_what_is_as_it_was_is_unchanged(place: Place) -> None:
    assert place.same() == set(PACKAGES)


def test_without_an_earlier_answer_nothing_is_unchanged(tmp_path: Path) -> None:
    assert Unchanged(tmp_path / "none", tmp_path).among(PACKAGES, (), SIGNED, bool) == frozenset()


@pytest.mark.parametrize("signatures", ["", "another signature file"])
def test_an_answer_holds_with_its_signature_file_alone(place: Place, signatures: str) -> None:
    assert place.same(signatures=signatures) == set()


def test_an_answer_given_without_a_signature_file_never_holds(place: Place) -> None:
    place.answers().save(PACKAGES, "", lambda _: ())
    assert place.same(signatures="") == set()


def test_another_key_voids_the_answer_and_those_of_all_that_see_the_package(place: Place) -> None:
    changed = {**PACKAGES, "lib": replace(PACKAGES["lib"], key="another")}
    assert place.same(changed) == {"base", "other"}


def test_a_package_that_sees_another_one_than_before_is_looked_at(place: Place) -> None:
    changed = {**PACKAGES, "tool": replace(PACKAGES["tool"], sees=("base",))}
    assert place.same(changed) == {"base", "lib", "other"}


@pytest.mark.parametrize(
    ("name", "part", "void"),
    [
        ("base", "interface", {"base", "lib", "tool"}),
        ("lib", "interface", {"lib", "tool"}),
        ("lib", "runtime", {"lib", "tool"}),
        ("tool", "deploy", {"tool"}),
        ("other", "runtime", {"other"}),
    ],
)
@pytest.mark.parametrize("how", ["edited", "gone", "a folder"])
def test_another_result_file_voids_the_answer(
    place: Place, name: str, part: str, void: set[str], how: str
) -> None:
    path = place.results / f"{name}.{part}.json"
    path.unlink()
    if how == "edited":
        path.write_text(f"{part} of {name}.")
    elif how == "a folder":
        path.mkdir()
    assert place.same() == set(PACKAGES) - void


def test_a_forced_package_and_what_sees_it_are_looked_at(place: Place) -> None:
    assert place.same(forced=("lib",)) == {"base", "other"}


def test_a_package_whose_blob_is_lost_is_looked_at(place: Place) -> None:
    assert place.same(has=lambda sha256: sha256 != blob("tool")) == {"base", "lib", "other"}


def test_a_new_package_is_looked_at(place: Place) -> None:
    place.write("new", "interface", "")
    place.write("new", "runtime", "")
    assert place.same({**PACKAGES, "new": Facts("k", ("",), (), deploys=False)}) == set(PACKAGES)


def test_times_and_inodes_say_nothing(place: Place) -> None:
    for path in place.results.iterdir():
        text = path.read_text()
        path.unlink()
        path.write_text(text)
    assert place.same() == set(PACKAGES)


def test_what_was_made_is_saved_as_it_is_then(place: Place) -> None:
    answers = place.answers()
    changed = {**PACKAGES, "lib": replace(PACKAGES["lib"], key="another")}
    answers.among(changed, (), SIGNED, lambda _: True)
    place.write("lib", "runtime", "made anew")
    answers.made("lib")
    answers.save(changed, "next", lambda name: (blob(f"new {name}"),))
    assert place.same(changed, signatures="next") == set(PACKAGES)
    blobs = {name: row[1:] for name, row in json.loads(place.file.read_text())["answers"].items()}
    assert blobs["lib"] == [blob("new lib")] and blobs["base"] == [blob("base")]


def test_a_file_changed_behind_a_runs_back_is_not_saved_as_good(place: Place) -> None:
    answers = place.answers()
    answers.among(PACKAGES, (), SIGNED, lambda _: True)
    place.write("other", "runtime", "tampered with")
    answers.save(PACKAGES, "next", lambda _: ())
    assert place.same(signatures="next") == set(PACKAGES) - {"other"}


def test_a_run_over_some_packages_keeps_the_answers_about_the_others(place: Place) -> None:
    answers = place.answers()
    some = {"base": PACKAGES["base"]}
    answers.among(some, (), SIGNED, lambda _: True)
    answers.save(some, "next", lambda _: ())
    assert place.same(signatures="next") == set(PACKAGES)


def test_equal_answers_are_not_written_again(place: Place) -> None:
    before = place.file.stat()
    answers = place.answers()
    answers.among(PACKAGES, (), SIGNED, lambda _: True)
    answers.save(PACKAGES, SIGNED, lambda _: ())
    after = place.file.stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        "null",
        '{"version": 1}',
        json.dumps({"version": 1, "signatures": SIGNED, "answers": []}),
        json.dumps({"version": 1, "signatures": SIGNED, "answers": {"base": []}}),
        json.dumps({"version": 1, "signatures": SIGNED, "answers": {"base": [1]}}),
        json.dumps({"version": 0, "signatures": SIGNED, "answers": {}}),
        "[" * 100_000,
    ],
)
def test_a_damaged_file_is_none(place: Place, text: str) -> None:
    place.file.write_text(text)
    assert place.same() == set()
    place.forget_and_save()
    assert place.same() == set(PACKAGES)


def test_every_shorter_file_is_none_or_says_less(place: Place) -> None:
    whole = place.file.read_bytes()
    for length in range(0, len(whole), 7):
        place.file.write_bytes(whole[:length])
        assert place.same() == set()


@pytest.mark.parametrize("character", ["g", " ", '"', "]", "\n", "F"])
def test_no_changed_character_makes_the_store_be_asked_for_what_is_no_digest(
    place: Place, tmp_path: Path, character: str
) -> None:
    store = Store(tmp_path / "store")
    whole = place.file.read_text()
    for at in range(len(whole)):
        place.file.write_text(whole[:at] + character + whole[at + 1 :])
        assert place.same(has=store.has) == set()


def test_answers_that_cannot_be_written_are_not_an_error(place: Place, tmp_path: Path) -> None:
    (tmp_path / "no-folder").write_text("")
    answers = Unchanged(tmp_path / "no-folder" / "unchanged.json", place.results)
    answers.save(PACKAGES, SIGNED, lambda _: ())
    assert answers.among(PACKAGES, (), SIGNED, lambda _: True) == frozenset()


def test_the_digest_of_what_is_installed_is_of_names_and_content(place: Place) -> None:
    first = place.answers().runtime(PACKAGES)
    assert first == place.answers().runtime(PACKAGES)
    assert first != place.answers().runtime(("base", "lib"))
    place.write("base", "interface", "another")
    assert first == place.answers().runtime(PACKAGES)
    place.write("base", "runtime", "another")
    assert first != place.answers().runtime(PACKAGES)


@pytest.mark.parametrize("archives", [("a",), ("a", "b", "c"), ("c",), ("b", "a")])
def test_a_package_of_which_other_archives_are_accepted_is_looked_at(
    place: Place, archives: tuple[str, ...]
) -> None:
    """Whether that changes anything, the archive of its result tells."""
    changed = replace(PACKAGES["base"], archives=archives)
    assert place.same({**PACKAGES, "base": changed}) == {"other"}
