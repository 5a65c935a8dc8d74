"""Applying a recipe's patches with GNU patch, without fuzz.

A patch that needs fuzz was made for another version and may be applied in the wrong place. The
caller's callback runs the program inside the build's sandbox, so that a patch cannot reach other
files either; its messages are in the C locale.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from subprocess import CompletedProcess

from quard.base.errors import QuardError

ARGV = (
    "patch",
    "--strip=1",
    "--batch",
    "--forward",
    "--fuzz=0",
    "--no-backup-if-mismatch",
    "--reject-file=-",
)
"""Reads the patch from standard input and changes the current folder."""

Runner = Callable[[Sequence[str], Path], "CompletedProcess[bytes]"]
"""Runs an argument vector in the source folder with a file as its standard input.

The result's `stdout` is the output of both streams.
"""

_FILE = re.compile(r"patching (?:symbolic link|file) (?P<file>.+)")
_FAILED = re.compile(r"Hunk #(?P<hunk>\d+) FAILED at (?P<line>\d+)")
_NEW_NAME = re.compile(r"\|\+\+\+ (?P<file>[^\t]+)")
_WOULD = re.compile(r"The next patch would (?P<what>.+),")
_LAST_LINES = 20


def apply(patches: Sequence[Path], run: Runner) -> None:
    """Apply the patches in order; stop at the first one that does not apply.

    The source folder is then in an unknown state and must be discarded.

    Raises QuardError: `patch-failed` with patch, file and hunk.
    """
    for patch in patches:
        result = run(ARGV, patch)
        output = result.stdout.decode(errors="replace")
        if result.returncode != 0 or not _FILE.search(output):
            raise failure(patch, result.returncode, output)


def failure(patch: Path, status: int, output: str) -> QuardError:
    """Return the error for GNU patch's output; `status` is its exit status."""
    facts = _facts(output)
    if not facts and status == 0:
        facts = ["it changes no file: is it empty?"]
    if not facts:
        facts = [f"patch ended with status {status}", *output.splitlines()[-_LAST_LINES:]]
    return QuardError(
        f"patch {patch.name} does not apply",
        detail="\n".join([str(patch), *facts]),
        reason="patch-failed",
        hint="recreate the patch for this version of the source, or remove it if upstream has it",
    )


def _facts(output: str) -> list[str]:
    """Return what failed, with the file's name from the program or the patch."""
    facts: list[str] = []
    file = "?"
    lines = iter(output.splitlines())
    for line in lines:
        if match := _FILE.match(line):
            file = match["file"]
        elif match := _FAILED.match(line):
            facts.append(f"{file}: hunk {match['hunk']} does not fit at line {match['line']}")
        elif match := _NEW_NAME.match(line):
            facts.append(f"{match['file']}: the source has no such file")
        elif match := _WOULD.match(line):
            facts.append(f"it would {match['what']}, {next(lines, '').partition('!')[0]}")
        elif line.startswith("Reversed (or previously applied) patch detected!"):
            facts.append(f"{file}: the source already has this change")
        elif line.startswith("patch: ****") or "binary diffs" in line:
            facts.append(line.removeprefix("patch: **** "))
    return facts
