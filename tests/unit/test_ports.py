"""Ports that tests may tell a program to take."""

from __future__ import annotations

import socket
from pathlib import Path

import ports
import pytest


def test_a_reserved_port_is_free_for_tcp_and_udp_and_nobody_gets_it_by_chance() -> None:
    first, last = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    with ports.reserved() as port:
        assert port < first or port > last
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            with socket.socket(type=kind) as one:
                one.bind(("127.0.0.1", port))


def test_two_that_reserve_at_the_same_time_get_different_ports() -> None:
    with ports.reserved() as one, ports.reserved() as other:
        assert one != other


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_a_port_that_is_taken_is_left_out(kind: socket.SocketKind) -> None:
    with ports.reserved() as port:
        pass
    with socket.socket(type=kind) as taken:
        taken.bind(("127.0.0.1", port))
        with ports.reserved() as other:
            assert other != port
