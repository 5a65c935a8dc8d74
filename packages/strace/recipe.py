from quard.model import Autotools, Source

RECIPE = Autotools(
    summary="Shows the system calls of a program",
    version="6.1",
    sources=[
        Source(
            "https://github.com/strace/strace/releases/download/v{version}/strace-{version}.tar.xz",
            sha256="2579e9cec37dbb786f6ea0bebd15f40dd561ef2bde2a2a2ecdce5963b01859fd",
            size=2351272,
            provenance="stated alike by the recipes of several distributions",
            mirrors=["debian:pool/main/s/strace/strace_{version}.orig.tar.xz"],
        )
    ],
    license="LGPL-2.1-or-later AND GPL-2.0-only WITH Linux-syscall-note",
    license_files=[
        "COPYING",
        "LGPL-2.1-or-later",
        "bundled/linux/COPYING",
        "bundled/linux/GPL-2.0",
        "bundled/linux/Linux-syscall-note",
    ],
    homepage="https://strace.io",
    configure=[
        "--enable-bundled=yes",
        "--disable-gcc-Werror",
        "--disable-mpers",
        "--disable-stacktrace",
        "--without-libselinux",
    ],
    # A script in Perl that merges outputs.
    drop=["usr/bin/strace-log-merge"],
)
