"""Fixtures: a fresh root for each test, its tools made once."""

from __future__ import annotations

from pathlib import Path

import pytest
from guestroot import Guest, make_tools, probe


@pytest.fixture(scope="session")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """/usr/bin of every root; skips where namespaces are refused, and says so."""
    folder = tmp_path_factory.mktemp("guest")
    made = make_tools(folder / "tools")
    if problem := probe(made, folder / "probe"):
        pytest.skip(problem)
    return made


@pytest.fixture
def guest(tools: Path, tmp_path: Path) -> Guest:
    """A root with the overlay and nothing started."""
    return Guest.make(tmp_path / "root", tools)


@pytest.fixture
def box(guest: Guest) -> Guest:
    """A root where waiting is real."""
    guest.stub("sleep", 'busybox sleep "$1"')
    return guest


@pytest.fixture
def net(guest: Guest) -> Guest:
    """Two interfaces known to the kernel, and the folder that S40network makes."""
    guest.write("sys/class/net/eth0/ifindex", "2\n")
    guest.write("sys/class/net/eth1/ifindex", "3\n")
    (guest.root / "run/network").mkdir()
    return guest
