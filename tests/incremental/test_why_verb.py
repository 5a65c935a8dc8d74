"""`./scons why`: what it predicts is what then happens, in the same words."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from incremental.conftest import GREET_C, GREET_H, HELLO_C
from incremental.project import Project, Ran
from site_tools.quardroot.guard import Journal


def why(project: Project, *arguments: str) -> dict[str, Any]:
    ran = project.run("why", "FORMAT=json", *arguments)
    assert ran.status == 0, ran.text
    found: dict[str, Any] = json.loads(ran.out)
    return found


def with_action(rows: list[Mapping[str, Any]], *actions: str) -> set[str]:
    return {row["name"] for row in rows if row["action"] in actions}


def hold(project: Project, *arguments: str) -> Ran:
    """Ask, build, and hold what happened against what was said."""
    said = why(project, *arguments)["now"]
    ran = project.run(*arguments)
    assert ran.status == 0, ran.text
    packages, images = said["packages"], said["images"]
    built, made = set(ran.built), set(ran.summary["images"])
    restored = set(ran.summary["restored"])
    assert with_action(packages, "restore") <= restored
    assert with_action(packages, "build") <= built | restored
    assert built | restored <= with_action(packages, "build", "maybe", "restore")
    assert with_action(images, "make") <= made <= with_action(images, "make", "maybe")
    definite = {row["name"]: row["why"] for row in packages if row["action"] == "build"}
    for row in ran.summary["built"]:
        if row["name"] in definite:
            assert set(definite[row["name"]]) <= set(row["why"])
    assert with_action(why(project, *arguments)["now"]["packages"], "none") == {
        row["name"] for row in packages
    }
    return ran


def new_symbol(project: Project) -> None:
    project.library("greet", GREET_C + "int wave(void) { return 1; }\n", GREET_H)


def inside(project: Project) -> None:
    project.library("greet", GREET_C.replace("42", "40 + 2"), GREET_H)


def overlay(project: Project) -> None:
    (project.folder / "rootfs/etc/motd").write_text("good morning\n")
    (project.folder / "rootfs/etc/issue").write_text("new\n")


def removed(project: Project) -> None:
    project.board(["alone", "libc"])


def added(project: Project) -> None:
    project.program("more", "int main(void) { return 3; }\n")
    project.board(["alone", "hello", "libc", "more"])


def flags(project: Project) -> None:
    project.board(["alone", "hello", "libc"], more='[flags]\nc = "-Os"\n')


def version(project: Project) -> None:
    project.program("hello", HELLO_C, "-lgreet", version="2", more='needs=("greet",),')


def lost_result(project: Project) -> None:
    (project.folder / "out/tiny/units/greet.json").unlink()


def lost_signatures(project: Project) -> None:
    (project.folder / "out/sconsign.dblite").unlink()


def lost_image(project: Project) -> None:
    (project.folder / "out/tiny/images/rootfs.tar").unlink()


@pytest.mark.parametrize(
    "change",
    [
        new_symbol,
        inside,
        overlay,
        removed,
        added,
        flags,
        version,
        lost_result,
        lost_signatures,
        lost_image,
    ],
    ids=lambda change: change.__name__,
)
def test_what_is_predicted_happens(greeting: Project, change: Callable[[Project], None]) -> None:
    hold(greeting)
    change(greeting)
    hold(greeting)


def refusing(project: Project, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a bubblewrap before the machine's own that cannot do what builds ask of it."""
    folder = project.folder.parent / "refusing"
    folder.mkdir()
    (folder / "bwrap").write_text(
        '#!/bin/sh\ncase "$*" in *--dev*) echo "bwrap: no --dev here" >&2; exit 1 ;; esac\n'
        f'exec {shutil.which("bwrap")} "$@"\n'
    )
    (folder / "bwrap").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder / "bwrap"


