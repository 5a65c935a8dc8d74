"""Kconfig configurations: lay lines over `.config` and hold the result against what was asked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from quard.errors import QuardError

_SET = re.compile(r"(CONFIG_[A-Za-z0-9_]+)=(.*)\Z")
_UNSET = re.compile(r"# (CONFIG_[A-Za-z0-9_]+) is not set\Z")


@dataclass(frozen=True)
class Request:
    """One configuration line that somebody asked for.

    value -- as after the `=`; None for "is not set"
    origin -- the fragment or feature that it comes from, for messages
    """

    symbol: str
    value: str | None
    origin: str

    def __str__(self) -> str:
        return (
            f"# {self.symbol} is not set" if self.value is None else f"{self.symbol}={self.value}"
        )


def parse(text: str, origin: str) -> tuple[Request, ...]:
    """Return the lines of a fragment.

    Raises QuardError bad-fragment for a line that is neither a setting, nor a comment, nor empty.
    """
    found = []
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if match := _SET.match(line):
            value = match.group(2)
            found.append(Request(match.group(1), None if value == "n" else value, origin))
        elif match := _UNSET.match(line):
            found.append(Request(match.group(1), None, origin))
        elif line and not line.startswith("#"):
            raise QuardError(
                f"{origin} is not a configuration fragment",
                detail=f"line {number}: {line}",
                reason="bad-fragment",
                hint='write CONFIG_X=y, CONFIG_X="text" or "# CONFIG_X is not set"',
            )
    return tuple(found)


def merge(requests: Iterable[Request]) -> dict[str, Request]:
    """Return one request per symbol: the last one counts."""
    return {request.symbol: request for request in requests}


def lay_over(config: str, requests: Mapping[str, Request]) -> str:
    """Return a `.config` with the requests in place of the lines it had for their symbols."""
    kept = [line for line in config.splitlines() if _symbol(line) not in requests]
    return "\n".join([*kept, *(str(request) for request in requests.values())]) + "\n"


def vanished(config: str, requests: Mapping[str, Request]) -> tuple[tuple[Request, str], ...]:
    """Return the requests that `config` does not fulfil, each with the line found instead."""
    values: dict[str, str | None] = {}
    for line in config.splitlines():
        if match := _SET.match(line):
            values[match.group(1)] = match.group(2)
        elif match := _UNSET.match(line):
            values[match.group(1)] = None
    missing = []
    for request in requests.values():
        if values.get(request.symbol) != request.value:
            found = values.get(request.symbol)
            if request.symbol not in values:
                shown = "no such line: its dependencies are not met, or it does not exist"
            else:
                shown = str(Request(request.symbol, found, ""))
            missing.append((request, shown))
    return tuple(missing)


def check(config: str, requests: Mapping[str, Request], name: str) -> None:
    """Raise QuardError kconfig-line-vanished unless every request is fulfilled."""
    missing = vanished(config, requests)
    if missing:
        raise QuardError(
            f"{name}: {len(missing)} requested configuration "
            f"{'line is' if len(missing) == 1 else 'lines are'} not in the result",
            detail="\n".join(f"{r.origin}: {r}\n  found: {shown}" for r, shown in missing),
            reason="kconfig-line-vanished",
            hint="turn on what the option depends on, or take the line out of the fragment",
        )


def _symbol(line: str) -> str | None:
    match = _SET.match(line) or _UNSET.match(line)
    return match.group(1) if match else None
