"""What somebody edited in a Kconfig configuration -> the fewest lines that bring it about.

Upstream's own refresh is the judge of every step, so that one way serves linux and busybox alike,
of which the latter has no savedefconfig.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

from quard.base.errors import QuardError
from quard.execute.kconfig import ConfigLine, lay_over, merge, values

KEPT = "the kept fragment"
"""Origin of the lines that are looked for here."""
_ROUNDS = 3
"""Configurations that are aimed at before giving up: the edited one, and twice what was reached of
it instead."""
_FEW = 8
"""So many lines are tried one by one: they hardly ever go in groups."""
Values = Mapping[str, str | None]


@dataclass(frozen=True)
class Change:
    """One symbol, without CONFIG_, before and after; None where it has no line."""

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
    """Return by what two configurations differ: lines that went, that changed, that came."""
    before, after = _shown(old), _shown(new)
    found = [
        Change(symbol.removeprefix("CONFIG_"), before.get(symbol), after.get(symbol))
        for symbol in sorted(before.keys() | after.keys())
        if before.get(symbol) != after.get(symbol)
    ]
    return tuple(sorted(found, key=lambda c: 0 if c.new is None else 2 if c.old is None else 1))


@dataclass(frozen=True)
class Stack:
    """What a build makes its configuration of, but for the kept fragment.

    base    -- the configuration that everything is laid over
    below   -- lines that the kept fragment is laid over: of the recipe and of the board
    above   -- lines that are laid over it: the features'
    refresh -- upstream's: completes and corrects a configuration
    known   -- what it made of which, so far, what was last asked for at the end
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
        """Return the refreshed configuration; the same one is refreshed only once."""
        found = self.known.pop(config, None)
        self.known[config] = self.refresh(config) if found is None else found
        return self.known[config]


@dataclass(frozen=True)
class Minimal:
    """The fewest lines, by symbol, and the configuration that a build has with them.

    lost   -- lines of the edited configuration that cannot be had, each with what is found instead
    broken -- lines of the recipe or the board that were not in the result before either
    """

    lines: tuple[ConfigLine, ...]
    config: str
    lost: tuple[tuple[ConfigLine, str], ...]
    broken: tuple[ConfigLine, ...]


def minimal(
    stack: Stack, start: str, edited: str, report: Callable[[int], None] = lambda _: None
) -> Minimal:
    """Return the fewest lines that turn what a build has without them into what was edited.

    start  -- the configuration that the editing began with: only what differs from it can be lost
    report -- told before each trial how many lines there are at the moment
    Raises QuardError: kconfig-conflict, where a feature's lines cannot hold in the edited
    configuration; kconfig-unsettled, where the refresh gives no stable answer.
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
    """Looks for lines by trial; `reached` is what the last trial of `grow` gave."""

    def __init__(self, stack: Stack, report: Callable[[int], None]) -> None:
        self._stack = stack
        self._report = report
        self._fixed = frozenset(request.symbol for request in stack.above)
        self.reached: Values = {}

    def grow(self, wanted: Values) -> tuple[ConfigLine, ...] | None:
        """Return lines that give `wanted`, hardly more than needed; None if there are none.

        In each round some of those lines are added that the configuration so far shows with
        another value: what the edit has opened or closed follows from them. Only where there is
        none such, everything that still differs is added.
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
        """Return the first symbols of every row of neighbours that differ.

        A configuration lists the menu from top to bottom: the rest of a row mostly lies below its
        first one, and follows from that.
        """
        heads, row = set(), 0
        for symbol in wanted:
            row = row + 1 if symbol in open_ and symbol in self.reached else 0
            if 0 < row <= length:
                heads.add(symbol)
        return heads

    def shrink(self, lines: tuple[ConfigLine, ...], wanted: Values) -> tuple[ConfigLine, ...]:
        """Leave lines out, half of them at first, until none can be spared."""
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
        """Return the symbols for which a line below asks for something else than what is wanted.

        Without a line of its own for each, the build would find that the one below has vanished.
        One that had vanished before is somebody else's to mend.
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
    """Return what was edited and is not found, each line with the one that is found instead."""
    return tuple(
        (ConfigLine(s, edited.get(s), KEPT), str(ConfigLine(s, found.get(s), "")))
        for s in sorted(_differing(start, edited) & _differing(edited, found))
    )


def _refuse_conflict(above: Iterable[ConfigLine], wanted: Values) -> None:
    missing = [r for s, r in sorted(merge(above).items()) if r.value != wanted.get(s)]
    if missing:
        raise QuardError(
            "the edited configuration takes away what a feature of the board needs",
            detail="\n".join(f"{request.origin}: {request}" for request in missing),
            reason="kconfig-conflict",
            hint="undo the edit that does it, or change the feature in the board's file",
        )


def _shown(config: str) -> dict[str, str]:
    return {s: "n" if value is None else value for s, value in values(config).items()}
