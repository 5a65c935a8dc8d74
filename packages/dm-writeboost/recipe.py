from quard.model import KernelModule, Source

RECIPE = KernelModule(
    summary="Kernel module that writes to a slow disk by way of a log on a fast one",
    version="2.2.19",
    sources=[
        Source(
            "github:akiradeveloper/dm-writeboost/archive/refs/tags/v{version}.tar.gz",
            sha256="f0f52157c8bc8866f0a86140411a2efb84d0153447f40e01188d6c64348a3c75",
            size=40559,
            provenance="the signed index of Debian's archive",
            mirrors=["debian:pool/main/d/dm-writeboost/dm-writeboost_{version}.orig.tar.gz"],
        )
    ],
    license="GPL-2.0-or-later",
    license_files=["LICENSE"],
    homepage="https://github.com/akiradeveloper/dm-writeboost",
    kernel=["BLK_DEV_DM", "LIBCRC32C", "MD"],
    folder="src",
)
