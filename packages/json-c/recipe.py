from quard.model import Alternate, CMake, Source

RECIPE = CMake(
    summary="Reads, changes and writes JSON documents",
    version="0.18",
    sources=[
        Source(
            "https://s3.amazonaws.com/json-c_releases/releases/json-c-{version}.tar.gz",
            sha256="876ab046479166b869afc6896d288183bbc0e5843f141200c677b3e8dfb11724",
            provenance="stated alike by the recipes of several distributions",
            alternates=[
                Alternate(
                    "debian:pool/main/j/json-c/json-c_{version}+ds.orig.tar.xz",
                    sha256="f6439962c9622c1f9f4746d5b3daf5e0800c335281b048fab00159f2a29d7daa",
                    size=159264,
                    differs="without the generated documentation",
                ),
            ],
        )
    ],
    license="MIT",
    license_files=["COPYING"],
    homepage="https://github.com/json-c/json-c",
    configure=["-DBUILD_APPS=OFF", "-DBUILD_STATIC_LIBS=OFF", "-DDISABLE_WERROR=ON"],
)
