from quard.model import Autotools, Feature, Source

RECIPE = Autotools(
    summary="Query and control network driver settings",
    version="6.1",
    sources=[
        Source(
            "kernel:software/network/ethtool/ethtool-{version}.tar.xz",
            sha256="c41fc881ffa5a40432d2dd829eb44c64a49dee482e716baacf9262c64daa8f90",
            size=327644,
            provenance="upstream's sha256sums.asc",
            mirrors=["debian:pool/main/e/ethtool/ethtool_{version}.orig.tar.xz"],
        )
    ],
    license="GPL-2.0-only",
    license_files=["COPYING", "LICENSE"],
    homepage="https://www.kernel.org/pub/software/network/ethtool/",
    configure=["--without-bash-completion-dir"],
    features=[
        Feature(
            "netlink",
            summary="talk to the kernel over netlink instead of ioctl",
            on=["--enable-netlink"],
            off=["--disable-netlink"],
            needs=["libmnl"],
            kernel=["ETHTOOL_NETLINK"],
        ),
    ],
)
