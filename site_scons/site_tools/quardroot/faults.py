"""What a user is shown of an exception that nobody foresaw."""

from __future__ import annotations

import errno
import traceback
from pathlib import Path

from quard.base.errors import QuardError


def as_quard_error(fault: Exception, trace: Path | None = None) -> QuardError:
    """Return any exception as what is shown to a user; our own bugs leave their trace in a file."""
    if isinstance(fault, QuardError):
        return fault
    if isinstance(fault, OSError):
        full = fault.errno in (errno.ENOSPC, errno.EDQUOT)
        return QuardError(
            "no space left on the disk" if full else "a file cannot be used",
            detail=f"{fault.filename}: {fault.strerror}"
            if isinstance(fault.filename, str)
            else fault.strerror or str(fault),
            reason="disk-full" if full else "file-system",
            hint="free some space and start again"
            if full
            else "make it usable for this user, or remove it, and start again",
        )
    if trace is not None:
        trace.parent.mkdir(parents=True, exist_ok=True)
        trace.write_text("".join(traceback.format_exception(fault)), encoding="utf-8")
    return QuardError(
        "Quardroot has met a bug of its own",
        detail=f"{type(fault).__name__}: {fault}",
        reason="internal-error",
        hint=f"report it with {trace}" if trace else "report it",
    )
