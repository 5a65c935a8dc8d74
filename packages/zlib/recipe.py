from quard.model import Alternate, Configure, Source

RECIPE = Configure(
    summary="Compression library: deflate, zlib and gzip formats",
    version="1.3.2",
    sources=[
        Source(
            "github:madler/zlib/releases/download/v{version}/zlib-{version}.tar.gz",
            sha256="bb329a0a2cd0274d05519d61c667c062e06990d72e125ee2dfa8de64f0119d16",
            provenance="stated alike by the recipes of several distributions",
            mirrors=["https://zlib.net/fossils/zlib-{version}.tar.gz"],
            alternates=[
                Alternate(
                    "debian:pool/main/z/zlib/zlib_1.3.dfsg+really{version}.orig.tar.gz",
                    sha256="7b6903eb019983987b7112eccf90f1703f1c6c0e0cede36564bf611d19ca579d",
                    size=1295859,
                    differs="without other systems' folders, contrib and some documents",
                ),
            ],
        )
    ],
    license="Zlib",
    license_files=["LICENSE"],
    homepage="https://zlib.net",
    configure=["--shared"],
    make=["libz.a", "libz.so.{version}"],
    env=[("LDCONFIG", "true")],
    drop=["usr/lib/libz.a"],
)
