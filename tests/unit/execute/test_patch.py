"""quard.execute.patch, with the real GNU patch."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from quard.base.errors import QuardError
from quard.execute import patch

CHANGE = """\
--- a/main.c
+++ b/main.c
@@ -3,5 +3,5 @@
 c
 d
-e
+E
 f
 g
"""
LINES = "".join(f"{letter}\n" for letter in "abcdefghij")


class Source:
    """A source folder, and the way patch is run in it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "src"
        self.path.mkdir()
        self.main = self.path / "main.c"
        self.main.write_text(LINES)
        self._folder = folder

    def run(self, argv: Sequence[str], stdin: Path) -> CompletedProcess[bytes]:
        with stdin.open("rb") as file:
            return subprocess.run(
                argv,
                cwd=self.path,
                stdin=file,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
                check=False,
            )

    def patch(self, name: str, text: str) -> Path:
        path = self._folder / name
        path.write_text(text)
        return path

    def refused(self, text: str) -> QuardError:
        with pytest.raises(QuardError) as caught:
            patch.apply([self.patch("0001-x.patch", text)], self.run)
        assert caught.value.reason == "patch-failed"
        assert "0001-x.patch" in caught.value.message
        assert not list(self.path.glob("*.rej"))
        assert not list(self.path.glob("*.orig"))
        return caught.value


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return Source(tmp_path)


def test_patches_are_applied_in_their_order(source: Source) -> None:
    second = CHANGE.replace("-e", "-E").replace("+E", "+5")
    patch.apply([source.patch("1", CHANGE), source.patch("2", second)], source.run)
    assert source.main.read_text() == LINES.replace("e", "5")
    assert [path.name for path in source.path.iterdir()] == ["main.c"]


def test_moved_lines_are_no_reason_to_fail_and_leave_no_backup(source: Source) -> None:
    source.main.write_text("new\n" * 3 + LINES)
    patch.apply([source.patch("1", CHANGE)], source.run)
    assert source.main.read_text() == "new\n" * 3 + LINES.replace("e", "E")
    assert [path.name for path in source.path.iterdir()] == ["main.c"]


def test_git_renames_and_modes_are_applied(source: Source) -> None:
    text = (
        "diff --git a/main.c b/run.sh\nold mode 100644\nnew mode 100755\n"
        "similarity index 100%\nrename from main.c\nrename to run.sh\n"
    )
    patch.apply([source.patch("1", text)], source.run)
    assert (source.path / "run.sh").stat().st_mode & 0o111


def test_a_hunk_that_does_not_fit_is_named(source: Source) -> None:
    source.main.write_text(LINES.replace("e", "x"))
    assert "main.c: hunk 1 does not fit at line 3" in source.refused(CHANGE).detail


def test_context_that_fits_only_roughly_is_refused(source: Source) -> None:
    source.main.write_text(LINES.replace("c", "x").replace("g", "y"))
    assert "main.c: hunk 1" in source.refused(CHANGE).detail


def test_a_change_that_is_there_already_is_said(source: Source) -> None:
    patch.apply([source.patch("1", CHANGE)], source.run)
    assert "main.c: the source already has this change" in source.refused(CHANGE).detail


def test_a_missing_file_is_named(source: Source) -> None:
    error = source.refused(CHANGE.replace("main.c", "other.c"))
    assert "b/other.c: the source has no such file" in error.detail


def test_a_patch_does_not_reach_out_of_the_source(source: Source) -> None:
    victim = source.path.parent / "victim.c"
    victim.write_text(LINES)
    source.refused(CHANGE.replace("/main.c", "/../victim.c"))
    assert victim.read_text() == LINES


def test_a_new_file_that_exists_is_named(source: Source) -> None:
    error = source.refused("--- /dev/null\n+++ b/main.c\n@@ -0,0 +1,1 @@\n+x\n")
    assert "it would create the file main.c, which already exists" in error.detail


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it changes no file"),
        ("hello\n", "Only garbage was found in the patch input"),
        (CHANGE.replace("@@ -3,5 +3,5 @@", "@@ -3,9 +3,9 @@"), "unexpected end of file in patch"),
        (
            "diff --git a/x b/x\nnew file mode 100644\nindex 0000000..8352675\n"
            "GIT binary patch\nliteral 4\nLc${NkU|;|M00aO5\n\nliteral 0\nHcmV?d00001\n\n",
            "git binary diffs are not supported",
        ),
    ],
    ids=["empty", "garbage", "miscounted", "binary"],
)
def test_what_is_no_usable_patch_is_refused(source: Source, text: str, said: str) -> None:
    assert said in source.refused(text).detail


def test_the_second_patch_is_named_when_it_is_the_one_that_fails(source: Source) -> None:
    with pytest.raises(QuardError, match=r"0002\.patch does not apply"):
        patch.apply(
            [source.patch("0001.patch", CHANGE), source.patch("0002.patch", CHANGE)], source.run
        )


def test_an_unknown_failure_shows_the_programs_words() -> None:
    error = patch.failure(Path("x.patch"), 127, "sh: patch: not found\n")
    assert error.detail.splitlines() == [
        "x.patch",
        "patch ended with status 127",
        "sh: patch: not found",
    ]
