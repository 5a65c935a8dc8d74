"""NAME-edit and NAME-patch: a package's source as a git checkout, and its commits as patches."""

from __future__ import annotations

import io
import json
import os
import shutil
import tarfile
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from git_parts import WorkTree

from incremental import test_own_folder, test_several_sources
from incremental.project import Project, ok
from incremental.test_bad_input import refused
from quard.project import edits

FIRST = """\
the answer is one more

So that the tests see a patch.

--- a/greet.c
+++ b/greet.c
@@ -1,2 +1,2 @@
 #include "greet.h"
-int greet(void) { return 42; }
+int greet(void) { return 43; }
"""
NAME = "0001-one-more.patch"


class Editing:
    """The project `greeting`, whose library greet has a patch and is being edited."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.folder = project.folder / "edit/greet"
        self.git = WorkTree(self.folder)
        self.recipe = project.folder / "packages/greet"
        (self.recipe / NAME).write_text(FIRST)

    def begin(self) -> WorkTree:
        """Check the source out, and return the repository."""
        ok(self.project.run("greet-edit"))
        return self.git

    def commit(self, code: str = "44", subject: str = "another answer", *options: str) -> None:
        """Commit another answer of the library."""
        path = self.folder / "greet.c"
        path.write_text(path.read_text().replace("43", code))
        self.git.run("add", "--all", "--force")
        self.git.run("commit", "--quiet", f"--message={subject}", *options)

    @property
    def patches(self) -> dict[str, str]:
        return {path.name: path.read_text() for path in sorted(self.recipe.glob("*.patch"))}

    def built(self) -> tuple[str, str]:
        """Build, and return the digests of what the library is made of."""
        assert "greet" in ok(self.project.run()).built
        parts = json.loads((self.project.folder / "out/tiny/units/greet.json").read_text())["parts"]
        return parts["libs"], parts["interface"]


@pytest.fixture
def editing(greeting: Project) -> Editing:
    return Editing(greeting)


def test_a_commit_comes_back_as_a_patch_and_gives_the_same_bytes(editing: Editing) -> None:
    git = editing.begin()
    assert git.run("log", "--format=%s") == "the answer is one more\ngreet 1"
    editing.commit()
    edited = editing.built()
    ran = ok(editing.project.run("greet-patch"))
    assert "packages/greet: 0002-another-answer.patch written" in ran.out
    assert not editing.folder.exists()
    assert [*editing.patches] == [NAME, "0002-another-answer.patch"]
    assert editing.patches[NAME] == FIRST
    assert editing.built() == edited


def test_a_patch_is_what_git_writes_without_its_version_and_its_hashes(editing: Editing) -> None:
    editing.begin()
    person = ("--author=Ann Example <ann@example.org>", "--date=2024-02-03T04:05:06+0100")
    editing.commit("44", "another answer\n\nSince the first one was wrong.", *person)
    ok(editing.project.run("greet-patch"))
    text = editing.patches["0002-another-answer.patch"]
    assert text.startswith(
        f"From {'0' * 40} Mon Sep 17 00:00:00 2001\n"
        "From: Ann Example <ann@example.org>\n"
        "Date: Sat, 03 Feb 2024 04:05:06 +0100\n"
        "Subject: [PATCH] another answer\n\n"
        "Since the first one was wrong.\n---\n\ndiff --git a/greet.c b/greet.c\n"
    )
    assert editing.begin().run("log", "-1", "--format=%an %ae %aI%n%B") == (
        "Ann Example ann@example.org 2024-02-03T04:05:06+01:00\n"
        "another answer\n\nSince the first one was wrong."
    )
    assert "no patch has changed" in ok(editing.project.run("greet-patch")).out


def test_a_checkout_has_the_same_commits_on_every_machine(editing: Editing, tmp_path: Path) -> None:
    first = editing.begin().run("rev-parse", "HEAD")
    other = tmp_path / "elsewhere"
    shutil.copytree(editing.project.folder, other, symlinks=True)
    shutil.rmtree(other / "edit")
    editing.project.folder = other
    ok(editing.project.run("greet-edit"))
    assert WorkTree(other / "edit/greet").run("rev-parse", "HEAD") == first


def test_builds_go_on_in_the_folder_of_the_last_one(editing: Editing) -> None:
    editing.begin()
    editing.built()
    path = editing.folder / "greet.c"
    path.write_text(path.read_text().replace("43", "45"))
    editing.built()
    assert "==> update" in (editing.project.folder / "out/tiny/logs/greet.log").read_text()


def test_removing_the_checkout_ends_the_edit(editing: Editing) -> None:
    before = editing.built()
    editing.begin()
    editing.commit()
    assert editing.built() != before
    shutil.rmtree(editing.folder)
    assert ok(editing.project.run()).summary["restored"] == ["greet"]


def test_a_second_edit_keeps_the_first_one(editing: Editing) -> None:
    editing.begin()
    (editing.folder / "greet.c").write_text("work\n")
    assert "edit/greet is there already" in ok(editing.project.run("greet-edit")).out
    assert (editing.folder / "greet.c").read_text() == "work\n"


def test_git_sees_no_checkout_in_the_project(editing: Editing) -> None:
    editing.begin()
    outer = WorkTree(editing.project.folder)
    outer.run("init", "--quiet")
    assert "?? edit" not in outer.run("status", "--porcelain", "--untracked-files=all")


def test_a_changed_commit_rewrites_its_patch_under_its_name(editing: Editing) -> None:
    git = editing.begin()
    code = (editing.folder / "greet.c").read_text().replace("43", "50")
    (editing.folder / "greet.c").write_text(code)
    git.run("commit", "--quiet", "--all", "--amend", "--no-edit")
    assert f"{NAME} changed" in ok(editing.project.run("greet-patch")).out
    assert [*editing.patches] == [NAME]
    text = editing.patches[NAME]
    assert text.startswith(FIRST.partition("---")[0] + "diff --git"), "it has no author"
    assert "return 50" in text


def test_a_patch_of_the_board_is_written_to_its_file(editing: Editing) -> None:
    path = editing.project.folder / "patches/board.patch"
    path.parent.mkdir()
    path.write_text(FIRST.replace("43", "44").replace("42", "43").replace("one more", "two more"))
    more = '[patches]\ngreet = ["patches/board.patch"]\n'
    editing.project.board(["hello", "libc"], more=more)
    git = editing.begin()
    assert git.run("log", "--format=%s", "-2").startswith("the answer is two more\n")
    code = (editing.folder / "greet.c").read_text().replace("44", "50")
    (editing.folder / "greet.c").write_text(code)
    git.run("commit", "--quiet", "--all", "--amend", "--no-edit")
    edited = editing.built()
    git.commit({"new.h": "\n"})
    ran = editing.project.run("greet-patch")
    refused(ran, "not-as-patches", "comes after a patch of the board", "`patches`")
    git.run("reset", "--quiet", "--hard", "HEAD~2")
    refused(editing.project.run("greet-patch"), "not-as-patches", "was dropped")
    git.run("reset", "--quiet", "--hard", "ORIG_HEAD~1")
    ok(editing.project.run("greet-patch"))
    assert "return 50" in path.read_text() and editing.patches == {NAME: FIRST}
    assert editing.built() == edited


def test_a_dropped_commit_removes_its_patch(editing: Editing) -> None:
    editing.begin().run("reset", "--quiet", "--hard", "HEAD~1")
    assert f"{NAME} removed" in ok(editing.project.run("greet-patch")).out
    assert editing.patches == {}


def test_work_that_is_in_no_commit_is_refused_and_kept(editing: Editing) -> None:
    editing.begin()
    (editing.folder / "greet.c").write_text("work\n")
    refused(editing.project.run("greet-patch"), "edit-unsaved", "M greet.c")
    assert (editing.folder / "greet.c").read_text() == "work\n"
    assert editing.patches == {NAME: FIRST}


def test_a_binary_file_is_refused(editing: Editing) -> None:
    git = editing.begin()
    (editing.folder / "logo.bin").write_bytes(bytes(range(256)))
    git.commit({})
    refused(editing.project.run("greet-patch"), "not-as-patches", "changes a binary file", "logo")
    assert editing.folder.exists()


def test_a_message_that_patch_takes_for_a_change_is_refused(editing: Editing) -> None:
    editing.begin()
    editing.commit("44", "another\n\n--- a/COPYING\n+++ b/COPYING\n@@ -1 +1 @@\n-MIT\n+none")
    refused(editing.project.run("greet-patch"), "not-as-patches", "do not give the files", "COPY")
    assert editing.patches == {NAME: FIRST}


def test_a_recipe_that_has_changed_is_one_error_that_says_how_to_go_on(editing: Editing) -> None:
    editing.begin()
    editing.commit()
    editing.project.library("greet", GREET_2, "int greet(void);\n", version="2")
    for target in ("images", "greet-edit", "greet-patch", "why"):
        ran = editing.project.run(target)
        refused(ran, "edit-outdated", "version: 1 is now 2", "git -C edit/greet format-patch")
    assert editing.folder.exists()
    ok(editing.project.run("info", "greet"))


GREET_2 = '#include "greet.h"\nint greet(void) { return 42; }\n'


def test_a_patch_that_came_since_is_an_error(editing: Editing) -> None:
    editing.begin()
    (editing.recipe / "0002-new.patch").write_text(FIRST)
    refused(editing.project.run(), "edit-outdated", "0002-new.patch: new")


def test_an_interrupted_patch_is_refused_until_it_is_repeated(editing: Editing) -> None:
    git = editing.begin()
    (editing.folder / "greet.c").write_text(GREET_2.replace("42", "50"))
    git.run("commit", "--quiet", "--all", "--amend", "--no-edit")
    git.commit({"greet.c": GREET_2.replace("42", "51")})
    kept = editing.project.folder.parent / "kept"
    shutil.copytree(editing.folder, kept, symlinks=True)
    ok(editing.project.run("greet-patch"))
    whole = editing.patches
    # As the run had been killed after the first of two files:
    shutil.copytree(kept, editing.folder, symlinks=True)
    (editing.recipe / "0002-change.patch").unlink()
    digests = {name: sha256(text.encode()).hexdigest() for name, text in whole.items()}
    state = edits.load("greet", editing.folder)
    edits.save(editing.folder / ".git", replace(state, pending=digests))
    refused(editing.project.run(), "edit-outdated", "greet-patch was interrupted")
    ok(editing.project.run("greet-patch"))
    assert editing.patches == whole


def test_a_patch_that_was_interrupted_after_renaming_keeps_all_texts(editing: Editing) -> None:
    (editing.recipe / NAME).rename(editing.recipe / "one-more.patch")
    editing.begin()
    editing.commit()
    kept = editing.project.folder.parent / "kept"
    shutil.copytree(editing.folder, kept, symlinks=True)
    ok(editing.project.run("greet-patch"))
    whole = editing.patches
    assert whole[NAME] == FIRST, "the old patch, which has got a number"
    # As the run had been killed when all files were written, and the old one removed:
    shutil.copytree(kept, editing.folder, symlinks=True)
    digests = {name: sha256(text.encode()).hexdigest() for name, text in whole.items()}
    state = edits.load("greet", editing.folder)
    edits.save(editing.folder / ".git", replace(state, pending=digests))
    ok(editing.project.run("greet-patch"))
    assert editing.patches == whole


def test_of_a_checkout_that_is_kept_elsewhere_the_link_is_removed(
    editing: Editing, tmp_path: Path
) -> None:
    editing.begin()
    editing.folder.rename(tmp_path / "elsewhere")
    editing.folder.symlink_to(tmp_path / "elsewhere")
    editing.commit()
    ok(editing.project.run("greet-patch"))
    assert [*editing.patches] == [NAME, "0002-another-answer.patch"]
    assert not editing.folder.is_symlink() and (tmp_path / "elsewhere/greet.c").exists()
    # As the run had been killed before it removed the link:
    (editing.folder.parent / ".greet").symlink_to(tmp_path / "elsewhere")
    editing.begin()
    assert (tmp_path / "elsewhere/greet.c").exists()


def test_a_patch_that_writes_into_git_is_left_out(editing: Editing) -> None:
    hostile = "hostile\n\n--- /dev/null\n+++ b/.git/config\n@@ -0,0 +1 @@\n+[core]\n"
    hostile += "--- a/greet.c\n+++ b/greet.c\n@@ -2 +2 @@\n"
    hostile += "-int greet(void) { return 43; }\n+int greet(void) { return 47; }\n"
    path = editing.recipe / "0002-hostile.patch"
    path.write_text(hostile)
    assert ".git" in ok(editing.project.run("greet-edit")).out
    assert "47" in (editing.folder / "greet.c").read_text()
    ok(editing.project.run("greet-patch"))
    assert path.read_text() == hostile


def test_what_a_killed_edit_left_is_replaced(editing: Editing) -> None:
    left = editing.project.folder / "edit/.greet"
    (left / "src/.git").mkdir(parents=True)
    ok(editing.project.run())
    editing.begin()
    assert not left.exists()


def test_a_folder_that_edit_has_not_made_is_one_error(editing: Editing) -> None:
    editing.folder.mkdir(parents=True)
    refused(editing.project.run(), "no-edit", "is not a checkout that ./scons greet-edit has made")


def test_a_patch_without_an_edit_is_one_error(editing: Editing) -> None:
    refused(editing.project.run("greet-patch"), "no-edit", "./scons greet-edit")


def test_what_has_no_source_is_refused(editing: Editing, tmp_path: Path) -> None:
    project = editing.project
    refused(project.run("libc-edit"), "not-editable", "its recipe names no source")
    refused(project.run(f"override.greet={tmp_path}", "greet-edit"), "not-editable", "[override]")
    editing.begin()
    refused(project.run(f"override.greet={tmp_path}"), "not-editable", "edit/greet")
    project.recipe("alone").write_text(test_own_folder.RECIPE)
    test_own_folder.write(project, "alone.c", "")
    refused(project.run("alone-edit"), "not-editable", "the folder src beside its recipe")


def test_a_machine_without_git_is_one_error(editing: Editing, tmp_path: Path) -> None:
    for program in Path("/usr/bin").iterdir():
        if not program.name.startswith("git"):
            (tmp_path / program.name).symlink_to(program)
    ran = editing.project.run("greet-edit", env={"PATH": str(tmp_path)})
    refused(ran, "git-failed", "git is not installed")
    assert not editing.folder.exists()


def test_a_further_source_is_edited_with_the_first_one(greeting: Project) -> None:
    greeting.board(["alone", "libc"])
    greeting.program("alone", test_several_sources.CODE)
    test_several_sources.add(greeting, 0)
    ok(greeting.run("alone-edit"))
    git = WorkTree(greeting.folder / "edit/alone")
    git.commit({"lib/inner/value.h": "#define VALUE 3\n"})
    unit = greeting.folder / "out/tiny/units/alone.json"
    ok(greeting.run())
    edited = json.loads(unit.read_text())["parts"]["programs"]
    ok(greeting.run("alone-patch"))
    assert ok(greeting.run()).built == ["alone"]
    assert json.loads(unit.read_text())["parts"]["programs"] == edited


def test_without_the_sandbox_the_checkout_is_the_users_own(editing: Editing) -> None:
    ok(editing.project.run("sandbox.mode=none", "greet-edit"))
    owners = {path.lstat().st_uid for path in (editing.folder, *editing.folder.rglob("*"))}
    assert owners == {os.geteuid()}
    editing.commit()
    ok(editing.project.run("sandbox.mode=none", "greet-patch"))
    assert len(editing.patches) == 2


CONFIG = """\
[core]
    autocrlf = true
    hooksPath = {hooks}
    excludesFile = {hooks}/ignored
