from quard.model import Autotools, Source

RECIPE = Autotools(
    summary="Editing of command lines, with history",
    version="8.3",
    sources=[
        Source(
            "gnu:readline/readline-{version}.tar.gz",
            sha256="fe5383204467828cd495ee8d1d3c037a7eba1389c22bc6a041f627976f9061cc",
            size=3419642,
            provenance="upstream's OpenPGP signature, as checked by another distribution",
            mirrors=["debian:pool/main/r/readline/readline_{version}.orig.tar.gz"],
        )
    ],
    license="GPL-3.0-or-later",
    license_files=["COPYING"],
    homepage="https://tiswww.case.edu/php/chet/readline/rltop.html",
    needs=["ncurses"],
    # The pkg-config file refers to tinfo, which is one of ncurses.
    exports=["ncurses"],
    configure=["--with-curses", "--with-shared-termcap-library", "--disable-install-examples"],
    drop=["usr/bin"],
)
