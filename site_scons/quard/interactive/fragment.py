"""Reducing an edited Kconfig configuration to the fewest lines that produce it.

Every step is verified with upstream's own refresh, so that one method works for both linux and
busybox, which has no savedefconfig.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field
from itertools import count

from quard.base.errors import QuardError
from quard.base.record import Record, record
from quard.execute.kconfig import ConfigLine, lay_over, merge, values

KEPT = "the kept fragment"
"""Origin of the lines that are searched for here."""
_ROUNDS = 3
"""Number of target configurations before giving up: the edited one, then twice the one that was
reached instead."""
_FEW = 8
"""Up to this number, lines are tried one by one: groups of them can hardly ever be left out."""
Values = Mapping[str, str | None]


@record
class Change(Record):
    """One symbol, without CONFIG_, before and after; None if it has no line."""

    symbol: str
    old: str | None
    new: str | None

    def __str__(self) -> str:
        """Return the line as the kernel's scripts/diffconfig prints it."""
        if self.new is None:
            return f"-{self.symbol} {self.old}"
        if self.old is None:
            return f"+{self.symbol} {self.new}"
        return f" {self.symbol} {self.old} -> {self.new}"


def changes(old: str, new: str) -> tuple[Change, ...]:
    """Return the differences of two configurations: removed, changed and added lines."""
    before, after = _shown(old), _shown(new)
    found = [
        Change(symbol.removeprefix("CONFIG_"), before.get(symbol), after.get(symbol))
        for symbol in sorted(before.keys() | after.keys())
        if before.get(symbol) != after.get(symbol)
    ]
    return tuple(sorted(found, key=lambda c: 0 if c.new is None else 2 if c.old is None else 1))


@record
class Stack(Record):
    """The inputs of a build's configuration, without the kept fragment.

    base    -- the configuration that everything is laid over
    below   -- lines below the kept fragment: of the recipe and of the board
    above   -- lines above the kept fragment: of the features
    refresh -- upstream's: completes and corrects a configuration
    known   -- its results so far, by input, the most recently used last
    """

    base: str
    below: tuple[ConfigLine, ...]
    above: tuple[ConfigLine, ...]
    refresh: Callable[[str], str]
    known: dict[str, str] = field(default_factory=dict)

    def config(self, kept: Iterable[ConfigLine]) -> str:
        """Return the configuration that a build would have with these lines kept."""
        return self.complete(lay_over(self.base, merge((*self.below, *kept, *self.above))))

    def complete(self, config: str) -> str:
        """Return the refreshed configuration; each one is refreshed only once."""
        found = self.known.pop(config, None)
        self.known[config] = self.refresh(config) if found is None else found
        return self.known[config]


@record
class Minimal(Record):
    """The fewest lines, by symbol, and the configuration that a build has with them.

    lost   -- lines of the edited configuration that did not take effect, each with the actual line
    broken -- lines of the recipe or the board that did not take effect before either
    """

    lines: tuple[ConfigLine, ...]
    config: str
    lost: tuple[tuple[ConfigLine, str], ...]
    broken: tuple[ConfigLine, ...]


def minimal(
    stack: Stack, start: str, edited: str, report: Callable[[int], None] = lambda _: None
) -> Minimal:
    """Return the fewest lines that turn a build's configuration into the edited one.

    start  -- the configuration before the edit: only differences from it can be lost
    report -- called before each trial with the current number of lines
    Raises QuardError: kconfig-conflict if a feature's lines cannot take effect in the edited
    configuration; kconfig-unsettled if the refresh gives no stable result.
    """
    search = _Search(stack, report)
    wanted: Values = values(stack.complete(edited))
    for _ in range(_ROUNDS):
        lines = search.grow(wanted)
        if lines is not None:
            break
        wanted = search.reached
    else:
        raise QuardError(
            "the configuration changes with every refresh",
            reason="kconfig-unsettled",
            hint="undo the last edits one by one to find the option that does it",
        )
    _refuse_conflict(stack.above, wanted)
    found = search.shrink(lines, wanted)
    return Minimal(
        lines=found,
        config=stack.config(found),
        lost=lost(values(start), values(edited), wanted),
        broken=tuple(
            request
            for symbol, request in sorted(merge(stack.below).items())
            if request.value != wanted.get(symbol) and symbol not in {r.symbol for r in found}
        ),
    )


