from quard.model import Autotools, Feature, Source

RECIPE = Autotools(
    summary="Shows texts page by page",
    version="668",
    sources=[
        Source(
            "https://www.greenwoodsoftware.com/less/less-{version}.tar.gz",
            sha256="2819f55564d86d542abbecafd82ff61e819a3eec967faa36cd3e68f1596a44b8",
            size=649770,
            provenance="stated alike by the recipes of several distributions",
            mirrors=["debian:pool/main/l/less/less_{version}.orig.tar.gz"],
        )
    ],
    license="GPL-3.0-or-later OR BSD-2-Clause",
    license_files=["LICENSE", "COPYING"],
    homepage="https://www.greenwoodsoftware.com/less/",
    needs=["ncurses"],
    features=[
        Feature(
            "pcre2",
            summary="search by the regular expressions of Perl",
            on=["--with-regex=pcre2"],
            off=["--with-regex=posix"],
            needs=["pcre2"],
        ),
    ],
)
