"""When a run worked on what: one span for each package and image file, divided into steps."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from quard.base.record import Record, record

How = Literal["built", "made", "store", "cache", "worker", "failed", "interrupted"]
"""How a span ended: built or made here; taken from a store of this machine or from a remote cache;
built by a worker elsewhere; failed; or ended by the user."""


@record
class Stretch(Record):
    """One step of a span, in seconds of the run's clock; a name may occur more than once."""

    name: str
    begin: float
    end: float

    @property
    def seconds(self) -> float:
        return self.end - self.begin


@dataclass
class Span:
    """The work on one package or image file.

    origin -- name of the store, cache or worker, for users; "" for work done here
    """

    name: str
    version: str
    begin: float
    end: float
    how: How
    steps: tuple[Stretch, ...] = ()
    origin: str = ""


@dataclass
class Recording:
    """Collects the spans of a run; the caller's lock protects it."""

    spans: list[Span] = field(default_factory=list)

    def add(self, span: Span) -> None:
        self.spans.append(span)

    def came(self, name: str, how: How, origin: str) -> None:
        """Note how the latest span of this name was obtained, which is known after its end."""
        for span in reversed(self.spans):
            if span.name == name:
                span.how, span.origin = how, origin
                return