class _Search:
    """Searches for lines by trial; `reached` is the result of the last trial of `grow`."""

    def __init__(self, stack: Stack, report: Callable[[int], None]) -> None:
        self._stack = stack
        self._report = report
        self._fixed = frozenset(request.symbol for request in stack.above)
        self.reached: Values = {}

    def grow(self, wanted: Values) -> tuple[ConfigLine, ...] | None:
        """Return lines that give `wanted`, hardly more than needed; None if there are none.

        Each round adds some of the lines that have another value in the configuration so far:
        symbols that the edit makes visible or hides follow from them. Only if there are no such
        lines, everything that still differs is added.
        """
        chosen = set(self._pinned(wanted))
        for number in count():
            self._report(len(chosen))
            self.reached = values(self._stack.config(_lines(chosen, wanted)))
            differing = _differing(self.reached, wanted)
            if not differing:
                return _lines(chosen, wanted)
            open_ = differing - chosen - self._fixed
            if not open_:
                return None
            chosen |= self._heads(open_, wanted, 1 << number) or open_
        raise AssertionError("every round adds a symbol")

    def _heads(self, open_: set[str], wanted: Values, length: int) -> set[str]:
        """Return the first symbols of every run of adjacent symbols that differ.

        A configuration lists the menu from top to bottom: the rest of a run is mostly below its
        first symbol in the menu and follows from it.
        """
        heads, row = set(), 0
        for symbol in wanted:
            row = row + 1 if symbol in open_ and symbol in self.reached else 0
            if 0 < row <= length:
                heads.add(symbol)
        return heads

    def shrink(self, lines: tuple[ConfigLine, ...], wanted: Values) -> tuple[ConfigLine, ...]:
        """Remove lines, half of them at first, until every remaining one is necessary."""
        pinned = self._pinned(wanted)
        loose = [request for request in lines if request.symbol not in pinned]
        size = len(loose)
        while size:
            index, spared = 0, False
            while index < len(loose):
                rest = loose[:index] + loose[index + size :]
                if self._gives(pinned, rest, wanted):
                    loose, spared = rest, True
                else:
                    index += size
            if size > 1:
                size = (size + 1) // 2 if size > _FEW else 1
            elif not spared:
                break
        return _lines({*pinned, *(request.symbol for request in loose)}, wanted)

    def _gives(self, pinned: frozenset[str], rest: Sequence[ConfigLine], wanted: Values) -> bool:
        self._report(len(pinned) + len(rest))
        lines = _lines({*pinned, *(request.symbol for request in rest)}, wanted)
        return _equal(values(self._stack.config(lines)), wanted)

    def _pinned(self, wanted: Values) -> frozenset[str]:
        """Return the symbols for which a line below requests another value than the wanted one.

        Without an own line for each, the build would report that the line below has vanished.
        Lines that were already ineffective are not this edit's concern.
        """
        without = values(self._stack.config(()))
        return frozenset(
            symbol
            for symbol, request in merge(self._stack.below).items()
            if request.value != wanted.get(symbol) != without.get(symbol)
            and symbol not in self._fixed
        )


def _lines(symbols: Iterable[str], wanted: Values) -> tuple[ConfigLine, ...]:
    return tuple(ConfigLine(symbol, wanted.get(symbol), KEPT) for symbol in sorted(symbols))


def _differing(old: Values, new: Values) -> set[str]:
    """Return the symbols with different values; none and "is not set" mean the same."""
    return {symbol for symbol in old.keys() | new.keys() if old.get(symbol) != new.get(symbol)}


def _equal(old: Values, new: Values) -> bool:
    return not _differing(old, new)


def lost(start: Values, edited: Values, found: Values) -> tuple[tuple[ConfigLine, str], ...]:
    """Return the edited lines that did not take effect, each with the actual line."""
    return tuple(
        (ConfigLine(s, edited.get(s), KEPT), str(ConfigLine(s, found.get(s), "")))
        for s in sorted(_differing(start, edited) & _differing(edited, found))
    )


def _refuse_conflict(above: Iterable[ConfigLine], wanted: Values) -> None:
    missing = [r for s, r in sorted(merge(above).items()) if r.value != wanted.get(s)]
    if missing:
        raise QuardError(
            "the edited configuration removes what a feature of the board needs",
            detail="\n".join(f"{request.origin}: {request}" for request in missing),
            reason="kconfig-conflict",
            hint="undo the edit that does it, or change the feature in the board's file",
        )


def _shown(config: str) -> dict[str, str]:
    return {s: "n" if value is None else value for s, value in values(config).items()}
