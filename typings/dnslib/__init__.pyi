class Bimap:
    def __getattr__(self, k: str) -> int: ...
    def __getitem__(self, k: int) -> str: ...

QTYPE: Bimap
RCODE: Bimap

class RD: ...

class A(RD):
    def __init__(self, data: str) -> None: ...

class RR:
    def __init__(
        self,
        rname: str | None = None,
        rtype: int = 1,
        rclass: int = 1,
        ttl: int = 0,
        rdata: RD | None = None,
    ) -> None: ...

class DNSHeader:
    rcode: int
    tc: int

class DNSQuestion:
    qname: object
    qtype: int

class DNSRecord:
    header: DNSHeader
    @property
    def q(self) -> DNSQuestion: ...
    def add_answer(self, *rr: RR) -> None: ...
    def pack(self) -> bytearray: ...
    def reply(self, ra: int = 1, aa: int = 1) -> DNSRecord: ...
