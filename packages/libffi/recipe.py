from quard.model import Autotools, Source

RECIPE = Autotools(
    summary="Calls functions whose arguments are only known at run time",
    version="3.8.0",
    sources=[
        Source(
            "github:libffi/libffi/archive/refs/tags/v{version}.tar.gz",
            sha256="bf40d752d8f5fd4505bcd1c7d4208ea87fd12c91f087e359651c776748352dc0",
            size=662493,
            provenance="stated alike by the recipes of several distributions",
            mirrors=["debian:pool/main/libf/libffi/libffi_{version}.orig.tar.gz"],
        )
    ],
    license="MIT",
    license_files=["LICENSE"],
    homepage="https://sourceware.org/libffi/",
    autoreconf=True,
    # Only its tests are in C++, for which a target may have no library.
    configure=["--disable-docs", "--disable-multi-os-directory", "CXX=no"],
)
