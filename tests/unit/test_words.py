"""Words that are never right in the project's text, each with the usual one.

They came from a literal translation. The rule covers messages, comments and documents alike, so
that nobody has to decide whether a user sees a text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

import checkout

FOLDERS = ("configs/", "docs/", "qemu/", "rootfs/", "site_scons/")
FILES = ("ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "README.md", "SConstruct", "scons")
IN_KEYS = ("site_scons/quard/execute/start/",)
"""Sources whose hash is in the keys of packages: another word would rebuild them all."""
GAP = r'(?:\s|[#*/"\'])+'
"""What may be between two words of a phrase: a line break in a comment or in a long string."""
WORDS = {
    r"\banew\b": "again, or rebuilt",
    r"\bmend(?:s|ed|ing)?\b": "fix, repair",
    r"\b(?:be|is|are|was|were) had\b": "available, downloaded, obtained",
    r"\b(?:come|came) by (?!default\b)": "obtained",
    r"\b(?:put|puts|putting) right\b": "correct, fix",
    r"\bin a circle\b": "in a cycle, in a loop",
    r"\blies?\b": "is, are",
    r"\bwhoever\b": "a user who, anyone who",
    r"\b(?:goes|going|gone|go) on with\b": "continue, resume",
    r"\bbroke(?:n)? off\b": "interrupted, lost",
    r"\bstands? twice\b": "is listed twice",
    r"\b(?:is|are|was|were) not there\b": "missing, does not exist",
    r"\b(?:tell|tells|told) of\b": "report, mention",
    r"\bpassed over\b": "skip",
    r"\bof one name\b": "with the same name",
    r"\bheld against\b": "compared with",
    r"\bin work\b": "in progress",
    r"\bhas met a\b": "this is, there is",
}
"""Pattern -> what to write instead."""
PATTERNS = {
    re.compile(pattern.replace(" ", GAP), re.IGNORECASE): better
    for pattern, better in WORDS.items()
}


def found(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield the line, the words and the better ones."""
    for pattern, better in PATTERNS.items():
        for match in pattern.finditer(text):
            yield text.count("\n", 0, match.start()) + 1, match[0], better


def texts() -> list[str]:
    """Return the paths of the files that the rule covers."""
    return [
        name
        for name in checkout.files()
        if name.startswith(FOLDERS) or name in FILES
        if not name.startswith(IN_KEYS) and not (checkout.TOP / name).is_symlink()
    ]


@pytest.mark.parametrize("name", texts())
def test_the_text_has_the_usual_words(name: str) -> None:
    text = (checkout.TOP / name).read_text(encoding="utf-8")
    assert [f"{name}:{line}: {words!r}: {better}" for line, words, better in found(text)] == []


@pytest.mark.parametrize(
    "text",
    [
        "makes the file anew",
        "Mend the file",
        "the source cannot be had",
        "# it cannot\n# be had",
        'hint="it cannot be "\n    "had"',
        "modules go on\nwith it",
    ],
)
def test_the_rule_finds_words_in_any_form(text: str) -> None:
    assert len(list(found(text))) == 1


@pytest.mark.parametrize("text", ["amend, a comma", "they behad", "belief, relies, replies"])
def test_the_rule_finds_only_whole_words(text: str) -> None:
    assert list(found(text)) == []
