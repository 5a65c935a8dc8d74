import socket
import socketserver

from dnslib import DNSRecord

class BaseResolver:
    def resolve(self, request: DNSRecord, handler: DNSHandler) -> DNSRecord: ...

class DNSHandler(socketserver.BaseRequestHandler):
    protocol: str
    request: socket.socket
    server: socketserver.TCPServer
    def get_reply(self, data: bytes) -> bytes: ...

class DNSLogger:
    def __init__(self, log: str = "") -> None: ...

class DNSServer:
    def __init__(
        self,
        resolver: BaseResolver,
        address: str = "",
        port: int = 53,
        tcp: bool = False,
        logger: DNSLogger | None = None,
        handler: type[DNSHandler] = ...,
    ) -> None: ...
    def start_thread(self) -> None: ...
