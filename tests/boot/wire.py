"""DHCP as it went over a guest's wire, from the file that QEMU's filter-dump wrote."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

_FILE_HEADER = 24
_RECORD = struct.Struct("<IIII")
_ETHERNET = 14
_IPV4 = b"\x08\x00"
_UDP = 17
_PORTS = {67, 68}
_FIXED_PART = 240
"""Of a DHCP message (RFC 2131, figure 1), the magic number of the options included."""
_PAD, _END, _KIND = 0, 255, 53
_KINDS = ("discover", "offer", "request", "decline", "ack", "nak", "release", "inform")


@dataclass(frozen=True)
class Message:
    """kind as RFC 2132 counts them; the client's address as it says, and as it is given."""

    kind: str
    client: str
    given: str


def dump(path: Path, network: str = "net0") -> str:
    """Return the arguments for QEMU that write all frames of one of its networks to `path`."""
    return f"-object filter-dump,id=wire-{network},netdev={network},file={path}"


def dhcp(path: Path) -> list[Message]:
    """Return the DHCP messages of both sides, in their order."""
    data = path.read_bytes()
    messages, place = [], _FILE_HEADER
    while place + _RECORD.size <= len(data):
        _, _, length, _ = _RECORD.unpack_from(data, place)
        place += _RECORD.size
        message = _message(data[place : place + length])
        if message is not None:
            messages.append(message)
        place += length
    return messages


def _message(frame: bytes) -> Message | None:
    """Return what the frame carries; None when it is no DHCP."""
    packet = frame[_ETHERNET:]
    if frame[12:_ETHERNET] != _IPV4 or packet[9] != _UDP:
        return None
    datagram = packet[(packet[0] & 15) * 4 :]
    if not set(struct.unpack_from(">HH", datagram)) <= _PORTS:
        return None
    body = datagram[8:]
    options = _options(body[_FIXED_PART:])
    return Message(
        kind=_KINDS[options[_KIND][0] - 1],
        client=str(IPv4Address(body[12:16])),
        given=str(IPv4Address(body[16:20])),
    )


def _options(data: bytes) -> dict[int, bytes]:
    options, place = {}, 0
    while place < len(data) and data[place] != _END:
        if data[place] == _PAD:
            place += 1
            continue
        length = data[place + 1]
        options[data[place]] = data[place + 2 : place + 2 + length]
        place += 2 + length
    return options
