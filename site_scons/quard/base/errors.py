"""The exception that users see, and the block of text it is printed as."""

from __future__ import annotations

from collections.abc import Sequence

from quard.base.plain import one_line, plain, shown


class QuardError(Exception):
    """An error that the user can act on.

    message -- what happened, one line, no trailing dot
    detail  -- the facts: file, line, value, the end of a log; may span lines
    reason  -- a stable kebab-case slug for scripts and tests
    hint    -- what to do next
    cause   -- what other errors of the same reason come from as well; "" if it is this one's alone
    Control characters are escaped, since all of these may quote names and texts of others.
    Addresses are without users and passwords: errors are put into logs and reports.
    """

    def __init__(
        self, message: str, *, detail: str = "", reason: str, hint: str = "", cause: str = ""
    ) -> None:
        super().__init__()
        self.reword(message)
        self.detail = plain(shown(detail))
        self.reason = reason
        self.hint = plain(shown(hint))
        self.cause = cause

    def reword(self, message: str) -> None:
        """Replace the message, for example by one that also says where the error is."""
        self.message = one_line(shown(message))
        self.args = (self.message,)

    def block(self) -> str:
        """Return the text shown on standard error, without a final newline."""
        lines = [f"error: {self.message}"]
        lines += [f"  {line}" for line in self.detail.splitlines()]
        lines.append(f"reason: {self.reason}")
        if self.hint:
            lines.append(f"hint: {self.hint}")
        return "\n".join(lines)


def together(what: str, errors: Sequence[QuardError]) -> QuardError:
    """Return one error that reports all of `errors`; it has the reason of the first one.

    what -- what they were found in, such as "the image"
    Errors with the same reason are grouped, with the hint below each group if the hints differ.
    """
    if len(errors) == 1:
        return errors[0]
    groups: dict[str, list[QuardError]] = {}
    for error in errors:
        groups.setdefault(error.reason, []).append(error)
    hints = {error.hint for error in errors}
    lines: list[str] = []
    for group in groups.values():
        for error in group:
            lines.append(error.message)
            lines += [f"  {line}" for line in error.detail.splitlines()]
        if len(hints) > 1:
            own = dict.fromkeys(error.hint for error in group if error.hint)
            lines += [f"{group[0].reason}: {hint}" for hint in own]
    return QuardError(
        f"{len(errors)} errors in {what}",
        detail="\n".join(lines),
        reason=errors[0].reason,
        hint=hints.pop() if len(hints) == 1 else "the hints are above, one for each reason",
    )
