"""Features that a board wants only if their sources are available: decided once, before building.

The decision is stored, so that the state of the network does not decide a build. It is made again
when the source appears, when the places to look change, and by `./scons source`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quard.base import canonical
from quard.base.errors import QuardError
from quard.base.files import replace
from quard.base.record import Record, record
from quard.plan.source import Request
from quard.sources.archives import Archives

if TYPE_CHECKING:
    from quard.sources.fetch import Fetcher

Key = tuple[str, str]
_UNAVAILABLE = ("no-source", "hash-mismatch")
"""Reasons why a source is unavailable. A full disk or an interruption is no such reason."""


@record
class Decision(Record):
    """The decision about one feature.

    missing -- packages whose source was not available; empty if the feature is on
    tried   -- the addresses tried and their errors, a line each
    supply  -- files that would turn the feature on, with their hashes
    places  -- digest of the places searched; the decision is valid while they are the same, so that
               neither the network nor a cleaned cache changes an image
    """

    package: str
    feature: str
    on: bool
    missing: tuple[str, ...] = ()
    tried: tuple[str, ...] = ()
    supply: tuple[str, ...] = ()
    places: str = ""

    @property
    def key(self) -> Key:
        return self.package, self.feature


@record
class Question(Record):
    """A feature that is wanted if available, and the sources that it needs."""

    package: str
    feature: str
    requests: tuple[Request, ...]


class Availability:
    """Decides questions and keeps the decisions in one file.

    archives -- the archives that are available locally
    fetcher  -- called only if the network is needed for a decision, as in few builds
    places   -- all settings about where sources come from
    """

    def __init__(
        self,
        path: Path,
        archives: Archives,
        fetcher: Callable[[], Fetcher],
        places: Mapping[str, Any],
    ) -> None:
        self._path = path
        self._archives = archives
        self._fetcher = fetcher
        self._places = places
        self.fresh: set[Key] = set()
        self._known = {decision.key: decision for decision in recorded(path)}

    def decide(
        self,
        questions: Iterable[Question],
        *,
        again: bool = False,
        whole: bool = True,
        note: Callable[[str], None] = lambda _: None,
    ) -> tuple[Decision, ...]:
        """Return a decision for each question and store them.

        whole -- these are all questions; if not, other decisions are kept
        again -- try the addresses again even if they failed before
        note  -- called with a line of text before addresses are tried, which may take a while
        """
        decisions = tuple(self._one(question, again, note) for question in questions)
        answers = {} if whole else dict(self._known)
        answers |= {decision.key: decision for decision in decisions}
        rows = [_as_json(decision) for _, decision in sorted(answers.items())]
        text = canonical.sealed({"decisions": rows}).encode()
        if not self._path.exists() or self._path.read_bytes() != text:
            replace(self._path, text)
        self._known = answers
        return decisions

    def _appeared(self, old: Decision, question: Question) -> bool:
        """Return whether a source that was not available is now in one of the local places."""
        return any(
            all(map(self._archives.at_hand, requests))
            for name in old.missing
            if (requests := [one for one in question.requests if one.package == name])
        )

    def _one(self, question: Question, again: bool, note: Callable[[str], None]) -> Decision:
        old = self._known.get((question.package, question.feature))
        places = canonical.digest(
            {
                "places": dict(self._places),
                "requests": [
                    [v.sha256, v.addresses] for r in question.requests for v in r.variants
                ],
            }
        )
        if old and old.places == places and not again and not self._appeared(old, question):
            return old
        self.fresh.add((question.package, question.feature))
        missing: dict[str, None] = {}
        tried, supply = [], []
        fetcher = self._fetcher()
        for request in question.requests:
            if fetcher.cached(request):
                continue
            note(f"looking for the source of {request.package}")
            try:
                fetcher.fetch(request)
            except QuardError as error:
                if error.reason not in _UNAVAILABLE:
                    raise
                missing[request.package] = None
                tried += error.detail.splitlines() or [error.message]
                supply += [f"{v.file}  sha256 {v.sha256}" for v in request.variants]
        return Decision(
            package=question.package,
            feature=question.feature,
            on=not missing,
            missing=tuple(missing),
            tried=tuple(tried),
            supply=tuple(supply),
            places=places,
        )


def recorded(path: Path) -> tuple[Decision, ...]:
    """Return the decisions in a file; none if it does not exist or is damaged."""
    try:
        found = canonical.unsealed(path.read_bytes())
        return tuple(_from_json(item) for item in found["decisions"]) if found else ()
    except (OSError, TypeError, KeyError):
        return ()  # missing, damaged, or of another version


def block(decision: Decision, cache: Path) -> str:
    """Return the text that tells users what is off, what was tried and what to do."""
    first = decision.missing[0]
    lines = [
        f"note: {decision.package} is built without {decision.feature}:"
        f" the source of {', '.join(decision.missing)} is not available"
    ]
    lines += [f"  tried {line.strip()}" for line in decision.tried if "wanted: " not in line]
    lines += [f"  wanted: {line}" for line in decision.supply]
    lines += [
        f"  to turn it on, put the file into {cache}",
        "  (or a folder named by [sources] dir in local.toml),",
    ]
    if first != decision.package:  # no checkout of a package has the sources of its features
        lines.append(f'  or build a local checkout: [override] {first} = "path" in local.toml,')
    lines += [
        "  then run ./scons again; `./scons source` tries the addresses again;"
        " STRICT=1 makes this an error",
    ]
    return "\n".join(lines)


def strict(decision: Decision, cache: Path) -> QuardError:
    """Return the error for a feature that is off in a build with STRICT=1."""
    first, *rest = block(decision, cache).splitlines()
    return QuardError(
        first.removeprefix("note: "),
        detail="\n".join(line.strip() for line in rest[:-1]),
        reason="feature-unavailable",
        hint="provide the source, or build without STRICT=1",
    )


def _as_json(decision: Decision) -> dict[str, Any]:
    return {
        "package": decision.package,
        "feature": decision.feature,
        "on": decision.on,
        "missing": decision.missing,
        "tried": decision.tried,
        "supply": decision.supply,
        "places": decision.places,
    }


def _from_json(item: Mapping[str, Any]) -> Decision:
    return Decision(
        package=item["package"],
        feature=item["feature"],
        on=item["on"],
        missing=tuple(item["missing"]),
        tried=tuple(item["tried"]),
        supply=tuple(item["supply"]),
        places=item["places"],
    )
