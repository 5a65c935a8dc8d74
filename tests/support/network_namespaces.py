"""Hosts on one machine: network namespaces, each connected with this one by a cable of its own."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

_NUMBERS = itertools.count()
"""Of hosts: the kernel removes the cable of one that is gone a little later."""


@dataclass(frozen=True)
class Host:
    """A host with its address; `near` is the address of this machine at the same cable."""

    name: str
    address: str
    near: str

    @property
    def enter(self) -> tuple[str, ...]:
        """The words that run a command there."""
        return ("ip", "netns", "exec", self.name)

    @property
    def received(self) -> int:
        """The number of bytes that it has been sent."""
        return int(Path(f"/sys/class/net/{self.name}/statistics/tx_bytes").read_text())

    def vanish(self) -> None:
        """Let all packets to the host be lost from now on."""
        found = subprocess.run(
            ("ip", "-n", self.name, "-brief", "link", "show", "up0"),
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        hardware = found.stdout.split()[2]
        # Else this machine would notice that nobody has the address, and say so at once.
        place = ("dev", self.name, "nud", "permanent")
        _ip("neighbour", "replace", self.address, "lladdr", hardware, *place)
        _ip("-n", self.name, "address", "delete", f"{self.address}/30", "dev", "up0")


@contextmanager
def hosts(count: int) -> Iterator[tuple[Host, ...]]:
    """Make hosts; skip the test where that is impossible."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("making network namespaces takes root and iproute2")
    made: list[Host] = []
    try:
        for number in itertools.islice(_NUMBERS, count):
            # Part of 198.18.0.0/15, which is for tests of networks (RFC 2544).
            start, first = f"198.19.{os.getpid() % 250}", 4 * number
            near, address = f"{start}.{first + 1}", f"{start}.{first + 2}"
            host = Host(f"q{os.getpid()}n{number}", address, near)
            if _ip("netns", "add", host.name, check=False):
                pytest.skip("this machine allows no network namespaces")
            made.append(host)
            _ip("link", "add", host.name, "type", "veth", "peer", "name", "up0", "netns", host.name)
            _ip("address", "add", f"{host.near}/30", "dev", host.name)
            _ip("link", "set", host.name, "up")
            _ip("-n", host.name, "address", "add", f"{host.address}/30", "dev", "up0")
            _ip("-n", host.name, "link", "set", "up0", "up")
        yield tuple(made)
    finally:
        for host in made:
            _ip("netns", "delete", host.name)


def _ip(*words: str, check: bool = True) -> int:
    return subprocess.run(("ip", *words), check=check, capture_output=not check).returncode
