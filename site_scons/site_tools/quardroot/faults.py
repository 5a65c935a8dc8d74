"""How unexpected exceptions are shown to users."""

from __future__ import annotations

import traceback
from pathlib import Path

from quard.base.errors import QuardError
from quard.base.space import disk_full, is_full


def as_quard_error(fault: Exception, trace: Path | None = None) -> QuardError:
    """Return any exception as an error for users; tracebacks of our own bugs go to a file."""
    if isinstance(fault, QuardError):
        return fault
    if isinstance(fault, OSError):
        name = fault.filename if isinstance(fault.filename, str) else ""
        said = fault.strerror or str(fault)
        if is_full(fault):
            return disk_full("writing", name, said)
        return QuardError(
            "a file cannot be used",
            detail=f"{name}: {said}" if name else said,
            reason="file-system",
            hint="make it usable for this user or remove it, then start again",
        )
    if trace is not None:
        trace.parent.mkdir(parents=True, exist_ok=True)
        trace.write_text("".join(traceback.format_exception(fault)), encoding="utf-8")
    return QuardError(
        "this is a bug in Quardroot",
        detail=f"{type(fault).__name__}: {fault}",
        reason="internal-error",
        hint=f"report it with {trace}" if trace else "report it",
    )
