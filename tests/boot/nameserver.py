"""Run a command beside a small DNS server, in a network namespace that has nothing else.

usage: nameserver.py LOG ZONE COMMAND...

ZONE is a file of lines "NAME. ADDRESS". The server listens on 127.0.0.1:53 for UDP and TCP until
the command ends; LOG gets a line "PROTOCOL TYPE NAME" for each question. An answer of more than
512 bytes is cut short over UDP, as the protocol has it.
"""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

from dnslib import QTYPE, RCODE, RR, A, DNSRecord
from dnslib.server import BaseResolver, DNSHandler, DNSLogger, DNSServer

ADDRESS = "127.0.0.1"
UDP_LIMIT = 512


class Handler(DNSHandler):
    """Answers every question of a connection: the C library asks for A and AAAA on one."""

    def handle(self) -> None:
        if self.server.socket_type != socket.SOCK_STREAM:
            super().handle()
            return
        self.protocol = "tcp"
        while len(size := self.request.recv(2, socket.MSG_WAITALL)) == 2:
            question = self.request.recv(int.from_bytes(size, "big"), socket.MSG_WAITALL)
            answer = self.get_reply(question)
            self.request.sendall(len(answer).to_bytes(2, "big") + answer)


class Zone(BaseResolver):
    """Answers for the names of a file, and says of all others that they do not exist."""

    def __init__(self, log: Path, zone: Path) -> None:
        self.log = log
        self.addresses: dict[str, list[str]] = {}
        for line in zone.read_text(encoding="ascii").splitlines():
            name, address = line.split()
            self.addresses.setdefault(name, []).append(address)

    def resolve(self, request: DNSRecord, handler: DNSHandler) -> DNSRecord:
        name, kind = str(request.q.qname).lower(), QTYPE[request.q.qtype]
        with self.log.open("a", encoding="utf-8") as file:
            print(handler.protocol, kind, name, file=file)
        reply = request.reply()
        if name not in self.addresses:
            reply.header.rcode = RCODE.NXDOMAIN
        elif kind == "A":
            for address in self.addresses[name]:
                reply.add_answer(RR(name, QTYPE.A, rdata=A(address), ttl=60))
        if handler.protocol == "udp" and len(reply.pack()) > UDP_LIMIT:
            reply = request.reply()  # dnslib's own would lack the question, and be ignored
            reply.header.tc = 1
        return reply


def main(log: str, zone: str, *command: str) -> int:
    resolver = Zone(Path(log), Path(zone))
    for tcp in (False, True):
        quiet = DNSLogger("-request,-reply,-truncated")
        DNSServer(
            resolver, address=ADDRESS, port=53, tcp=tcp, logger=quiet, handler=Handler
        ).start_thread()
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
