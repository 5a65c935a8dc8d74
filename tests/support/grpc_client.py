"""A client of a server of the Remote Execution API, and what it tells its user."""

from __future__ import annotations

from pathlib import Path

import pytest

from quard.remote.credentials import Credentials
from quard.remote.link import Limits, Link, Unusable
from quard.remote.reapi import Channel

USUAL = Limits(connect=2, silence=20, slack=20, pause=0.01, longest=0.05)
FAST = Limits(connect=0.5, silence=0.5, slack=0.5, rate=1 << 30, pause=0.01, longest=0.05)


class Client:
    def __init__(
        self,
        base: str,
        token: str = "",
        certificate: Path | None = None,
        limits: Limits = USUAL,
    ) -> None:
        self.said: list[str] = []
        self.link = Link("the cache at HOST", self.said.append, limits)
        self.channel = Channel(base, Credentials(token, certificate), self.link)

    def lost(self) -> str:
        """Return the line with which the server is given up."""
        with pytest.raises(Unusable):
            self.channel.capabilities()
        assert not self.link.usable
        assert len(self.said) == 1 and self.said[0].startswith("the cache at HOST is not used")
        return self.said[0]
