"""Kconfig configurations: merge fragments into `.config` and check that every line took effect."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from quard.base.errors import QuardError
from quard.base.kconfig_lines import lines
from quard.base.record import Record, record
from quard.execute import kconfig_symbols
from quard.plan.plan import KconfigStep
from quard.process.sandbox import Work

FEATURES = "the board's features"
"""Origin of lines that do not come from a fragment."""
ABSENT = "no such line: its dependencies are not met, or it does not exist"
"""What is found of a symbol that is not in a configuration."""
RELIED = "`kernel` of the board's packages"
"""Origin of options that packages rely on; ./scons info of the kernel names the packages."""
_BYTES = "surrogateescape"
"""How to decode bytes that are not text: they may occur in a symbol's value."""
_SET = re.compile(r"(CONFIG_[A-Za-z0-9_]+)=(.*)\Z")
_UNSET = re.compile(r"# (CONFIG_[A-Za-z0-9_]+) is not set\Z")
_ANSWERS = 1 << 16
"""Empty lines as answers for a configuration program: more than any program has questions."""


@record
class ConfigLine(Record):
    """One requested configuration line.

    value -- as after the `=`; None for "is not set"
    origin -- the fragment or feature that it comes from, for messages
    either -- for the value y: m satisfies it, too
    """

    symbol: str
    value: str | None
    origin: str
    either: bool = False

    def satisfied(self, value: str | None) -> bool:
        """Return whether a value of the symbol in a `.config` is as requested."""
        return value == self.value or (self.either and value == "m")

    def __str__(self) -> str:
        return (
            f"# {self.symbol} is not set" if self.value is None else f"{self.symbol}={self.value}"
        )


def parse(text: str, origin: str) -> tuple[ConfigLine, ...]:
    """Return the lines of a fragment. Raises QuardError bad-fragment."""
    found = []
    for line in lines(text, origin):
        if match := _SET.match(line):
            value = match.group(2)
            found.append(ConfigLine(match.group(1), None if value == "n" else value, origin))
        elif match := _UNSET.match(line):
            found.append(ConfigLine(match.group(1), None, origin))
    return tuple(found)


def merge(requests: Iterable[ConfigLine]) -> dict[str, ConfigLine]:
    """Return one request per symbol: the last one wins."""
    return {request.symbol: request for request in requests}


def relied(option: str) -> ConfigLine:
    """Return the request for an option that packages rely on, see quard.plan.kernel."""
    name, _, value = option.partition("=")
    wanted = None if value == "n" else "y"
    return ConfigLine(f"CONFIG_{name}", wanted, RELIED, either=not value)


def unsatisfied(config: str, requests: Mapping[str, ConfigLine]) -> dict[str, ConfigLine]:
    """Return the requests to lay over a base configuration: an m there that is enough stays."""
    if not any(request.either for request in requests.values()):
        return dict(requests)
    there = values(config)
    return {s: r for s, r in requests.items() if not (r.either and there.get(s) == "m")}


def lay_over(config: str, requests: Mapping[str, ConfigLine]) -> str:
    """Return a `.config` in which the requests replace the lines of their symbols."""
    kept = [line for line in config.splitlines() if _symbol(line) not in requests]
    return "\n".join([*kept, *(str(request) for request in requests.values())]) + "\n"


def values(config: str) -> dict[str, str | None]:
    """Return the symbols of a `.config` and their values, None for "is not set"."""
    found: dict[str, str | None] = {}
    for line in config.splitlines():
        if match := _SET.match(line):
            found[match.group(1)] = match.group(2)
        elif match := _UNSET.match(line):
            found[match.group(1)] = None
    return found


def modular(config: str) -> bool:
    """Return whether a `.config` builds modules, or is for a kernel that can load some."""
    found = values(config)
    return found.get("CONFIG_MODULES") == "y" or "m" in found.values()


