"""The one exception that reaches a user, and the block it is printed as."""

from __future__ import annotations


class QuardError(Exception):
    """Something the user can act on.

    message -- what happened, one line, no trailing dot
    detail  -- the facts: file, line, value, the end of a log; may span lines
    reason  -- a stable kebab-case slug for scripts and tests
    hint    -- what to do next
    """

    def __init__(self, message: str, *, detail: str = "", reason: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail
        self.reason = reason
        self.hint = hint

    def block(self) -> str:
        """Return the text shown on standard error, without a final line end."""
        lines = [f"error: {self.message}"]
        lines += [f"  {line}" for line in self.detail.splitlines()]
        lines.append(f"reason: {self.reason}")
        if self.hint:
            lines.append(f"hint: {self.hint}")
        return "\n".join(lines)
