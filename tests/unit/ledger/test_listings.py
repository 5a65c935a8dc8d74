"""A changed local tree is reported by the names of files, as far as both states are known."""

from __future__ import annotations

from pathlib import Path

import pytest

from quard.ledger.listings import difference, keep, kept
from quard.ledger.results import Results
from quard.sources.trees import scan

OLD = {"Makefile": "file a", "a.c": "file b", "src": "folder ", "src/b.c": "file c"}


@pytest.mark.parametrize(
    ("new", "line"),
    [
        ({**OLD, "a.c": "file d"}, ": a.c changed"),
        ({**OLD, "a.c": "program b"}, ": a.c changed"),
        ({**OLD, "new.c": "file d"}, ": new.c added"),
        ({path: OLD[path] for path in ("Makefile", "a.c")}, ": src/b.c removed"),
        ({**OLD, "empty": "folder "}, ": empty added"),
        ({**OLD, "one": "folder ", "one/x": "file a"}, ": one/x added"),
        ({**OLD, "Makefile/x": "file a", "Makefile": "folder "}, ": Makefile/x added"),
        ({}, ": Makefile removed, a.c removed, src/b.c removed"),
        (
            {f"{n}.c": "file a" for n in "abcde"},
            ": Makefile removed, a.c changed, b.c added, and 4 more",
        ),
    ],
)
def test_a_line_names_the_first_changes(new: dict[str, str], line: str) -> None:
    assert difference(OLD, new) == line


def test_nothing_is_named_where_one_state_is_not_known() -> None:
    assert difference(None, OLD) == difference(OLD, None) == ""


def test_a_listing_covers_everything_that_a_digest_covers(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "run").write_text("x")
    (tree / "run").chmod(0o644)
    (tree / "link").symlink_to("run")
    before = scan(tree)
    (tree / "run").chmod(0o755)
    (tree / "link").unlink()
    (tree / "link").symlink_to("other")
    after = scan(tree)
    line = difference(before.described(), after.described())
    assert line == ": link changed, run changed"


def test_listings_are_found_again_by_their_digests(tmp_path: Path) -> None:
    results, odd = Results(tmp_path, "one"), {"d" * 64: {"\udcff.c": "file a"}}
    keep(results, odd)
    assert kept(results) == odd
    keep(results, {})
    assert kept(results) == {} and not results.trees.exists()


def test_a_damaged_file_only_shortens_the_report(tmp_path: Path) -> None:
    results = Results(tmp_path, "one")
    keep(results, {"d" * 64: OLD})
    results.trees.write_bytes(results.trees.read_bytes().replace(b"a.c", b"b.c"))
    assert kept(results) == {}
