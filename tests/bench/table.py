"""Results as a table for people, and as the sections of docs/benchmarks.md."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

_TIMES = ("median_seconds", "cpu_seconds")
_COLUMNS = ("what", "seconds", "CPU seconds", "more")


def rows(results: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str, str, str]]:
    """Yield what was measured, the median of its seconds, CPU seconds, and its other figures."""
    plain = {name: value for name, value in results.items() if not _has_parts(value)}
    if plain:
        seconds, cpu = (plain.pop(name, "") for name in _TIMES)
        if "seconds" in plain:
            least = plain.pop("seconds")
            seconds = seconds if seconds != "" else least
        more = ", ".join(f"{name} {_shown(value)}" for name, value in sorted(plain.items()))
        yield above or "all", str(seconds), str(cpu), more
    for name, value in results.items():
        if isinstance(value, Mapping):
            yield from rows(value, f"{above} {name}".strip())
        elif _has_parts(value):
            for inner in value:
                yield from rows(inner, f"{above} {name} {inner.get('packages', '')}".strip())


def _has_parts(value: Any) -> bool:
    """Return whether a value is measured things rather than a figure."""
    return isinstance(value, Mapping) or (
        isinstance(value, list) and bool(value) and all(isinstance(v, Mapping) for v in value)
    )


def _shown(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def text(results: Mapping[str, Any]) -> str:
    """Return a table for a terminal."""
    lines = [_COLUMNS, *rows(results)]
    widths = [max(len(line[column]) for line in lines) for column in range(3)]
    found = ""
    for what, *figures, more in lines:
        shown = (f"{figure:>{width}}" for figure, width in zip(figures, widths[1:], strict=True))
        found += "  ".join((f"{what:<{widths[0]}}", *shown, more)).rstrip() + "\n"
    return found


def section(results: Mapping[str, Any], machine: Mapping[str, Any]) -> str:
    """Return one part's results in Markdown."""
    said = (
        f"{machine['processors']} x {machine['processor']}, {machine['memory_gib']} GiB,"
        f" Linux {machine['kernel']}, Python {machine['python']}; load before it {machine['load']}."
    )
    lines = [f"| {' | '.join(_COLUMNS)} |", "|---|---:|---:|---|"]
    lines += [f"| {' | '.join(row)} |" for row in rows(results)]
    return "\n".join(("", *lines, "", said, ""))


def write(page: Path, part: str, content: str) -> None:
    """Replace the section of one part in a page. Ends the benchmark if the page has none."""
    before = page.read_text(encoding="utf-8")
    pattern = re.compile(rf"(<!-- bench {part} -->\n).*?(<!-- end -->\n)", re.DOTALL)
    if not pattern.search(before):
        raise SystemExit(f"bench: {page.name} has no section for {part}")
    page.write_text(pattern.sub(lambda found: found[1] + content + found[2], before), "utf-8")
