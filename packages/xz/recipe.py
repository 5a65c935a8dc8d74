from quard.model import Autotools, Source

RECIPE = Autotools(
    summary="Compression library and programs: the xz and lzma formats",
    version="5.8.4",
    sources=[
        Source(
            "github:tukaani-project/xz/releases/download/v{version}/xz-{version}.tar.xz",
            sha256="4ce24038fd4221e0d13bc1a2de7a4db56e90b92b3bf75321f6c14be73f65de4b",
            size=1567192,
            provenance="stated alike by the recipes of several distributions",
            mirrors=["debian:pool/main/x/xz-utils/xz-utils_{version}.orig.tar.xz"],
        )
    ],
    license="0BSD",
    license_files=["COPYING", "COPYING.0BSD"],
    homepage="https://tukaani.org/xz/",
    configure=[
        "--disable-doc",
        "--disable-lzma-links",
        "--disable-lzmadec",
        "--disable-lzmainfo",
        "--disable-scripts",
        "--disable-xzdec",
    ],
)
