"""The summary of a build as Markdown, for the page of a CI job.

usage: PYTHONPATH=site_scons python3 -m quard.face.jobsummary out/BOARD/summary.json
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from quard.ledger import summary


def markdown(found: Mapping[str, Any]) -> str:
    """Return the content of a summary.json as Markdown."""
    return "\n".join(_lines(found)) + "\n"


def _lines(found: Mapping[str, Any]) -> Iterator[str]:
    state = "failed" if found["failed"] else "done"
    if found.get("interrupted"):
        state = "interrupted"
    yield f"## {_plain(found['board'])}: {state} in {found['seconds']:.1f} s"
    if found["built"]:
        yield from ("", "| built | seconds | why |", "|---|---:|---|")
        for package in sorted(found["built"], key=lambda each: (-each["seconds"], each["name"])):
            where = [f"by the worker {package['worker']}"] if package.get("worker") else []
            why = "<br>".join(map(_plain, [*package["why"], *where]))
            yield f"| {_plain(package['name'])} | {package['seconds']:.1f} | {why} |"
    yield ""
    for title, key in (
        ("Failed", "failed"), ("Restored", "restored"), ("Up to date", "up_to_date"),
        ("Images", "images"),
    ):  # fmt: skip
        names = found[key]
        if names:
            yield f"- {title} ({len(names)}): {', '.join(map(_plain, names))}"
    if not any(found[key] for key in ("built", "failed", "restored", "images")):
        yield "- Nothing had to be made."


def _plain(text: str) -> str:
    """Return a text that Markdown shows as it is, in one cell of a table."""
    text = "".join(f"&#{ord(c)};" if c in "&<>|*_`[]\\~#" else c for c in text)
    return " ".join(text.split())


def main(arguments: Sequence[str]) -> int:
    """Print the summary of a file; a build that ended early has none."""
    if len(arguments) != 1:
        sys.stderr.write(f"{(__doc__ or '').partition('usage: ')[2]}")
        return 2
    found = summary.last(Path(arguments[0]))
    if found is None:
        sys.stdout.write("The build has written no summary: its output says why.\n")
        return 0
    sys.stdout.write(markdown(found))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
