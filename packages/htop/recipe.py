from quard.model import Autotools, Source

RECIPE = Autotools(
    summary="Shows processes and the load of the machine",
    version="3.4.1",
    sources=[
        Source(
            "https://github.com/htop-dev/htop/archive/refs/tags/{version}.tar.gz",
            sha256="af9ec878f831b7c27d33e775c668ec79d569aa781861c995a0fbadc1bdb666cf",
            size=427538,
            provenance="stated alike by the recipes of several distributions",
            mirrors=["debian:pool/main/h/htop/htop_{version}.orig.tar.gz"],
        )
    ],
    license="GPL-2.0-or-later",
    license_files=["COPYING"],
    homepage="https://htop.dev",
    needs=["ncurses"],
    autoreconf=True,
    configure=[
        "--enable-unicode",
        "--enable-affinity",
        "--disable-capabilities",
        "--disable-delayacct",
        "--disable-hwloc",
        "--disable-sensors",
        "--disable-unwind",
    ],
    drop=["usr/share/icons", "usr/share/pixmaps", "usr/share/applications"],
)
