"""The files of a recipe as its build sees them, in {files}."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from quard.base.files import FileRef, make_empty
from quard.base.filling import filled
from quard.plan.plan import CopyStep, Plan


def lay_out(plan: Plan, folder: Path, read: Callable[[FileRef], bytes]) -> None:
    """Fill a folder with exactly the files of a plan; of templates, the placeholders are replaced.

    read -- returns the content of a file, verified
    """
    copies = (step for step in plan.steps if isinstance(step, CopyStep))
    templates = {step.source: dict(step.values) for step in copies if step.values is not None}
    make_empty(folder)
    for reference in plan.files:
        path, content = folder / reference.name, read(reference)
        values = templates.get(f"{{files}}/{reference.name}")
        path.write_bytes(content if values is None else filled(content, values))
        path.chmod(0o755 if reference.executable else 0o644)
