from quard.model import Autotools, Feature, ForBuild, Source

RECIPE = Autotools(
    summary="Tells what kind of data a file has: file(1), libmagic and its compiled rules",
    version="5.47",
    sources=[
        Source(
            "https://astron.com/pub/file/file-{version}.tar.gz",
            sha256="45672fec165cb4cc1358a2d76b5d57d22876dcb97ab169427ac385cbe1d5597a",
            size=2676776,
            provenance="stated alike by the recipes of several distributions",
            mirrors=["debian:pool/main/f/file/file_{version}.orig.tar.gz"],
        )
    ],
    license="BSD-2-Clause",
    license_files=["COPYING"],
    homepage="https://www.darwinsys.com/file/",
    # The rules are compiled by file of the very same version.
    natives=["file"],
    features=[
        Feature(
            "zlib",
            summary="look into files that gzip has compressed",
            on=["--enable-zlib"],
            off=["--disable-zlib"],
            needs=["zlib"],
            default=True,
        ),
        Feature(
            "bzip2",
            summary="look into files that bzip2 has compressed",
            on=["--enable-bzlib"],
            off=["--disable-bzlib"],
            needs=["bzip2"],
        ),
        Feature(
            "xz",
            summary="look into files that xz has compressed",
            on=["--enable-xzlib"],
            off=["--disable-xzlib"],
            needs=["xz"],
        ),
    ],
    configure=[
        "--disable-libseccomp",
        "--disable-lrziplib",
        "--disable-lzlib",
        "--disable-zstdlib",
    ],
    for_build=ForBuild(features=[]),
)
