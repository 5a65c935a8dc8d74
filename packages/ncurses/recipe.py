from quard.model import Alternate, Autotools, ForBuild, Install, Run, Source, Symlink

RECIPE = Autotools(
    summary="Terminal handling: libncursesw and the descriptions of common terminals",
    version="6.6-20251231",
    sources=[
        Source(
            "https://invisible-island.net/archives/ncurses/current/ncurses-{version}.tgz",
            sha256="e280541f4f601b8586bec305976c873fd641607f9bc4254bf661034dcccac4e9",
            size=3789898,
            provenance="upstream's OpenPGP signature verified",
            mirrors=[
                "https://invisible-mirror.net/archives/ncurses/current/ncurses-{version}.tgz",
                "debian:pool/main/n/ncurses/ncurses_6.6+20251231.orig.tar.gz",
            ],
            alternates=[
                Alternate(
                    "github:ThomasDickey/ncurses-snapshots/archive/v6_6_20251231/ncurses-{version}.tar.gz",
                    sha256="9796dfb0e790bac2a994a86df83adddc1a96021cbc02c44c4f2ea886069bd91d",
                    differs="the archive of the snapshot's tag, as the version control makes it",
                ),
            ],
        )
    ],
    license="X11-distribute-modifications-variant",
    license_files=["COPYING"],
    homepage="https://invisible-island.net/ncurses/",
    # The entries that tic writes depend on its version.
    natives=["ncurses"],
    configure=[
        "--with-shared",
        "--without-normal",
        "--without-debug",
        "--without-cxx",
        "--without-cxx-binding",
        "--without-ada",
        "--without-manpages",
        "--without-tests",
        "--disable-stripping",
        "--enable-widec",
        "--enable-overwrite",
        "--enable-pc-files",
        "--with-pkg-config-libdir={prefix}/lib/pkgconfig",
        "--with-build-cc=gcc",
        "--with-default-terminfo-dir=/usr/share/terminfo",
    ],
    install=["install.libs", "install.includes"],
    finish=[
        Run("mkdir", "-p", "{stage}/usr/share/terminfo"),
        # The terminals that people log in from; all 2,800 of them would be a third of the image.
        Run(
            "tic",
            "-x",
            "-o",
            "{stage}/usr/share/terminfo",
            "-e",
            "alacritty,ansi,dumb,foot,linux,rxvt,rxvt-256color,screen,screen-256color,st-256color,"
            "tmux,tmux-256color,vt100,vt102,vt220,xterm,xterm-256color,xterm-color",
            "misc/terminfo.src",
        ),
        Run(
            "env",
            "TERMINFO={stage}/usr/share/terminfo",
            "tic",
            "-x",
            "-o",
            "{stage}/usr/share/terminfo",
            "{files}/terminals.ti",
        ),
        # What busybox has no applet for.
        Install("progs/tput", "usr/bin/tput", mode="0755"),
        Install("progs/infocmp", "usr/bin/infocmp", mode="0755"),
        # Programs that ask for the library without wide characters, or for its part for terminals
        # alone, get this one.
        Symlink("usr/lib/libcurses.so", "libncursesw.so"),
        Symlink("usr/lib/libncurses.so", "libncursesw.so"),
        Symlink("usr/lib/libtinfo.so", "libncursesw.so"),
        Symlink("usr/lib/libform.so", "libformw.so"),
        Symlink("usr/lib/libmenu.so", "libmenuw.so"),
        Symlink("usr/lib/libpanel.so", "libpanelw.so"),
        Symlink("usr/lib/pkgconfig/ncurses.pc", "ncursesw.pc"),
        Symlink("usr/lib/pkgconfig/tinfo.pc", "ncursesw.pc"),
        Symlink("usr/lib/pkgconfig/form.pc", "formw.pc"),
        Symlink("usr/lib/pkgconfig/menu.pc", "menuw.pc"),
        Symlink("usr/lib/pkgconfig/panel.pc", "panelw.pc"),
        Symlink("usr/bin/ncurses6-config", "ncursesw6-config"),
        Symlink("usr/include/ncursesw/curses.h", "../curses.h"),
        Symlink("usr/include/ncursesw/form.h", "../form.h"),
        Symlink("usr/include/ncursesw/menu.h", "../menu.h"),
        Symlink("usr/include/ncursesw/ncurses.h", "../curses.h"),
        Symlink("usr/include/ncursesw/panel.h", "../panel.h"),
        Symlink("usr/include/ncursesw/term.h", "../term.h"),
    ],
    for_build=ForBuild(
        configure=[
            "--without-shared",
            "--without-debug",
            "--without-cxx",
            "--without-cxx-binding",
            "--without-ada",
            "--without-manpages",
            "--without-tests",
            "--disable-db-install",
            "--enable-widec",
        ],
        install=["install.progs"],
        finish=[],
    ),
)
