from quard.model import Configure, Feature, Source

RECIPE = Configure(
    summary="Shows and changes interfaces, addresses, routes and traffic control",
    version="6.1.0",
    sources=[
        Source(
            "kernel:linux/utils/net/iproute2/iproute2-{version}.tar.xz",
            sha256="5ce12a0fec6b212725ef218735941b2dab76244db7e72646a76021b0537b43ab",
            size=905512,
            provenance="stated alike by the recipes of several distributions",
            mirrors=["debian:pool/main/i/iproute2/iproute2_{version}.orig.tar.xz"],
        )
    ],
    license="GPL-2.0-or-later",
    license_files=["COPYING"],
    homepage="https://wiki.linuxfoundation.org/networking/iproute2",
    tools=["bison", "flex"],
    features=[
        # The script looks for the library, and sees it only if it is needed: it ignores these words.
        Feature(
            "libmnl",
            summary="devlink, rdma, dcb, tipc and vdpa, and the kernel's own words for errors",
            on=["--with-libmnl"],
            off=["--without-libmnl"],
            needs=["libmnl"],
        ),
    ],
    configure=["--libdir=/usr/lib", "--libbpf_force=off"],
    make=["HOSTCC=cc"],
    install=["HOSTCC=cc", "install"],
    # The folder of a program that needs Berkeley DB, and a script in Python.
    drop=["usr/sbin/routel", "var/lib/arpd"],
)
