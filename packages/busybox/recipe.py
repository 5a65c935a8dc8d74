from quard.model import Config, Kconfig, Permission, Service, Source

RECIPE = Kconfig(
    summary="The usual commands of a small system in one program",
    version="1.38.0",
    sources=[
        Source(
            "https://www.busybox.net/downloads/busybox-{version}.tar.bz2",
            sha256="34f9ea6ff8636f2c9241153b9114eefa9e65674a45318ae1ef95bb5f31c53bb2",
            size=2695723,
            provenance="upstream's OpenPGP signature verified",
            mirrors=["debian:pool/main/b/busybox/busybox_{version}.orig.tar.bz2"],
        )
    ],
    license="GPL-2.0-only AND bzip2-1.0.6",
    license_files=["LICENSE", "archival/libarchive/bz/LICENSE"],
    homepage="https://www.busybox.net",
    env=[("KCONFIG_NOTIMESTAMP", "1")],
    # Its Makefile looks for an `s` in MAKEFLAGS, where make 4.4 and later have --jobserver-auth: nothing
    # of what is compiled would be in the log.
    variables=["ARCH={linux_arch}", "CROSS_COMPILE={cross}", "SKIP_STRIP=y", "quiet=quiet_"],
    base="defconfig",
    refresh="oldconfig",
    fragments=["quard-star.fragment"],
    make=["busybox"],
    install=["CONFIG_PREFIX={stage}", "install"],
    services=[
        Service("syslogd", start=1, script="syslogd.init"),
        Service("ntpd", start=45, script="ntpd.init"),
        Service("httpd", start=60, script="httpd.init"),
    ],
    configs=[Config("ntpd.default", "etc/default/ntpd")],
    yields_to=["*"],
    permissions=[Permission("/usr/bin/busybox", mode="4755")],
)