def test_a_bubblewrap_that_cannot_do_what_builds_ask_of_it_costs_a_warning_only(
    greeting: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusing(greeting, monkeypatch)
    ran = hold(greeting)
    assert ran.built == ["alone", "greet", "hello", "libc"]
    warning = "warning: builds are not sealed (bwrap refuses --dev: bwrap: no --dev here)"
    assert ran.out.count(warning) == 1
    demanded = greeting.run("sandbox.mode=bwrap", "alone-rebuild")
    assert demanded.status == 2
    assert "reason: no-sandbox" in demanded.err and "no --dev here" in demanded.err


def test_what_was_built_unsealed_is_built_again_once_it_can_be_sealed(
    greeting: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    bubblewrap = refusing(greeting, monkeypatch)
    hold(greeting)
    before = greeting.image()
    assert hold(greeting).built == []
    bubblewrap.unlink()
    reasons = {row["name"]: row["why"] for row in why(greeting)["now"]["packages"]}
    assert sorted(reasons) == ["alone", "greet", "hello", "libc"]
    assert all(found == ["builds are sealed now"] for found in reasons.values())
    assert hold(greeting).built == ["alone", "greet", "hello", "libc"]
    assert hold(greeting).built == []
    assert greeting.image() == before


def test_what_was_built_sealed_is_good_where_builds_cannot_be_sealed(
    greeting: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold(greeting)
    refusing(greeting, monkeypatch)
    ran = hold(greeting)
    assert (ran.built, ran.summary["restored"], ran.summary["images"]) == ([], [], [])
    inside(greeting)
    assert hold(greeting).built == ["greet"]
    assert hold(greeting, "sandbox.mode=none").built == []
    shutil.rmtree(greeting.folder / "out")
    ran = hold(greeting)
    assert (ran.built, ran.summary["restored"]) == (["greet"], ["alone", "hello", "libc"])


def test_what_would_come_out_of_the_store_is_told_from_what_would_be_built(
    greeting: Project,
) -> None:
    greeting.run()
    new_symbol(greeting)
    greeting.run()
    greeting.library("greet", GREET_C, GREET_H)
    said = why(greeting)["now"]["packages"]
    assert with_action(said, "restore") == {"greet", "hello"}
    assert with_action(said, "build", "maybe") == set()
    assert hold(greeting).summary["restored"] == ["greet", "hello"]


def test_a_dependant_hangs_on_an_interface_that_is_not_known_yet(greeting: Project) -> None:
    greeting.run()
    inside(greeting)
    ran = greeting.run("why")
    assert ran.status == 0, ran.text
    assert (
        "  build       greet       the archive that it was built from is no longer accepted: "
        "sha256 " in ran.out
    )
    assert "  maybe make  hello       if the interface of greet changes" in ran.out
    assert "  maybe make  rootfs.tar  if the files of greet change; if the" in ran.out
    assert "alone " not in ran.out.split("the last build")[0]


def test_the_changed_symbol_is_the_reason_of_a_dependant(greeting: Project) -> None:
    greeting.run()
    new_symbol(greeting)
    ran = greeting.run()
    reasons = {row["name"]: row["why"] for row in ran.summary["built"]}
    assert reasons["hello"] == ["interface of greet: libgreet.so.1: + symbol wave"]
    told = greeting.run("why", "hello")
    assert "a build would do nothing" in told.out
    assert "interface of greet: libgreet.so.1: + symbol wave" in told.out


def test_image_files_name_what_changed_in_the_overlay_and_the_board(greeting: Project) -> None:
    greeting.run()
    overlay(greeting)
    removed(greeting)
    rows = {row["name"]: row for row in why(greeting)["now"]["images"]}
    assert rows["rootfs.tar"]["action"] == "make"
    assert rows["rootfs.tar"]["why"] == [
        "package greet removed",
        "package hello removed",
        "overlay rootfs: etc/issue added",
        "overlay rootfs: etc/motd changed",
    ]


def test_a_cut_off_build_is_predicted_to_be_mended(greeting: Project) -> None:
    greeting.run()
    Journal(greeting.folder / "out/journal").add(["tiny/units/greet.json"])
    assert with_action(why(greeting)["now"]["packages"], "restore") == {"greet"}
    assert hold(greeting).summary["restored"] == ["greet"]


def test_asking_changes_nothing_and_needs_no_build_before(greeting: Project) -> None:
    first = greeting.run("why")
    assert first.status == 0, first.text
    assert "there has been no build yet" in first.out
    assert not (greeting.folder / "out/tiny/units").exists()


def test_a_name_that_is_unknown_is_refused_with_a_suggestion(greeting: Project) -> None:
    ran = greeting.run("why", "helo")
    assert ran.status == 2 and "did you mean 'hello'?" in ran.err
    assert "takes the name of one package, or none" in greeting.run("why", "a", "b").err


def test_what_is_told_beside_an_answer_is_no_part_of_it(greeting: Project) -> None:
    greeting.run()
    shutil.rmtree(greeting.folder / "out")
    for record in (greeting.cache / "store/ac").rglob("*.json"):
        record.write_bytes(b"damaged")
    ran = greeting.run("why", "FORMAT=json")
    assert ran.status == 0, ran.text
    assert "is damaged" in ran.err
    assert "is damaged" not in ran.out
    assert {row["name"] for row in json.loads(ran.out)["now"]["packages"]} == {
        *("alone", "greet", "hello", "libc")
    }
