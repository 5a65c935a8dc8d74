"""A timeline as one HTML file without external resources."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from quard.base.plain import one_line
from quard.face.spans import Span, Stretch
from quard.face.timeline import GROUPS, Block, Run, Timeline

_TEMPLATE = Path(__file__).with_name("timeline.html")
_DATA = '{"@":"DATA"}'
"""What the template has in place of the data."""


def page(found: Timeline) -> str:
    """Return the content of the file."""
    text = json.dumps(_data(found), sort_keys=True, separators=(",", ":"))
    # Inside an element `script`, only these could end it or begin a comment.
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return _TEMPLATE.read_text(encoding="utf-8").replace(_DATA, text)


def _data(found: Timeline) -> dict[str, Any]:
    run = found.run
    numbers = {id(span): number for number, span in enumerate(found.spans)}
    return {
        "board": one_line(run.board),
        "state": run.state,
        "seconds": round(run.seconds, 3),
        "jobs": run.jobs,
        "idle": run.idle,
        "groups": [
            {"name": group, "rows": found.rows(group)} for group in GROUPS if found.rows(group)
        ],
        "spans": [_span(span, run) for span in found.spans],
        "blocks": [_block(block, numbers[id(block.span)]) for block in found.blocks],
        "critical": [numbers[id(span)] for span in found.critical],
    }


def _span(span: Span, run: Run) -> dict[str, Any]:
    return {
        "name": one_line(span.name),
        "version": one_line(span.version),
        "begin": round(span.begin, 3),
        "end": round(span.end, 3),
        "how": span.how,
        "origin": one_line(span.origin),
        "steps": _steps(span.steps),
        "why": [*map(one_line, run.why.get(span.name, ()))],
        "needs": [*map(one_line, run.needs.get(span.name, ()))],
    }


def _block(block: Block, span: int) -> dict[str, Any]:
    return {
        "span": span,
        "group": block.group,
        "row": block.row,
        "begin": round(block.begin, 3),
        "end": round(block.end, 3),
        "steps": _steps(block.steps),
    }


def _steps(steps: Iterable[Stretch]) -> list[list[str | float]]:
    return [[one_line(step.name), round(step.begin, 3), round(step.end, 3)] for step in steps]
