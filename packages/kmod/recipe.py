from quard.model import Alternate, Feature, Meson, Source

RECIPE = Meson(
    summary="Loads, removes and describes kernel modules",
    version="34.2",
    sources=[
        Source(
            "https://www.kernel.org/pub/linux/utils/kernel/kmod/kmod-{version}.tar.xz",
            sha256="5a5d5073070cc7e0c7a7a3c6ec2a0e1780850c8b47b3e3892226b93ffcb9cb54",
            provenance="stated alike by the recipes of several distributions",
            mirrors=[
                "https://mirrors.edge.kernel.org/pub/linux/utils/kernel/kmod/kmod-{version}.tar.xz",
            ],
            alternates=[
                Alternate(
                    "debian:pool/main/k/kmod/kmod_{version}.orig.tar.xz",
                    sha256="012d16e2099115486d8aa9f2c2a23d058d3d0cad83113a60512647d25d3869e8",
                    size=192520,
                    differs="the archive of the release's tag, as the version control makes it",
                ),
            ],
        )
    ],
    license="LGPL-2.1-or-later AND GPL-2.0-or-later",
    license_files=["COPYING", "tools/COPYING"],
    homepage="https://git.kernel.org/pub/scm/utils/kernel/kmod/kmod.git",
    # The pkg-config file of its library refers to theirs.
    exports=["openssl", "xz", "zlib", "zstd"],
    configure=[
        "-Dbashcompletiondir=no",
        "-Dbuild-tests=false",
        "-Dfishcompletiondir=no",
        "-Dmanpages=false",
        "-Dzshcompletiondir=no",
    ],
    expects=["usr/sbin/depmod", "usr/sbin/modprobe"],
    features=[
        Feature(
            "openssl",
            summary="show the signatures of modules",
            on=["-Dopenssl=enabled"],
            off=["-Dopenssl=disabled"],
            needs=["openssl"],
        ),
        Feature(
            "xz",
            summary="load modules that are compressed by xz",
            on=["-Dxz=enabled"],
            off=["-Dxz=disabled"],
            needs=["xz"],
        ),
        Feature(
            "zlib",
            summary="load modules that are compressed by gzip",
            on=["-Dzlib=enabled"],
            off=["-Dzlib=disabled"],
            needs=["zlib"],
        ),
        Feature(
            "zstd",
            summary="load modules that are compressed by zstd",
            on=["-Dzstd=enabled"],
            off=["-Dzstd=disabled"],
            needs=["zstd"],
        ),
    ],
)