[commit]
    gpgSign = true
[diff]
    noprefix = true
    external = false
[user]
    name = Test
    email = test@example.org
[init]
    templateDir = {hooks}
    defaultBranch = trunk
[safe]
    directory = /nowhere
"""
ODD = {
    "bin/run": b"#!/bin/sh\n",
    "dos.txt": b"one\r\ntwo\r\n",
    ".gitignore": b"*.o\n/build\n*.txt\n",
    ".gitattributes": b"*.txt text eol=crlf\n*.dat -diff\n*.c filter=none ident\n",
    "kept.o": b"not an object\n",
    "build/made.txt": b"unix\n",
    "id.c": b"/* $Id$ */\n",
    "shown.dat": b"text\n",
    "gone.h": b"gone\n",
    "with space/üml.txt": b"odd\n",
    "sub/.git": b"gitdir: ../.git/modules/sub\n",
}


def odd(project: Project) -> None:
    """Let greet have an archive with all that git would treat in a way of its own."""
    path = project.sources / "greet-1.tar.xz"
    with tarfile.open(path, "r:xz") as tar:
        files = {m.name: (m, tar.extractfile(m).read()) for m in tar}  # type: ignore[union-attr]
    with tarfile.open(path, "w:xz") as tar:
        for info, content in files.values():
            tar.addfile(info, io.BytesIO(content))
        for name, content in ODD.items():
            info = tarfile.TarInfo(f"greet-1/{name}")
            info.size, info.mode = len(content), 0o755 if name == "bin/run" else 0o644
            tar.addfile(info, io.BytesIO(content))
        for name, kind, target in (
            ("empty", tarfile.DIRTYPE, ""),
            ("link", tarfile.SYMTYPE, "greet.c"),
        ):
            info = tarfile.TarInfo(f"greet-1/{name}")
            info.type, info.linkname, info.mode = kind, target, 0o755
            tar.addfile(info)
    recipe = project.recipe("greet")
    old = recipe.read_text().split('sha256="')[1][:64]
    recipe.write_text(recipe.read_text().replace(old, sha256(path.read_bytes()).hexdigest()))


def test_all_files_of_the_archive_are_in_the_commit_whatever_git_thinks_of_them(
    editing: Editing, tmp_path: Path
) -> None:
    odd(editing.project)
    hooks = tmp_path / "home"
    hooks.mkdir()
    for name in ("pre-commit", "post-checkout", "post-commit", "reference-transaction"):
        (hooks / name).write_text("#!/bin/sh\nexit 1\n")
        (hooks / name).chmod(0o755)
    (hooks / "ignored").write_text("*\n")
    (hooks / ".gitconfig").write_text(CONFIG.format(hooks=hooks))
    env = {"HOME": str(hooks), "GIT_DIR": str(tmp_path), "GIT_INDEX_FILE": "/nowhere"}
    ran = ok(editing.project.run("greet-edit", env=env))
    assert "left out, as builds do not see it: sub/.git" in ran.out
    git, folder = editing.git, editing.folder
    wanted = {name for name in ODD if not name.endswith("/.git")}
    listed = git.run("-c", "core.quotePath=false", "ls-files").splitlines()
    assert {*listed} == wanted | {"COPYING", "Makefile", "greet.c", "greet.h", "link"}
    for name in wanted:
        assert (folder / name).read_bytes() == ODD[name]
    assert (folder / "empty").is_dir()
    assert git.run("status", "--porcelain", "--ignored") == ""

    (folder / "bin/run").chmod(0o644)
    (folder / "greet.h").chmod(0o755)
    (folder / "dos.txt").write_bytes(b"one\r\nthree\r\n")
    (folder / "build/made.txt").write_bytes(b"unix\nwithout an end")
    (folder / "shown.dat").write_text("other text\n")
    (folder / "with space/üml.txt").write_text("other\n")
    (folder / "gone.h").unlink()
    (folder / "void").touch()
    (folder / "link").unlink()
    (folder / "link").symlink_to("greet.h")
    editing.commit()
    edited = editing.built()
    files = {p: p.lstat().st_mode for p in folder.rglob("*") if ".git" not in p.parts}
    ok(editing.project.run("greet-patch", env=env))
    assert editing.built() == edited
    ok(editing.project.run("greet-edit"))
    assert {p: p.lstat().st_mode for p in folder.rglob("*") if ".git" not in p.parts} == files
    assert (folder / "dos.txt").read_bytes() == b"one\r\nthree\r\n"
    assert (folder / "build/made.txt").read_bytes() == b"unix\nwithout an end"
    assert (folder / "link").readlink() == Path("greet.h")
