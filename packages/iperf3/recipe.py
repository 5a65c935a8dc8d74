from quard.model import Alternate, Autotools, Feature, Source

RECIPE = Autotools(
    summary="Measure the throughput of TCP, UDP and SCTP",
    version="3.20",
    sources=[
        Source(
            "https://downloads.es.net/pub/iperf/iperf-{version}.tar.gz",
            sha256="3acc572d1ecca4e0b20359c7bf0132ddc80d982efeee20c86f6726a9a6094388",
            provenance="upstream's published checksum",
            mirrors=[
                "github:esnet/iperf/releases/download/{version}/iperf-{version}.tar.gz",
            ],
            alternates=[
                Alternate(
                    "debian:pool/main/i/iperf3/iperf3_{version}.orig.tar.gz",
                    sha256="84640ea0f43831850434e50134d0554b7a94f97fb02e2488ffbe252c9fb05a56",
                    size=702527,
                    differs="the archive of the release's tag, as the version control makes it",
                ),
            ],
        )
    ],
    license="BSD-3-Clause-LBNL AND MIT AND BSD-3-Clause AND NCSA",
    license_files=["LICENSE"],
    homepage="https://software.es.net/iperf/",
    configure=["--without-sctp"],
    features=[
        Feature(
            "authentication",
            summary="users and passwords, encrypted with openssl",
            on=[],
            off=["--without-openssl"],
            needs=["openssl"],
            default=True,
        ),
    ],
)
