from quard.model import Autotools, Feature, Source

RECIPE = Autotools(
    summary="Tells what kind of data a file has: file(1), libmagic and its compiled rules",
    version="5.46",
    source=Source(
        "https://astron.com/pub/file/file-{version}.tar.gz",
        sha256="c9cc77c7c560c543135edc555af609d5619dbef011997e988ce40a3d75d86088",
        size=1312892,
        provenance="stated alike by the recipes of several distributions",
        mirrors=("debian:pool/main/f/file/file_{version}.orig.tar.gz",),
    ),
    license="BSD-2-Clause",
    license_files=("COPYING",),
    homepage="https://www.darwinsys.com/file/",
    features=(
        Feature(
            "zlib",
            summary="look into files that gzip has compressed",
            on=("--enable-zlib",),
            off=("--disable-zlib",),
            needs=("zlib",),
            default=True,
        ),
        Feature(
            "bzip2",
            summary="look into files that bzip2 has compressed",
            on=("--enable-bzlib",),
            off=("--disable-bzlib",),
            needs=("bzip2",),
        ),
        Feature(
            "xz",
            summary="look into files that xz has compressed",
            on=("--enable-xzlib",),
            off=("--disable-xzlib",),
            needs=("xz",),
        ),
    ),
    configure=(
        "--disable-libseccomp",
        "--disable-lrziplib",
        "--disable-lzlib",
        "--disable-zstdlib",
    ),
)
