from quard.model import Autotools, Source

RECIPE = Autotools(
    summary="Captures packets of networks",
    version="1.10.5",
    sources=[
        Source(
            "https://www.tcpdump.org/release/libpcap-{version}.tar.xz",
            sha256="84fa89ac6d303028c1c5b754abff77224f45eca0a94eb1a34ff0aa9ceece3925",
            size=671880,
            provenance="stated alike by the recipes of several distributions",
            mirrors=["debian:pool/main/libp/libpcap/libpcap_{version}.orig.tar.xz"],
        )
    ],
    license="BSD-3-Clause",
    license_files=["LICENSE"],
    homepage="https://www.tcpdump.org",
    tools=["bison", "flex"],
    configure=[
        "--with-pcap=linux",
        "--without-libnl",
        "--disable-dbus",
        "--disable-rdma",
        "--disable-usb",
    ],
    drop=["usr/lib/libpcap.a"],
)
