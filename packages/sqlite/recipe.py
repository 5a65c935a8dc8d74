from quard.model import Configure, Feature, Source

RECIPE = Configure(
    summary="Database in a file, with SQL",
    version="3.53.4",
    sources=[
        Source(
            "debian:pool/main/s/sqlite3/sqlite3_{version}.orig.tar.xz",
            sha256="05366adc8ee80c6b1faa71285b49d133c2121238ca58934b077fdeb95934abd4",
            size=8656972,
            provenance="the signed index of Debian; upstream offers the complete tree only as a zip",
        )
    ],
    license="blessing",
    license_files=["LICENSE.md"],
    homepage="https://www.sqlite.org",
    features=[
        Feature(
            "readline",
            summary="history and editing at the prompt of sqlite3",
            on=["--with-readline-header={sysroot}/usr/include/readline/readline.h"],
            off=["--disable-readline"],
            needs=["readline"],
        ),
    ],
    configure=[
        "--host={triple}",
        "--build={build}",
        "--disable-static",
        "--disable-tcl",
        "--soname=legacy",
        "--fts5",
        "--rtree",
    ],
)
