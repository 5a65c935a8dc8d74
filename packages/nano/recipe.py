from quard.model import Autotools, Feature, Source

RECIPE = Autotools(
    summary="Text editor for people who do not edit every day",
    version="8.4",
    sources=[
        Source(
            "https://www.nano-editor.org/dist/v8/nano-{version}.tar.xz",
            sha256="5ad29222bbd55624d87ea677928b3106a743114d6c6f9b41f36c97be2a8e628d",
            size=1691256,
            provenance="stated alike by the recipes of several distributions",
            mirrors=[
                "https://ftp.gnu.org/gnu/nano/nano-{version}.tar.xz",
                "debian:pool/main/n/nano/nano_{version}.orig.tar.xz",
            ],
        )
    ],
    license="GPL-3.0-or-later",
    license_files=["COPYING"],
    homepage="https://www.nano-editor.org",
    needs=["ncurses"],
    features=[
        Feature(
            "libmagic",
            summary="find out the kind of a file without a known ending",
            on=["--enable-libmagic"],
            off=["--disable-libmagic"],
            needs=["file"],
        ),
    ],
    # The answer of its test, which cannot be run here.
    configure=["--enable-utf8", "gl_cv_func_strcasecmp_works=yes"],
)
