from quard.model import Autotools, Feature, Part, Source

RECIPE = Autotools(
    summary="Programs for disks, file systems, processes and terminals, and their libraries",
    version="2.42.4",
    sources=[
        Source(
            "kernel:linux/utils/util-linux/v2.42/util-linux-{version}.tar.xz",
            sha256="fbd62a100ab7bb8746ba0661255c3c48185b1e9021507c624da01fbc696330ec",
            size=10729748,
            provenance="the signed index of Debian's archive",
            mirrors=["debian:pool/main/u/util-linux/util-linux_{version}.orig.tar.xz"],
        )
    ],
    license=(
        "GPL-2.0-or-later AND GPL-2.0-only AND GPL-1.0-or-later AND LGPL-2.1-or-later"
        " AND BSD-4-Clause-UC AND BSD-3-Clause AND BSD-2-Clause AND EUPL-1.2 AND ISC AND MIT"
    ),
    license_files=[
        "COPYING",
        "Documentation/licenses/COPYING.BSD-2-Clause",
        "Documentation/licenses/COPYING.BSD-3-Clause",
        "Documentation/licenses/COPYING.BSD-4-Clause-UC",
        "Documentation/licenses/COPYING.EUPL-1.2",
        "Documentation/licenses/COPYING.GPL-2.0-only",
        "Documentation/licenses/COPYING.GPL-2.0-or-later",
        "Documentation/licenses/COPYING.ISC",
        "Documentation/licenses/COPYING.LGPL-2.1-or-later",
        "Documentation/licenses/COPYING.MIT",
    ],
    homepage="https://github.com/util-linux/util-linux",
    features=[
        Feature(
            "ncurses",
            summary="cfdisk, irqtop, more, setterm and ul, which control the terminal",
            on=["--with-ncursesw"],
            off=["--without-ncursesw", "--without-tinfo"],
            needs=["ncurses"],
        ),
        Feature(
            "readline",
            summary="history and editing at the prompt of fdisk",
            on=["--with-readline"],
            off=["--without-readline"],
            needs=["readline"],
        ),
    ],
    configure=[
        "--disable-asciidoc",
        "--disable-bash-completion",
        # What asks for a password is busybox's: it needs libraries that no package has.
        "--disable-chfn-chsh",
        "--disable-hwclock-gplv3",
        "--disable-liblastlog2",
        "--disable-login",
        "--disable-makeinstall-chown",
        "--disable-makeinstall-setuid",
        "--disable-makeinstall-tty-setgid",
        "--disable-nologin",
        "--disable-pam-lastlog2",
        "--disable-poman",
        "--disable-pylibmount",
        "--disable-runuser",
        "--disable-setpriv",
        "--disable-su",
        "--disable-sulogin",
        "--without-btrfs",
        "--without-cap-ng",
        "--without-cryptsetup",
        "--without-econf",
        "--without-libmagic",
        "--without-libz",
        "--without-python",
        "--without-systemd",
        "--without-udev",
        "--without-user",
    ],
    parts=[
        Part("libblkid", ["usr/lib/libblkid.so.*"]),
        Part("libfdisk", ["usr/lib/libfdisk.so.*"]),
        Part("libmount", ["usr/lib/libmount.so.*"]),
        Part("libsmartcols", ["usr/lib/libsmartcols.so.*"]),
        Part("libuuid", ["usr/lib/libuuid.so.*"]),
    ],
)
