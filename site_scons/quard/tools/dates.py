"""Dates of a release's signed list: whether it is newer than another one, and still valid.

A list that was once signed stays signed. Without a look at its date, a mirror could offer an old
one, and with it packages whose faults are known.
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import mktime_tz, parsedate_tz

_FORM = "%Y-%m-%dT%H:%M:%SZ"
_LATEST = 24 * 3600
"""Seconds by which a list may be newer than the clock of this machine, which may be wrong."""


def shown(seconds: float) -> str:
    """Return a time as a text that sorts as the time does."""
    return datetime.fromtimestamp(seconds, UTC).strftime(_FORM)


def parsed(text: str) -> str:
    """Return a date as a Release file has it in the form of `shown`; "" if it is none."""
    found = parsedate_tz(text)
    try:
        return shown(mktime_tz(found)) if found else ""
    except (ValueError, OverflowError, OSError):
        return ""


def refusal(date: str, until: str, since: str, now: float) -> str:
    """Return why a list is not used; "" if it may be.

    date  -- of the list
    until -- when it stops being valid; "" if it says nothing about that
    since -- date of the list that the lock was made from; "" if that is not known
    now   -- seconds since the epoch
    """
    if date < since:
        return f"it is of {date}, older than the one that the lock was made from, of {since}"
    if until and until < shown(now):
        return f"it is of {date} and was valid until {until}"
    if date > shown(now + _LATEST):
        return f"it is of {date}, which is in the future"
    return ""
