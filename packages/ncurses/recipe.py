from quard.model import Alternate, Autotools, Run, Source

RECIPE = Autotools(
    summary="Terminal handling: libncursesw and the descriptions of common terminals",
    version="6.6-20251231",
    source=Source(
        "https://invisible-island.net/archives/ncurses/current/ncurses-{version}.tgz",
        sha256="e280541f4f601b8586bec305976c873fd641607f9bc4254bf661034dcccac4e9",
        size=3789898,
        provenance="upstream's OpenPGP signature verified",
        mirrors=(
            "https://invisible-mirror.net/archives/ncurses/current/ncurses-{version}.tgz",
            "debian:pool/main/n/ncurses/ncurses_6.6+20251231.orig.tar.gz",
        ),
        alternates=(
            Alternate(
                "https://github.com/ThomasDickey/ncurses-snapshots/archive/v6_6_20251231/ncurses-{version}.tar.gz",
                sha256="9796dfb0e790bac2a994a86df83adddc1a96021cbc02c44c4f2ea886069bd91d",
                differs="the archive of the snapshot's tag, as the version control makes it",
            ),
        ),
    ),
    license="X11-distribute-modifications-variant",
    license_files=("COPYING",),
    homepage="https://invisible-island.net/ncurses/",
    tools=("tic",),
    configure=(
        "--with-shared",
        "--without-normal",
        "--without-debug",
        "--without-cxx",
        "--without-cxx-binding",
        "--without-ada",
        "--without-manpages",
        "--without-tests",
        "--disable-stripping",
        "--disable-widec",
        "--enable-pc-files",
        "--with-pkg-config-libdir=/usr/lib/pkgconfig",
        "--with-build-cc=gcc",
        "--with-default-terminfo-dir=/usr/share/terminfo",
    ),
    install=("install.libs", "install.includes"),
    # The terminals that people log in from; all 2,800 of them would be a third of the image.
    finish=(
        Run(
            "tic",
            "-x",
            "-o",
            "{stage}/usr/share/terminfo",
            "-e",
            "alacritty,ansi,dumb,foot,linux,rxvt,rxvt-256color,rxvt-unicode-256color,screen,"
            "screen-256color,st-256color,tmux,tmux-256color,vt100,vt102,vt220,xterm,xterm-256color,"
            "xterm-color,xterm-kitty",
            "misc/terminfo.src",
        ),
    ),
)
