from quard.model import Autotools, Source

RECIPE = Autotools(
    summary="Lets a debugger on another machine control programs (gdbserver)",
    version="17.2",
    sources=[
        Source(
            "gnu:gdb/gdb-{version}.tar.xz",
            sha256="2cfc67d22a373fe6f74b63e98dfb4cb28afe50543fbaa2fad532c2d8289d7821",
            size=25724892,
            provenance="the signed index of Debian's archive",
            mirrors=["debian:pool/main/g/gdb/gdb_{version}.orig.tar.xz"],
        )
    ],
    license="GPL-3.0-or-later AND LGPL-3.0-or-later AND GPL-2.0-or-later AND LGPL-2.1-or-later",
    license_files=["COPYING", "COPYING.LIB", "COPYING3", "COPYING3.LIB"],
    homepage="https://www.sourceware.org/gdb/",
    # The debugger itself runs on the build machine.
    configure=[
        "--disable-binutils",
        "--disable-gas",
        "--disable-gdb",
        "--disable-gold",
        "--disable-gprof",
        "--disable-gprofng",
        "--disable-ld",
        "--disable-sim",
        "--enable-gdbserver",
        "--enable-year2038",
        "--disable-inprocess-agent",
        "MAKEINFO=true",
    ],
    make=["MAKEINFO=true", "all-gdbserver"],
    install=["MAKEINFO=true", "install-gdbserver"],
)