def vanished(config: str, requests: Mapping[str, ConfigLine]) -> tuple[tuple[ConfigLine, str], ...]:
    """Return the requests that `config` does not satisfy, each with the line found instead."""
    found = values(config)
    missing = []
    for request in requests.values():
        if not request.satisfied(found.get(request.symbol)):
            if request.symbol not in found:
                shown = ABSENT
            else:
                shown = str(ConfigLine(request.symbol, found[request.symbol], ""))
            missing.append((request, shown))
    return tuple(missing)


def check(
    config: str, requests: Mapping[str, ConfigLine], name: str, src: Path, arch: str = ""
) -> None:
    """Raise QuardError kconfig-line-vanished unless every request is satisfied.

    src, arch -- the source folder, whose Kconfig files say why a symbol is missing; see
                 quard.execute.kconfig_symbols
    """
    missing = vanished(config, requests)
    if missing:
        absent = [request.symbol for request, shown in missing if shown == ABSENT]
        why = kconfig_symbols.explain(src, absent, arch) if absent else {}
        raise QuardError(
            f"{name}: {len(missing)} requested configuration "
            f"{'line is' if len(missing) == 1 else 'lines are'} not in the result",
            detail="\n".join(
                f"{r.origin}: {r}\n  found: {why.get(r.symbol, shown)}" for r, shown in missing
            ),
            reason="kconfig-line-vanished",
            hint="enable what the option depends on, or remove the line from the fragment",
        )


class Configurator:
    """Makes `.config` in a work folder for one step of a plan, with the package's own make.

    run -- runs a command of the step in the source folder, with a file as its input
    """

    def __init__(
        self, step: KconfigStep, work: Work, run: Callable[[Sequence[str], Path], None]
    ) -> None:
        self.step = step
        self._work = work
        self._run = run

    @property
    def path(self) -> Path:
        return self._work.src / ".config"

    def requests(self) -> tuple[ConfigLine, ...]:
        """Return all requests in order: if a symbol occurs twice, the last one wins."""
        found: tuple[ConfigLine, ...] = ()
        for name in self.step.fragments:
            text = (self._work.files / name).read_text(encoding="utf-8", errors=_BYTES)
            found += parse(text, name)
        found += tuple(map(relied, self.step.relied))
        for line in self.step.lines:
            found += parse(line, FEATURES)
        return found

    def start(self) -> str:
        """Return the base configuration, over which all requests are laid."""
        self._make(self.step.base)
        return self.read()

    def refresh(self, config: str) -> str:
        """Return a configuration as upstream's make completes and corrects it."""
        self.write(config)
        self._make(self.step.refresh)
        return self.read()

    def fill(self) -> str:
        """Make `.config` from all requests and return it."""
        start = self.start()
        return self.refresh(lay_over(start, unsatisfied(start, merge(self.requests()))))

    def make(self, name: str) -> None:
        """Make `.config` and check that it satisfies all requests."""
        given = dict(word.partition("=")[::2] for word in self.step.make)
        arch = given.get("ARCH", "")
        check(self.fill(), merge(self.requests()), name, self._work.src, arch)

    def read(self) -> str:
        """Return `.config`; if the package made it a link, do not follow it."""
        flags = os.O_RDONLY | os.O_NOFOLLOW
        with os.fdopen(os.open(self.path, flags), encoding="utf-8", errors=_BYTES) as file:
            return file.read()

    def write(self, text: str) -> None:
        """Write `.config`, which must not be a link."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
        opened = os.open(self.path, flags, 0o644)
        with os.fdopen(opened, "w", encoding="utf-8", errors=_BYTES) as file:
            file.write(text)

    def _make(self, goal: str) -> None:
        answers = self._work.root / "answers"
        answers.write_text("\n" * _ANSWERS)
        self._run((*self.step.make, goal), answers)


def _symbol(line: str) -> str | None:
    match = _SET.match(line) or _UNSET.match(line)
    return match.group(1) if match else None
