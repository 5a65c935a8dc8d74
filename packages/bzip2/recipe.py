from quard.model import Custom, Install, Run, Source, Symlink

RECIPE = Custom(
    summary="Compression library and programs: the bzip2 format",
    version="1.0.8",
    sources=[
        Source(
            "sourceware:bzip2/bzip2-{version}.tar.gz",
            sha256="ab5a03176ee106d3f0fa90e381da478ddae405918153cca248e682cd0c4a2269",
            size=810029,
            provenance="stated alike by the recipes of several distributions",
            mirrors=["debian:pool/main/b/bzip2/bzip2_{version}.orig.tar.gz"],
        )
    ],
    license="bzip2-1.0.6",
    license_files=["LICENSE"],
    homepage="https://sourceware.org/bzip2/",
    build=[
        Run(
            "make",
            "-f",
            "Makefile-libbz2_so",
            "CC={cross}gcc",
            "CFLAGS={cflags} -g -fPIC -D_FILE_OFFSET_BITS=64",
            "all",
        ),
    ],
    install=[
        Install("libbz2.so.{version}", "usr/lib/libbz2.so.{version}", mode="0755"),
        Symlink("usr/lib/libbz2.so.1.0", "libbz2.so.{version}"),
        Symlink("usr/lib/libbz2.so", "libbz2.so.{version}"),
        Install("bzlib.h", "usr/include/bzlib.h"),
        Install("bzip2-shared", "usr/bin/bzip2", mode="0755"),
        Symlink("usr/bin/bunzip2", "bzip2"),
        Symlink("usr/bin/bzcat", "bzip2"),
    ],
)
