"""Which ports run.sh forwards, and what it says of one that is taken."""

from __future__ import annotations

import re
import shutil
import socket
from collections.abc import Iterator

import pytest
from runscript_board import Board, new_board


@pytest.fixture
def board() -> Iterator[Board]:
    with new_board() as board:
        yield board


@pytest.mark.parametrize("awk", ["mawk", "gawk", "busybox"])
def test_awks_agree_on_ports(board: Board, awk: str) -> None:
    found = shutil.which(awk)
    if found is None:
        pytest.skip(f"{awk} is not on this machine")
    (board.tools / "awk").symlink_to(found)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"port {port} " in board.start(f"FORWARD=tcp:{port}:22").rejected("port-taken")
    assert board.start("FORWARD=tcp:0:22").value("-netdev").endswith("-:22")


@pytest.mark.parametrize(
    ("family", "address"),
    [
        (socket.AF_INET, "127.0.0.1"),
        (socket.AF_INET, "0.0.0.0"),
        (socket.AF_INET6, "::"),
        (socket.AF_INET6, "::ffff:127.0.0.1"),
    ],
)
def test_taken_port_is_named_with_the_setting_to_change(
    board: Board, family: socket.AddressFamily, address: str
) -> None:
    with socket.socket(family) as taken:
        try:
            taken.bind((address, 0))
        except OSError as error:
            pytest.skip(f"this machine has no {address}: {error}")
        taken.listen()
        port = taken.getsockname()[1]
        block = board.start(f"FORWARD=tcp:0:22,tcp:{port}:80").rejected("port-taken")
    assert f"error: host port {port} is taken\n" in block
    assert "FORWARD=tcp:0:22,tcp:0:80 " in block
    assert "qemu/virt.toml" in block
    assert not (board.folder / "run").exists()


@pytest.mark.parametrize(
    ("family", "address"), [(socket.AF_INET, "127.0.0.9"), (socket.AF_INET6, "::1")]
)
def test_port_of_another_address_is_not_taken(
    board: Board, family: socket.AddressFamily, address: str
) -> None:
    with socket.socket(family) as other:
        try:
            other.bind((address, 0))
        except OSError as error:
            pytest.skip(f"this machine has no {address}: {error}")
        other.listen()
        port = other.getsockname()[1]
        assert board.start(f"FORWARD=tcp:{port}:80").status == 0
        taken = board.start(f"FORWARD=tcp:0.0.0.0:{port}:80")
        assert taken.status == (2 if family == socket.AF_INET else 0)


def test_taken_udp_port_does_not_take_tcp(board: Board) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        board.start(f"FORWARD=udp:{port}:53").rejected("port-taken")
        assert board.start(f"FORWARD=tcp:{port}:53").status == 0


def test_free_ports_differ_and_are_said(board: Board) -> None:
    outcome = board.start("FORWARD=tcp:0:22,tcp:0:22,tcp:0:80")
    pairs = re.findall(
        r"^forward: tcp 127\.0\.0\.1:(\d+) -> guest port (\d+)$", outcome.errors, re.M
    )
    assert [guest for _, guest in pairs] == ["22", "22", "80"]
    assert len({host for host, _ in pairs}) == 3
    for host, _ in pairs:
        with socket.create_server(("127.0.0.1", int(host))):
            pass


def test_address_of_a_forward_can_be_given(board: Board) -> None:
    value = board.start("FORWARD=tcp:0.0.0.0:0:22").value("-netdev")
    assert re.search(r",hostfwd=tcp:0\.0\.0\.0:\d+-:22$", value)


@pytest.mark.parametrize(
    "item",
    [
        "tcp",
        "tcp:22",
        "icmp:1:1",
        "tcp:a:22",
        "tcp:1:b",
        "tcp:1:0",
        "tcp:65536:22",
        "tcp:1.2.3:1:2",
        "tcp:1.2.3.256:1:2",
        "tcp:1:2:3:4:5",
        "tcp:0:22,",
        "tcp:61111:22,tcp:61111:80",
        "tcp::22",
    ],
)
def test_malformed_forward_is_rejected(board: Board, item: str) -> None:
    assert "tcp:3522:22" in board.start(f"FORWARD={item}").rejected("bad-forward")
