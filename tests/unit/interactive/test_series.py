"""Patches as commits, and commits as patches."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from quard.interactive import series
from quard.interactive.repository import DATE, UNKNOWN, Author, Repository
from quard.interactive.series import Commit
from quard.process.stop import Stop
from quard.project.edits import Patched

CHANGE = b"diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n"
ANN = Author("Ann Exämple", "ann@example.org", "1706929506 +0100")


def commit(subject: str, change: bytes = CHANGE) -> Commit:
    return Commit("1" * 40, UNKNOWN, subject, "", change)


def patched(file: str, subject: str, change: bytes = CHANGE) -> Patched:
    return commit(subject, change).patched(file, b"")


@pytest.mark.parametrize(
    ("text", "subject", "body", "author"),
    [
        (b"", "0001-x", "", UNKNOWN),
        (b"\n", "0001-x", "", UNKNOWN),
        (b"one\ntwo\n\nmore\n\n", "one two", "more", UNKNOWN),
        (b"configure: no header\n\nFrom: here\n\n", "configure: no header", "From: here", UNKNOWN),
        (
            b"From: A B <a@b.c>\nDate: Sat, 03 Feb 2024 04:05:06 +0100\n"
            b"Subject: [PATCH v2 1/2] [core] a\n b\n\nbody\n---\n x | 2 +-\n\n",
            "[core] a b",
            "body",
            Author("A B", "a@b.c", "1706929506 +0100"),
        ),
        (
            b"From 1234567890123456789012345678901234567890 Mon Sep 17 00:00:00 2001\n"
            b"From: =?UTF-8?q?Ex=C3=A4mple?= <a@b.c>\nDate: never\n"
            b"Subject: =?UTF-8?b?w6Q=?=\nContent-Transfer-Encoding: quoted-printable\n\n"
            b"b=C3=B6dy\n---\n",
            "ä",
            "bödy",
            Author("Exämple", "a@b.c", DATE),
        ),
        (b"Subject: alone\n\n", "alone", "", UNKNOWN),
        ("From: Ü <u@b.c>\nSubject: ü\n\n\xff\n".encode("latin-1"), "\udcfc", "\udcff", None),
    ],
)
def test_the_message_of_a_patch_is_read(
    text: bytes, subject: str, body: str, author: Author | None
) -> None:
    found = series.parse("0001-x.patch", text + CHANGE)
    assert (found.subject, found.body) == (subject, body)
    assert author is None or found.author == author


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("Doe, Jo <j@x.org>", "Doe, Jo"),
        ('"Doe, \\"Jo\\"" <j@x.org>', 'Doe, "Jo'),
        ("=?UTF-8?q?Doe=2C_J=C3=B6?= <j@x.org>", "Doe, Jö"),
        ("j@x.org (Jo Doe)", "Jo Doe"),
        (", <j@x.org>", "j@x.org"),
    ],
)
def test_an_author_is_read_as_git_am_reads_it(field: str, name: str) -> None:
    found = series.parse("x.patch", f"From: {field}\nSubject: a\n\n".encode() + CHANGE)
    assert found.author == Author(name, "j@x.org", DATE)


def test_a_date_does_not_depend_on_the_time_zone_of_the_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = b"From: a <a@b.c>\nDate: Sat, 03 Feb 2024 04:05:06 -0000\nSubject: a\n\n" + CHANGE
    for zone in ("UTC", "XYZ-9"):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        found = series.parse("x.patch", text).author.date
        monkeypatch.undo()
        time.tzset()
        assert found == "1706933106 +0000"


@pytest.mark.parametrize(
    "head",
    [
        b"Subject: =?no-such-set?q?abc?=\n\n",
        b"Subject: =?utf-8?q?=ff?=\n\n",
        b"Subject: =?utf-8?b?a?=\n\n",
        b"From: =?utf-8?q?a=00b?= <a@b.c>\nSubject: a\0b\n\nc\0d\n---\n",
        b"From: ,., <a@b.c>\nDate: Thu, 01 Jan 1970 00:00:05 +0000\nSubject: a\n\n",
        b"From: a <a@b.c>\nDate: Wed, 03 Feb 1960 04:05:06 +0000\nSubject: a\n\n",
        b"From: a <a@b.c>\nDate: Sat, 03 Feb 2024 04:05:06 +9999\nSubject: a\n\n",
    ],
)
def test_git_can_have_every_message(tmp_path: Path, head: bytes) -> None:
    git = Repository(tmp_path / ".git", tmp_path, os.environ["PATH"], Stop())
    git.make()
    parsed = series.parse("0001-x.patch", head + CHANGE)
    read = series.read(git, git.commit(parsed.message, parsed.author, ""))
    assert (read.subject, read.body, read.author) == (parsed.subject, parsed.body, parsed.author)


@pytest.mark.parametrize("name", [ANN.name, "Doe, Jo", "J. Doe", 'Jo "J" Doe', "Jo (j) \\ Doe"])
def test_what_is_written_is_read_back(name: str) -> None:
    author = Author(name, ANN.email, ANN.date)
    made = Commit("", author, "sübject", "bödy\n\nSigned-off-by: Ann", CHANGE)
    found = series.parse("x.patch", made.text)
    assert (found.subject, found.body, found.author) == (made.subject, made.body, author)


@pytest.mark.parametrize("name", [ANN.name, "Doe, Jo", 'Jo "J. J." Doe'])
def test_what_is_written_is_what_git_am_takes(tmp_path: Path, name: str) -> None:
    def git(*words: str) -> str:
        who = ("-c", "user.name=T", "-c", "user.email=t@example.org")
        done = subprocess.run(
            ("git", *who, *words), cwd=tmp_path, check=True, capture_output=True, text=True
        )
        return done.stdout

    git("init", "--quiet")
    (tmp_path / "x").write_text("a\n")
    git("add", "x")
    git("commit", "--quiet", "--message=first")
    author = Author(name, ANN.email, ANN.date)
    made = Commit("", author, "sübject " * 12 + "end", "body", CHANGE)
    (tmp_path / "patch").write_bytes(made.text)
    git("am", "--quiet", "patch")
    assert git("log", "-1", "--format=%an %ae %ad%n%B", "--date=raw").strip() == (
        f"{name} {ANN.email} {ANN.date}\n{made.subject}\n\nbody"
    )
    assert (tmp_path / "x").read_text() == "b\n"


def test_a_new_commit_has_the_next_number() -> None:
    commits = [commit("one"), commit("two", b"2"), commit("The third: change!", b"3")]
    before = series.kept(commits, [patched("0001-a.patch", "one"), patched("0007-b.patch", "two")])
    assert series.names(commits, before) == [
        "0001-a.patch",
        "0007-b.patch",
        "0008-The-third-change.patch",
    ]


def test_a_commit_between_others_renumbers_them() -> None:
    commits = [commit("one"), commit("new", b"n"), commit("two", b"2")]
    old = [patched("0001-a.patch", "one"), patched("0002-b.patch", "two", b"2")]
    assert series.names(commits, series.kept(commits, old)) == [
        "0001-a.patch",
        "0002-new.patch",
        "0003-b.patch",
    ]


def test_names_without_numbers_get_them_when_the_order_needs_it() -> None:
    commits = [commit("one"), commit("new", b"n")]
    old = [patched("fix.patch", "one")]
    assert series.names(commits, series.kept(commits, old)) == [
        "0001-fix.patch",
        "0002-new.patch",
    ]
    assert series.names(commits[:1], series.kept(commits[:1], old)) == ["fix.patch"]


def test_a_commit_is_known_by_its_change_or_its_subject() -> None:
    old = [patched("0001-a.patch", "one", b"1"), patched("0002-b.patch", "two", b"2")]
    commits = [commit("another subject", b"1"), commit("two", b"another change")]
    assert series.kept(commits, old) == old


def test_two_commits_of_one_subject_are_two_patches() -> None:
    commits = [commit("one"), commit("one", b"more")]
    before = series.kept(commits, [patched("0001-a.patch", "one")])
    assert [one.file if one else "" for one in before] == ["0001-a.patch", ""]


@pytest.mark.parametrize("subject", ["...", "ü", "-", "x" * 300])
def test_every_subject_gives_a_name(subject: str) -> None:
    (name,) = series.names([commit(subject)], [None])
    assert name.startswith("0001-") and name.endswith(".patch") and len(name) < 70
