"""A client of a server of the Remote Execution API, and what it tells its user."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest
from reapi_server import State

from quard.remote.credentials import Credentials
from quard.remote.link import Limits, Link, Stopped, Unusable
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


def ends_when_stopped(state: State, channel: Channel, work: Callable[[], object]) -> None:
    """Stop the run while a call of `work` hangs, which must end soon then."""
    begun, release = threading.Event(), threading.Event()

    def hang(_method: str, _call: grpc.ServicerContext) -> None:
        begun.set()
        release.wait(60)

    def stop() -> None:
        begun.wait(10)
        channel.link.stop()
        channel.close()

    state.fault = hang
    threading.Thread(target=stop).start()
    started = time.monotonic()
    with pytest.raises(Stopped):
        work()
    assert time.monotonic() - started < 20
    release.set()
