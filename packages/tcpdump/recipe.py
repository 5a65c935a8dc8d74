from quard.model import Autotools, Source

RECIPE = Autotools(
    summary="Shows packets of networks",
    version="4.99.6",
    sources=[
        Source(
            "https://www.tcpdump.org/release/tcpdump-{version}.tar.xz",
            sha256="40a8cefd45f0d2a06827e6658efb830d484868c449ad80f7efb33516af44f3da",
            size=1425400,
            provenance="stated alike by the recipes of several distributions",
            mirrors=["debian:pool/main/t/tcpdump/tcpdump_{version}.orig.tar.xz"],
        )
    ],
    license="BSD-3-Clause",
    license_files=["LICENSE"],
    homepage="https://www.tcpdump.org",
    needs=["libpcap"],
    configure=["--without-cap-ng", "--without-crypto", "--without-smi"],
    drop=["usr/bin/tcpdump.{version}"],
)
