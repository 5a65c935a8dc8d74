from quard.model import CMake, Feature, Source

RECIPE = CMake(
    summary="Regular expressions as in Perl",
    version="10.46",
    sources=[
        Source(
            "https://github.com/PCRE2Project/pcre2/releases/download/pcre2-{version}/pcre2-{version}.tar.gz",
            sha256="8d28d7f2c3b970c3a4bf3776bcbb5adfc923183ce74bc8df1ebaad8c1985bd07",
            size=2718545,
            provenance="stated alike by the recipes of several distributions",
            mirrors=["debian:pool/main/p/pcre2/pcre2_{version}.orig.tar.gz"],
        )
    ],
    license="BSD-3-Clause WITH PCRE2-exception",
    license_files=["LICENCE.md"],
    homepage="https://www.pcre.org",
    features=[
        Feature(
            "grep",
            summary="the program pcre2grep",
            on=[
                "-DPCRE2_BUILD_PCRE2GREP=ON",
                "-DPCRE2_SUPPORT_LIBZ=OFF",
                "-DPCRE2_SUPPORT_LIBBZ2=OFF",
            ],
            off=["-DPCRE2_BUILD_PCRE2GREP=OFF"],
        ),
        Feature(
            "jit",
            summary="compile expressions to machine code",
            on=["-DPCRE2_SUPPORT_JIT=ON"],
            off=["-DPCRE2_SUPPORT_JIT=OFF"],
        ),
        Feature(
            "wide",
            summary="the libraries for characters of 16 and 32 bits",
            on=["-DPCRE2_BUILD_PCRE2_16=ON", "-DPCRE2_BUILD_PCRE2_32=ON"],
            off=["-DPCRE2_BUILD_PCRE2_16=OFF", "-DPCRE2_BUILD_PCRE2_32=OFF"],
        ),
    ],
    configure=["-DPCRE2_BUILD_TESTS=OFF", "-DPCRE2_SHOW_REPORT=OFF"],
)
