"""Links to one server: each is stopped by itself; the server is given up once, with one line."""

from __future__ import annotations

import pytest

from quard.remote.link import Link, Unusable
from quard.sources.attempt import Failed


def refuse() -> None:
    raise Failed("PERMISSION_DENIED")


def test_two_links_to_one_server_give_it_up_together() -> None:
    said: list[str] = []
    one = Link("the service at HOST", said.append)
    other = one.beside()
    with pytest.raises(Unusable):
        one.give_up("it builds no packages")
    assert not other.usable
    with pytest.raises(Unusable):
        other.persist(refuse)
    with pytest.raises(Unusable):
        other.give_up("another reason, from a thread that had begun before")
    assert said == ["the service at HOST is not used any more in this run: it builds no packages"]


def test_a_link_is_stopped_by_itself() -> None:
    one = Link("the service at HOST", lambda _line: None)
    other = one.beside()
    other.stop()
    assert (one.stopped, other.stopped) == (False, True)
