"""Which of the tools that a result was made with have changed, in the users' terms."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

PINNED = "pinned "
"""Before the digest of pinned tools, where `by` of a result's basis has them."""
Updates = Callable[[str, str], Sequence[str]]
"""What changed in pinned tools with the same name since they had a digest; empty: not known."""
TAKEN = "taken"
"""Name of the machine's files that a package installs."""
TOOLCHAIN = "toolchain"
"""Name of the tools that build a package; the tools that make an image have their own names."""
_SHOWN = 3


def reasons(
    old: Mapping[str, Any], new: Mapping[str, Any], updates: Updates | None
) -> Iterator[str]:
    """Yield a line for each tool that changed.

    old, new -- what executed a plan and what would execute it (ledger.basis)
    """
    others = old.get(TOOLCHAIN) != new.get(TOOLCHAIN)  # which says enough about files of its own
    for name in sorted({*old, *new} - {"sealed", *((TAKEN,) if others else ())}):
        before, now = str(old.get(name, "")), str(new.get(name, ""))
        if before != now:
            yield _line(name, before, now, updates)


def _line(name: str, before: str, now: str, updates: Updates | None) -> str:
    whole = name == TOOLCHAIN
    if name == TAKEN:
        return _taken(before, now)
    was, is_now = before.startswith(PINNED), now.startswith(PINNED)
    if was and is_now:
        return _updated(name, before, updates)
    if is_now and before:
        return f"{'the pinned tools are' if whole else f'the pinned {name} is'} used now"
    if was and now:
        tools = "own tools are" if whole else f"own {name} is"
        return f"this machine's {tools} used now"
    return "the cross toolchain changed" if whole else f"this machine's {name} changed"


def _taken(before: str, now: str) -> str:
    if before and now:
        return "files that it takes from this machine changed"
    return f"its files are {'' if now else 'no longer '}taken from this machine"


def _updated(name: str, before: str, updates: Updates | None) -> str:
    known = updates(name, before.removeprefix(PINNED)) if updates else ()
    what = "the pinned tools" if name == TOOLCHAIN else f"the pinned {name}"
    if not known:
        return f"{what} changed"
    more = f", and {len(known) - _SHOWN} more" if len(known) > _SHOWN else ""
    return f"{what} changed: {', '.join(known[:_SHOWN])}{more}"
