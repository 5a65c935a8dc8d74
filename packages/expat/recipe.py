from quard.model import Autotools, Run, Source

RECIPE = Autotools(
    summary="Stream-oriented XML parser",
    version="2.8.3",
    sources=[
        Source(
            "github:libexpat/libexpat/archive/refs/tags/R_2_8_3.tar.gz",
            sha256="533659a16e0184035a99fd8e783f1ad61a887a7bf8586a8681740b9d7ed42389",
            size=8464226,
            provenance="stated alike by the recipes of several distributions",
            mirrors=["debian:pool/main/e/expat/expat_{version}.orig.tar.gz"],
        )
    ],
    license="MIT",
    license_files=["COPYING"],
    homepage="https://libexpat.github.io",
    # The archive of the tag has the sources in a folder.
    prepare=[Run("cp", "-a", "--remove-destination", "expat/.", ".")],
    autoreconf=True,
    configure=[
        "--without-docbook",
        "--without-examples",
        "--without-tests",
        "--without-xmlwf",
        # Only its tests are in C++, for which a target may have no library.
        "CXX=no",
    ],
    drop=["usr/lib/cmake"],
)
