from quard.model import Alternate, Feature, Meson, Source

RECIPE = Meson(
    summary="Compression: Zstandard",
    version="1.5.7",
    sources=[
        Source(
            "https://github.com/facebook/zstd/releases/download/v{version}/zstd-{version}.tar.gz",
            sha256="eb33e51f49a15e023950cd7825ca74a4a2b43db8354825ac24fc1b7ee09e6fa3",
            provenance="stated alike by the recipes of several distributions",
            alternates=[
                Alternate(
                    "debian:pool/main/libz/libzstd/libzstd_{version}+dfsg.orig.tar.xz",
                    sha256="0c092ef267edce57ba7f3f2645c861f72eaf5e76273c6c3632869423464b90a5",
                    size=1834780,
                    differs="without the folders of other systems and some tests",
                ),
            ],
        )
    ],
    license="BSD-3-Clause OR GPL-2.0-only",
    license_files=["LICENSE", "COPYING"],
    homepage="https://facebook.github.io/zstd/",
    folder="build/meson",
    features=[
        Feature(
            "lzma",
            summary="the command reads and writes .xz and .lzma",
            on=["-Dlzma=enabled"],
            off=["-Dlzma=disabled"],
            needs=["xz"],
        ),
        Feature(
            "zlib",
            summary="the command reads and writes .gz",
            on=["-Dzlib=enabled"],
            off=["-Dzlib=disabled"],
            needs=["zlib"],
        ),
    ],
)
