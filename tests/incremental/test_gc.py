"""`./scons gc` and cache.limit on a real store: what a build needs stays, and nothing breaks."""

from __future__ import annotations

import os
import time
from pathlib import Path

from incremental.project import Project


def age(project: Project, days: int) -> None:
    """Make everything in the shared store look as if it was last used so long ago."""
    then = time.time() - days * 24 * 3600
    for kind in ("ac", "cas"):
        for path in (project.cache / "store" / kind).rglob("*"):
            if path.is_file():
                os.utime(path, (then, then))


def blobs(project: Project) -> set[str]:
    return {path.name for path in (project.cache / "store/cas").rglob("*") if path.is_file()}


def test_without_a_limit_results_stay_and_gc_says_so(greeting: Project) -> None:
    greeting.run()
    age(greeting, 90)
    before = blobs(greeting)
    ran = greeting.run("gc")
    assert ran.status == 0, ran.text
    assert "removed 0 results, 0 B; " in ran.out
    assert "cache.limit is not set" in ran.out
    assert blobs(greeting) == before


def test_gc_shrinks_the_store_and_the_next_build_makes_what_it_needs(greeting: Project) -> None:
    greeting.run()
    image = greeting.image()
    age(greeting, 90)
    would = greeting.run("gc", "-n", "cache.limit=1M")
    assert would.status == 0, would.text
    assert "would remove 0 results" in would.out  # all of it has less than that
    store = Path(greeting.cache / "store/cas")
    big = store / "00" / ("0" * 64)
    big.parent.mkdir(exist_ok=True)
    big.write_bytes(bytes(2 << 20))
    age(greeting, 90)
    ran = greeting.run("gc", "cache.limit=1M")
    assert ran.status == 0, ran.text
    assert not big.exists()
    again = greeting.run()
    assert again.status == 0, again.text
    assert greeting.image() == image


def test_results_that_went_are_built_again_with_the_same_bytes(greeting: Project) -> None:
    greeting.run()
    image = greeting.image()
    for path in (greeting.cache / "store/ac").rglob("*.json"):
        path.unlink()
    age(greeting, 90)
    assert greeting.run("gc").status == 0
    assert blobs(greeting) == set()
    ran = greeting.run()
    assert ran.status == 0, ran.text
    assert ran.built == ["alone", "greet", "hello", "libc"]
    assert greeting.image() == image


def test_a_build_keeps_what_it_has_just_made_whatever_the_limit(greeting: Project) -> None:
    ran = greeting.run("cache.limit=1M")
    assert ran.status == 0, ran.text
    assert greeting.run("cache.limit=1M").built == []
