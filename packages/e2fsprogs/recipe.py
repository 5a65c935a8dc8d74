from quard.model import Autotools, Install, Source

RECIPE = Autotools(
    summary="Checks and repairs ext4 file systems before they are mounted writable",
    version="1.47.4",
    sources=[
        Source(
            "debian:pool/main/e/e2fsprogs/e2fsprogs_{version}.orig.tar.gz",
            sha256="2cec05f39c20ee621f14926195664e66e6017190ac8e4bbdb16d86082e43c5da",
            size=10106395,
            provenance="the signed index of Debian's archive",
        )
    ],
    license="GPL-2.0-only AND LGPL-2.0-only AND BSD-3-Clause AND MIT",
    license_files=["NOTICE"],
    homepage="https://e2fsprogs.sourceforge.net",
    # What e2fsck does without: it is the only program of the package that is built, and small counts.
    configure=[
        "--disable-backtrace",
        "--disable-bmap-stats",
        "--disable-debugfs",
        "--disable-defrag",
        "--disable-fuse2fs",
        "--disable-imager",
        "--disable-mmp",
        "--disable-resizer",
        "--disable-tdb",
        "--disable-testio-debug",
        "--disable-tls",
        "--disable-uuidd",
        "--without-libarchive",
        "--without-pthread",
        "CFLAGS={cflags} -Os -ffunction-sections -fdata-sections",
        "LDFLAGS=-Wl,--gc-sections",
    ],
    make=["PROG_SUBDIRS=e2fsck", "libs", "progs"],
    install=[],
    finish=[Install("e2fsck/e2fsck", "usr/sbin/e2fsck", mode="0755")],
)
