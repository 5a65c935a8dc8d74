from quard.model import Autotools, Source

RECIPE = Autotools(
    summary="Small library for netlink messages",
    version="1.0.5",
    sources=[
        Source(
            "https://netfilter.org/projects/libmnl/files/libmnl-{version}.tar.bz2",
            sha256="274b9b919ef3152bfb3da3a13c950dd60d6e2bcd54230ffeca298d03b40d0525",
            provenance="upstream's published checksum, the same in Debian's signed index",
            mirrors=[
                "https://www.netfilter.org/pub/libmnl/libmnl-{version}.tar.bz2",
                "debian:pool/main/libm/libmnl/libmnl_{version}.orig.tar.bz2",
            ],
        )
    ],
    license="LGPL-2.1-or-later",
    license_files=["COPYING"],
    homepage="https://www.netfilter.org/projects/libmnl/",
)
