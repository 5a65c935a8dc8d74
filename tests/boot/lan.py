"""A network with one server on it, which a guest's device reaches frame by frame.

QEMU's own network never pings before it offers, sends no MTU and knows no time server. This one
answers ARP, DHCP (RFC 2131) and NTP (RFC 5905) as a test wants it. QEMU carries each Ethernet
frame in a UDP datagram of the loopback interface, so nothing leaves the machine.
"""

from __future__ import annotations

import socket
import struct
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from types import TracebackType

import ports

SERVER = IPv4Address("10.88.0.1")
CLIENT = IPv4Address("10.88.0.50")
MASK = IPv4Address("255.255.255.0")
MAC = bytes.fromhex("525488000001")
_BROADCAST = b"\xff" * 6
_COOKIE = bytes.fromhex("63825363")
_DISCOVER, _OFFER, _REQUEST, _ACK, _RELEASE = 1, 2, 3, 5, 7
_NTP_EPOCH = 2_208_988_800
"""Seconds from 1900, where NTP counts from, to 1970."""


@dataclass
class Lan:
    """The network, from `__enter__` to `__exit__`.

    delay   -- seconds between a discover and its offer, as a server that pings first has it
    lag     -- seconds between a question for the server's hardware address and the answer
    options -- number -> value of further DHCP options
    clock   -- what the time server says, in seconds since 1970
    deaf    -- the DHCP server answers nothing
    given_back -- addresses that clients have released
    """

    delay: float = 0
    lag: float = 0
    options: dict[int, bytes] = field(default_factory=dict)
    clock: int = 0
    deaf: bool = False
    given_back: list[IPv4Address] = field(default_factory=list)

    def __enter__(self) -> Lan:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(0.2)
        self._held = ExitStack()  # QEMU wants to be told its own port
        self._guest = ("127.0.0.1", self._held.enter_context(ports.reserved()))
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end.set()
        self._thread.join(5)
        self._socket.close()
        self._held.close()

    @property
    def arguments(self) -> str:
        """QEMU's arguments for a network device on this network."""
        here = f"127.0.0.1:{self._socket.getsockname()[1]}"
        guest = f"{self._guest[0]}:{self._guest[1]}"
        return (
            f"-netdev socket,id=lan,udp={here},localaddr={guest}"
            " -device virtio-net-device,netdev=lan"
        )

    def _serve(self) -> None:
        due: list[tuple[float, bytes]] = []
        while not self._end.is_set():
            now = time.monotonic()
            for _, frame in [entry for entry in due if entry[0] <= now]:
                self._socket.sendto(frame, self._guest)
            due = [entry for entry in due if entry[0] > now]
            try:
                frame = self._socket.recv(65536)
            except TimeoutError:
                continue
            due += [(now + after, answer) for after, answer in self._answers(frame)]

    def _answers(self, frame: bytes) -> list[tuple[float, bytes]]:
        kind, packet = frame[12:14], frame[14:]
        if kind == b"\x08\x06" and packet[24:28] == SERVER.packed and packet[7] == 1:
            return [(self.lag, _arp_reply(frame[6:12], packet[14:18]))]
        if kind != b"\x08\x00" or packet[9] != socket.IPPROTO_UDP:
            return []
        datagram = packet[(packet[0] & 15) * 4 :]
        source, port = struct.unpack_from(">HH", datagram)
        if port == 67 and not self.deaf:
            return self._dhcp(datagram[8:])
        if port == 123 and packet[16:20] == SERVER.packed:
            answer = _ntp_reply(datagram[8:], self.clock)
            client = IPv4Address(packet[12:16])
            return [(0, _frame(frame[6:12], client, 123, source, answer))]
        return []

    def _dhcp(self, message: bytes) -> list[tuple[float, bytes]]:
        kind = message[message.index(_COOKIE) + 6]
        if kind == _RELEASE:
            self.given_back.append(IPv4Address(message[12:16]))
        if kind not in (_DISCOVER, _REQUEST):
            return []
        reply = _OFFER if kind == _DISCOVER else _ACK
        body = b"\x02" + message[1:4] + message[4:8] + bytes(8) + CLIENT.packed
        body += SERVER.packed + bytes(4) + message[28:44] + bytes(192) + _COOKIE
        options = {
            53: bytes([reply]),
            54: SERVER.packed,
            51: struct.pack(">I", 3600),
            1: MASK.packed,
            3: SERVER.packed,
            **self.options,
        }
        for number, value in options.items():
            body += bytes([number, len(value)]) + value
        frame = _frame(_BROADCAST, IPv4Address("255.255.255.255"), 67, 68, body + b"\xff")
        return [(self.delay if kind == _DISCOVER else 0, frame)]


def domain_search(*names: str) -> bytes:
    """Return the value of option 119 (RFC 3397), without compression."""
    return b"".join(
        b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\0"
        for name in names
    )


def _arp_reply(mac: bytes, address: bytes) -> bytes:
    head = struct.pack(">HHBBH", 1, 0x0800, 6, 4, 2)
    return mac + MAC + b"\x08\x06" + head + MAC + SERVER.packed + mac + address


def _ntp_reply(request: bytes, clock: int) -> bytes:
    """A server of stratum 1 whose clock stands at `clock`."""
    stamp = struct.pack(">II", clock + _NTP_EPOCH, 0)
    head = struct.pack(">BBbb", 0x24, 1, request[2], -20) + bytes(8) + b"TEST"
    return head + stamp + request[40:48] + stamp + stamp


def _frame(mac: bytes, address: IPv4Address, source: int, port: int, body: bytes) -> bytes:
    datagram = struct.pack(">HHHH", source, port, 8 + len(body), 0) + body
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(datagram), 0, 0, 64, socket.IPPROTO_UDP, 0)
    head += SERVER.packed + address.packed
    total = sum(struct.unpack(">10H", head))
    total = (total & 0xFFFF) + (total >> 16)
    head = head[:10] + struct.pack(">H", ~(total + (total >> 16)) & 0xFFFF) + head[12:]
    return mac + MAC + b"\x08\x00" + head + datagram
