from quard.model import Make, Source

RECIPE = Make(
    summary="Finds, reads and writes devices at I2C buses",
    version="4.4",
    sources=[
        Source(
            "https://www.kernel.org/pub/software/utils/i2c-tools/i2c-tools-{version}.tar.xz",
            sha256="8b15f0a880ab87280c40cfd7235cfff28134bf14d5646c07518b1ff6642a2473",
            size=81392,
            provenance="stated alike by the recipes of several distributions",
            mirrors=[
                "https://mirrors.edge.kernel.org/pub/software/utils/i2c-tools/i2c-tools-{version}.tar.xz",
                "debian:pool/main/i/i2c-tools/i2c-tools_{version}.orig.tar.xz",
            ],
        )
    ],
    license="GPL-2.0-or-later AND LGPL-2.1-or-later",
    license_files=["COPYING", "COPYING.LGPL"],
    homepage="https://i2c.wiki.kernel.org",
    variables=["CC={cross}gcc", "AR={cross}ar", "PREFIX={prefix}", "BUILD_STATIC_LIB=0"],
    install=["DESTDIR={stage}", "install"],
    kernel=["I2C", "I2C_CHARDEV"],
    # Scripts in Perl.
    drop=["usr/bin/ddcmon", "usr/bin/decode-*", "usr/sbin/i2c-stub-from-dump"],
)
