"""A page per error slug below docs/errors: its meaning by hand, its messages from the code."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

import on_file
import slugs

FOLDER = slugs.TOP / "docs" / "errors"
INDEX = "README.md"
COMMAND = "pytest tests/golden --update-golden"
UNWRITTEN = "What it means and what to do about it is still to be written."
HEADING = "\n## Messages\n"

INVENTED = {"bad-x", "it-broke"}
"""What tests of the error block itself call their errors."""

INTRODUCTION = """# Errors

Every error is a block: what happened, details, `reason: SLUG` and usually `hint: ...`. The slug
stays the same from release to release, so scripts may test for it. Each has a page.

"""


def messages() -> Mapping[str, tuple[str, ...]]:
    """Return slug -> its messages."""
    found: dict[str, tuple[str, ...]] = {}
    for use in slugs.uses():
        found[use.slug] = found.get(use.slug, ()) + ((use.message,) if use.message else ())
    return found


def meaning(slug: str) -> str:
    """Return the part of a page that is written by hand."""
    path = FOLDER / f"{slug}.md"
    text = path.read_text(encoding="utf-8") if path.exists() else f"# {slug}\n\n{UNWRITTEN}\n"
    return text.partition(f"# {slug}\n")[2].partition(HEADING)[0].strip()


def page(slug: str, said: tuple[str, ...]) -> str:
    """Return a whole page."""
    text = f"# {slug}\n\n{meaning(slug)}\n"
    if said:
        text += HEADING + "\n" + "".join(f"- `{message}`\n" for message in said)
    return text


def pages() -> Mapping[str, str]:
    """Return file name -> text of the whole folder."""
    found = {f"{slug}.md": page(slug, said) for slug, said in messages().items()}
    rows = "".join(f"- [{slug}]({slug}.md): {_first(meaning(slug))}\n" for slug in messages())
    return {INDEX: INTRODUCTION + rows, **found}


def _first(text: str) -> str:
    """Return the first sentence."""
    return " ".join(text.split()).partition(". ")[0].rstrip(".") + "."


def on_disk() -> set[str]:
    return {path.name for path in FOLDER.glob("*.md")}


def test_every_slug_has_its_page(update: bool) -> None:
    wanted = pages()
    if update:
        _write(wanted)
    assert on_disk() == set(wanted), f"if this is meant: {COMMAND}"
    stale = [
        name for name, text in wanted.items() if (FOLDER / name).read_text(encoding="utf-8") != text
    ]
    assert stale == [], f"if this is meant: {COMMAND}"


def _write(wanted: Mapping[str, str]) -> None:
    for name, text in wanted.items():
        on_file.write(FOLDER / name, text)
    for name in on_disk() - set(wanted):
        on_file.remove(FOLDER / name)


@pytest.mark.parametrize("slug", messages())
def test_the_page_says_what_the_slug_means(slug: str) -> None:
    assert UNWRITTEN not in meaning(slug)
    assert len(meaning(slug)) >= len("It is missing. Add it to the recipe.")


def test_the_tests_name_no_slug_that_does_not_exist() -> None:
    """A test that waits for a slug which nothing raises any more would prove nothing."""
    known = set(messages())
    wanted = {
        found
        for path in sorted(Path(slugs.TOP, "tests").rglob("test_*.py"))
        for found in slugs.expected(path)
    }
    assert wanted - known == INVENTED
